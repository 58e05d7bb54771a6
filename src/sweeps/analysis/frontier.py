"""The longest sequences that mean-field theory says a plain network can be trained on, for each gain of a study.

Before training the squared norm of a gradient changes by chi per time step, so that it is gone, or beyond all bounds,
after some multiples of the time scale xi = 1 / |ln chi|. About 6 xi is what trains (Schoenholz et al. 2017, who found
it for depth; Chen et al. 2018 for time steps): `TIMES`, a rule of thumb, not a law.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from sweeps import tasks
from sweeps.analysis.loading.cellfiles import config_of
from sweeps.analysis.loading.records import Records
from sweeps.config.identity import completed
from sweeps.config.parse import parse
from sweeps.config.schema import Settings
from sweeps.records.paths import SweepPaths
from sweeps.records.safe_reading import SMALL, read_bytes
from sweeps.theory import mean_field

TIMES = 6
"""Time scales of the squared norm that a gradient survives."""
SEQUENCES = 256
"""Of which the power of the inputs is the mean."""
PHI = {"rnn_tanh": "tanh", "rnn_relu": "relu", "rnn_sigmoid": "sigmoid"}


def frontier(records: Records, arch: str, gains: np.ndarray) -> pd.DataFrame | None:
    """`gain, chi, length`: what theory says of a plain network of one layer, its matrix drawn orthogonal or Gaussian.

    The drive is that of the shortest sequences. None for other networks, or where no record tells the settings.
    """
    cells = records.cells[records.cells["arch"] == arch]
    if arch not in PHI or cells.empty:
        return None
    first = cells.sort_values(["length", "seed"]).iloc[0]
    roots = [sweep.root for sweep in records.sweeps.values() if first["cell"] in sweep.cells] or [records.root]
    try:
        config = config_of(read_bytes(SweepPaths(roots[0]).cell(first["cell"]).config, SMALL))
    except OSError:
        return None
    settings, _ = parse(completed(config or {}))
    if settings is None:
        return None
    factor = _own_gain(settings)
    if factor is None or settings.stack.layers > 1 or settings.stack.embedding:
        return None
    task = tasks.task_of(settings.task)
    power = tasks.input_power(task, np.random.default_rng(0), SEQUENCES)
    drive = settings.init.input_scale**2 * 2 / (task.inputs + settings.arch.hidden) * power
    chi = np.array([mean_field.gradient_factor(PHI[arch], factor * gain, drive) for gain in gains])
    scales = np.array([mean_field.time_scale(each) for each in chi])
    return pd.DataFrame({"gain": gains, "chi": chi, "length": TIMES * scales})


def inside(records: Records) -> pd.Series:
    """Whether theory lets each run be trained; missing where it says nothing. Indexed as `records.cells`."""
    cells = records.cells
    found = pd.Series(pd.NA, index=cells.index, dtype="boolean")
    for arch in cells["arch"].unique():
        own = cells[cells["arch"] == arch]
        gains = np.array(sorted(own["gain"].dropna().unique()), dtype=float)
        line = frontier(records, str(arch), gains) if len(gains) else None
        if line is not None:
            allowed = own["gain"].astype(float).map(dict(zip(gains, line["length"], strict=True)))
            found[own.index] = own["length"].astype(float) <= allowed
    return found


def _own_gain(settings: Settings) -> float | None:
    """The gain of theory at `init.gain=1`; None for an init that theory says nothing of."""
    init = settings.init
    if init.name == "orthogonal" or (init.name == "random" and init.options.get("fan_in")):
        return 1.0
    if init.name == "random":
        return float(init.options["std"]) * settings.arch.hidden**0.5
    return None
