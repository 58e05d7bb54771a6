"""Reading the records of a sweep, or of several as one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from sweeps.analysis.loading.one_sweep import assemble, read_sweep
from sweeps.analysis.loading.records import Records
from sweeps.analysis.loading.several import Contradictory, Source, as_one
from sweeps.errors import SweepsError, unknown


def load(
    root: str | Path | Sequence[str | Path], *, cache: bool = True, contradictory: Contradictory = "refuse"
) -> Records:
    """Read every cell of a sweep, `runs/<experiment>/`, or of several sweeps as if they were one.

    Of several sweeps a cell that is in two with the same CSV files and outcome counts once. Settings that differ
    between them are axes, as those that differ within one; `cells` and `problems` say in the column `sweep` where a
    row comes from.

    Args:
        root: the folder, or a list of folders.
        cache: True keeps what was read in the sweep's folder for the next call, until any file of a record changes;
            False reads the files themselves and writes nothing.
        contradictory: what to do with cells that two sweeps hold with the same settings and different records:
            "refuse" raises, "leave out" counts none of them and lists them in `problems`.

    Raises:
        SweepsError: a folder has no cells, or none of them is done; of several sweeps also: a folder is given twice,
            their numerics differ, or they contradict each other.
    """
    roots = [Path(root)] if isinstance(root, str | Path) else [Path(each) for each in root]
    if contradictory not in ("refuse", "leave out"):
        raise SweepsError(unknown("contradictory", str(contradictory), ("refuse", "leave out")))
    if not roots:
        raise SweepsError("no sweep to load: the list of folders is empty")
    sources = [_read(each, cache=cache) for each in roots]
    if len(sources) > 1:
        return as_one(sources, contradictory, cache=cache)
    [only] = sources
    return assemble(only.root, only.raw, only.frames, None if only.plan is None else tuple(only.plan))


def _read(root: Path, *, cache: bool) -> Source:
    raw, frames, plan = read_sweep(root, cache=cache)
    if not raw.done:
        kinds = pd.Series([kind for kind, _ in raw.problems.values()]).value_counts()
        counts = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
        raise SweepsError(f"{root} holds no finished cell ({counts}); nothing to tabulate yet")
    return Source(root, raw, frames, plan)
