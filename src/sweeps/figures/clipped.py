"""What the figure of clipping shows: which runs, and which axes are its rows and columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from sweeps.analysis.loading.axes import owner_of
from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics.effects import by_importance


@dataclass(frozen=True)
class Clipped:
    """Runs with clipping, and those without beside them.

    Attributes:
        records: of the runs that are shown.
        row: what tells clippings apart: the kind; of a single kind the first of its settings that varied.
        column: of the other axes that which matters most; the architecture where none varied.
        length, init: the only ones that are shown; None where they are the columns, or (init) did not vary.
    """

    records: Records
    row: str
    column: str
    length: Any
    init: Any


def clipped_runs(records: Records) -> Clipped | None:
    """The runs that the figure of clipping shows: the longest, and the init that was clipped at most of its steps.

    Returns:
        None if no run has clipping.
    """
    kinds = set(records.cells["clip"]) - {"none"}
    own = [axis for axis in records.varied if owner_of(axis) == "clip"]
    others = [axis for axis in by_importance(records) if axis != "clip" and axis not in own]
    column = others[0] if others else "arch"
    length = None if column == "length" else records.longest
    shown = records if length is None else records.select(length=length)
    init = _most_clipped_init(shown)
    if init is None:
        return None
    init = init if column != "init" and "init" in records.varied else None
    shown = shown if init is None else shown.select(init=init)
    row = own[0] if len(kinds) == 1 and own else "clip"
    return Clipped(shown.with_unset([row, column]), row, column, length, init)


def _most_clipped_init(records: Records) -> Any:
    """The init whose gradients were clipped at the largest share of logged updates; None if no run has clipping."""
    rows = records.with_axes(records.metrics).dropna(subset=["clip_scale"])  # where the gradient was still finite
    rows = rows[rows["clip"] != "none"]
    share: pd.Series = (rows["clip_scale"] < 1.0).groupby(rows["init"], observed=True).mean()
    return share.idxmax() if len(share) else None
