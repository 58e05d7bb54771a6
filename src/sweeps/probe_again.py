"""Measures a done cell by further probes: at its end, from its weights, or all along, trained anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from sweeps import tasks
from sweeps.again import trained_anew
from sweeps.check import problems_with
from sweeps.config.schema import Settings
from sweeps.errors import ConfigError, SweepsError
from sweeps.probes.base import NAMES, has, probe
from sweeps.records.files import write_atomically, write_csv
from sweeps.records.paths import CellPaths
from sweeps.records.safe_reading import read_bytes

SAME = ("metrics", "gradient_through_time", "parameters")
"""Files whose bytes must be those of the record if a cell that was trained anew is the same."""


def why_not(settings: Settings, names: Sequence[str]) -> list[str]:
    """Why a cell cannot be measured so; each sentence is one problem."""
    asked = replace(settings, probe=",".join(names))
    own = [f"probe: {name} is of a recurrence, and arch={settings.arch.name} has none" for name in names
           if name in NAMES and not has(name, settings)]  # fmt: skip
    return own or problems_with([asked])


def needs_training(settings: Settings, names: Sequence[str]) -> str:
    """Why weights at the end are not enough, as a clause; empty if they are."""
    if watching := [name for name in names if probe(name).watch is not None]:
        return f"{', '.join(watching)} sees every update"
    if tasks.streams(tasks.task_of(settings.task)):
        return f"task={settings.task.name} goes on from a state that is not kept"
    return ""


def at_end(
    paths: CellPaths, settings: Settings, names: Sequence[str], step: int, kept: Mapping[str, np.ndarray]
) -> None:
    """Write the probes of the last row of a record, from the weights of that row.

    Args:
        step: updates that the weights have had.
        kept: the weights, from `weights.npz`.

    Raises:
        ConfigError: this machine cannot run the cell, or it has no such probe.
        SweepsError: the weights are another network's.
    """
    from sweeps.engine.train import prepare_process
    from sweeps.engine.trained import trained
    from sweeps.engine.update import Update
    from sweeps.probes.taken import Probes

    if problems := why_not(settings, names):
        raise ConfigError(problems)
    prepare_process()
    try:
        training = trained(settings, kept, settings.executor.kernel, settings.executor.device)
    except ValueError as error:
        raise SweepsError(f"{paths.root.name}: {error}") from None
    for _ in range(step * training.batches):
        training.data.next()
    Update(training).backward()
    found = Probes(replace(settings, probe=",".join(names)))(training, 0)
    for name in names:
        write_csv(paths.probe(name), ("step", *probe(name).columns), ((step, *row) for row in found[name]))


def all_along(paths: CellPaths, settings: Settings, names: Sequence[str]) -> None:
    """Train the cell anew with the probes, and put their files beside the record if its bytes come out the same.

    Raises:
        ConfigError: this machine cannot train the cell, or it has no such probe.
        SweepsError: the bytes are others; nothing was written.
    """
    if problems := why_not(settings, names):
        raise ConfigError(problems)
    with trained_anew(replace(settings, probe=",".join(names))) as made:
        others = [getattr(paths, name).name for name in SAME
                  if read_bytes(getattr(paths, name)) != read_bytes(getattr(made, name))]  # fmt: skip
        if others:
            raise SweepsError(
                f"{paths.root.name}, trained anew here, has other bytes in {', '.join(others)}; its probes would be of "
                f"another run. `python -m sweeps show cell={paths.root.name} --again` says what differs"
            )
        for name in names:
            write_atomically(paths.probe(name), read_bytes(made.probe(name)))
