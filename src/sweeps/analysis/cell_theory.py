"""What theory says of the gradient through time of a cell before training, from its settings alone."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sweeps import tasks
from sweeps.analysis.loading.cellfiles import config_of
from sweeps.analysis.loading.records import Records
from sweeps.config.identity import completed
from sweeps.config.parse import parse
from sweeps.config.schema import Settings
from sweeps.errors import SweepsError
from sweeps.records.paths import SweepPaths
from sweeps.records.safe_reading import SMALL, read_bytes
from sweeps.theory import carry, diagonal, gru, identity_relu, lstm, mean_field

PHI = {"rnn_tanh": "tanh", "rnn_relu": "relu", "rnn_sigmoid": "sigmoid"}
"""The activation functions of the plain networks that mean-field theory is of."""
SEQUENCES = 256
"""Of which the power of the inputs is the mean."""


def settings_of(records: Records, cell: str) -> Settings | None:
    """The settings of a cell as its record tells them; None where it does not, or they no longer exist."""
    roots = [sweep.root for sweep in records.sweeps.values() if cell in sweep.cells] or [records.root]
    try:
        config = config_of(read_bytes(SweepPaths(roots[0]).cell(cell).config, SMALL))
    except (OSError, SweepsError):
        return None
    return parse(completed(config or {}))[0]


def plain(settings: Settings) -> bool:
    """Whether the network is one recurrence that reads the task's inputs as they are: what these theories are of."""
    stack = settings.stack
    return stack.layers == 1 and not stack.embedding and not stack.bidirectional


def drive_of(settings: Settings) -> float:
    """The variance of what the inputs add to a unit: their power times the variance of an input weight."""
    task = tasks.task_of(settings.task)
    power = tasks.input_power(task, np.random.default_rng(0), SEQUENCES)
    return settings.init.input_scale**2 * 2 / (task.inputs + settings.arch.hidden) * power


def unit_gain(settings: Settings) -> float | None:
    """At `init.gain=1`, sqrt(H) times the standard deviation of an element of the recurrent matrix: theory's gain.

    None for a matrix that is neither orthogonal nor of independent elements.
    """
    init = settings.init
    if init.name == "random" and not init.options.get("fan_in"):
        return float(init.options["std"]) * settings.arch.hidden**0.5
    return {"orthogonal": 1.0, "random": 1.0, "xavier": 1.0, "he": 2**0.5}.get(init.name)


def expected(settings: Settings, length: int) -> np.ndarray | None:
    """log10 of ||dL/dh_{T-1-k}|| / ||dL/dh_{T-1}|| for every k of T = `length` steps; None where no theory is of it.

    Mean-field theory of tanh, relu and sigmoid, its like of the GRU, and of the LSTM while states are small; the walk
    of a relu network from the identity; the carry of minGRU and of the LRU. See docs/theory.md.
    """
    arch, init, lag = settings.arch.name, settings.init, np.arange(length)
    if not plain(settings):
        return None
    if arch == "mingru":
        return carry.log10_carry_norm(0.0, lag, variance=drive_of(settings))
    if arch == "lru":
        low, high = (float(settings.arch.options[name]) for name in ("r_min", "r_max"))
        return diagonal.log10_gradient(low, high, lag)
    if arch == "rnn_relu" and init.name == "identity" and init.gain == 1:
        return np.log10(identity_relu.gradient_square(length)[:length]) / 2
    if (unit := unit_gain(settings)) is None:
        return None
    gain = unit * init.gain
    if arch == "gru":
        bias = float(settings.arch.options["update_bias"])
        return gru.log10_gradient(gain, drive_of(settings), length - 1, update_bias=bias)
    if arch == "lstm":
        return lstm.log10_gradient(float(settings.arch.options["forget_bias"]), length - 1, gain)
    if arch in PHI:
        return mean_field.log10_gradient(mean_field.gradient_factor(PHI[arch], gain, drive_of(settings)), lag)
    return None


def expected_of_runs(records: Records) -> pd.DataFrame:
    """`cell, lag, log10_norm` for one run of each combination of what was varied; without those theory says nothing of.

    `log10_norm` is 0 at lag 0.
    """
    parts = []
    for _, cell in records.cells.drop_duplicates(records.axes).iterrows():
        settings = settings_of(records, str(cell["cell"]))
        curve = None if settings is None else expected(settings, int(cell["length"]))
        if curve is not None:
            parts.append(pd.DataFrame({"cell": cell["cell"], "lag": np.arange(len(curve)), "log10_norm": curve}))
    if not parts:
        return pd.DataFrame({"cell": pd.Series(dtype=str), "lag": pd.Series(dtype=int), "log10_norm": []})
    return pd.concat(parts, ignore_index=True)
