"""Train many small recurrent networks at once, and ask of each how its gradient travels back through time.

>>> import sweeps
>>> cells = sweeps.compose("arch=rnn_tanh,lstm", "init=orthogonal", "seed=range(3)", "task=adding", "task.length=50")
>>> records = sweeps.train(cells, "runs/first_try")  # or, of a sweep that is on disk: sweeps.load("runs/first_look")
>>> sweeps.compare(records, axes=("arch",), metric="decay_start")
>>> sweeps.figure("gradient_by_lag_start", records)

`__init__.pyi` lists every public name, docs/python.md says what each is for. Imports point backwards along two lines
that meet in the records (tests/test_layers.py holds the rules):
config → tasks → plan → engine → probes → records → execute → mirror → launch;
records → analysis → tables, figures → report → dashboard → commands.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
