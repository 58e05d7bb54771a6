"""The part 'What did clipping change?' of the answer: outcomes by kind of clipping, and pairs with and without it."""

from __future__ import annotations

from typing import Any

import pandas as pd

from sweeps.analysis.labels import label, level_text
from sweeps.analysis.loading.axes import owner_of
from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics.effects import by_importance
from sweeps.analysis.statistics.summaries import numbers_of
from sweeps.analysis.text import number_of, render, share_of
from sweeps.report.by_axis import LISTED
from sweeps.report.document import Block, Prose, Tabular
from sweeps.report.outcome_counts import CRITERIA, outcome_counts
from sweeps.tables.clipping_audit import CHANGES, REFERENCE, clipping_audit


def clipping(records: Records, table: pd.DataFrame) -> list[Block]:
    """What never acted, a table of outcomes by kind of clipping, and a list of what each changed in pairs with a run
    without clipping."""
    counts, never = outcome_counts(table, "clip"), _never_acted(records)
    if len(counts) < 2:
        return never
    shown = pd.DataFrame({"clip": [label(clip) for clip in counts.index]})
    for name, head in CRITERIA.items():
        shown[head] = [share_of(*pair) for pair in zip(counts[name], counts["n"], strict=True)]
    outcomes = Tabular(render(shown, names=1), "Outcomes under each kind of clipping, everything else pooled.")
    if REFERENCE not in counts.index:
        return [*never, outcomes]
    others = [axis for axis in by_importance(records) if axis != "clip" and owner_of(axis) != "clip"]
    by = "arch" if "arch" in others else next(iter(others), None)
    axes = [*([by] if by else []), "clip"]
    audit = clipping_audit(records, axes, "solved", incomplete="allow").frame
    points = [_changed(clip, audit[audit["clip"] == clip], by) for clip in counts.index if clip != REFERENCE]
    first = (
        "Pairs are a run with clipping and the run without it that is the same otherwise. A run is solved if any of "
        "its evaluations reached the task's score, and solved at the end if the last one did and it did not diverge:"
    )
    return [*never, Prose(first + "\n\n" + "\n".join(f"- {point}" for point in points)), outcomes]


def _never_acted(records: Records) -> list[Block]:
    """A paragraph that names the clippings that changed no gradient at any logged update; none if all did."""
    own = [axis for axis in records.varied if owner_of(axis) == "clip"]
    cells = records.cells[records.cells["clip"] != REFERENCE].join(numbers_of(records)[["clipped"]], on="cell")
    names = []
    for key, part in cells.groupby(["clip", *own], observed=True, dropna=False):
        levels: Any = key
        if not (part["clipped"] > 0).any():
            told = [level_text(axis, level) for axis, level in zip(own, levels[1:], strict=True) if pd.notna(level)]
            names.append(f"{', '.join([label(levels[0]), *told])} ({number_of(len(part), 'run')})")
    if not names:
        return []
    return [Prose(f"**Never changed a gradient, at no logged update: {'; '.join(names)}.**")]


def _changed(clip: Any, rows: pd.DataFrame, by: str | None) -> str:
    """How many pairs one kind of clipping changed, for each outcome, and at which levels of an axis."""
    name, pairs = label(clip), int(rows["pairs"].sum())
    texts = []
    for criterion, changes in CHANGES.items():
        (more, in_more), (less, in_less) = (_counted(rows, change, by) for change in changes)
        texts.append(f"{CRITERIA[criterion].capitalize()}: {more} only with it{in_more}, {less} only without{in_less}.")
    return f"**{name[0].upper()}{name[1:]}**, {number_of(pairs, 'pair')}. {' '.join(texts)}"


def _counted(rows: pd.DataFrame, name: str, by: str | None) -> tuple[int, str]:
    """`13` and ` (ReLU RNN 9, LSTM 4)`, the second empty if the count is 0 or nothing else varied."""
    total = int(rows[name].sum())
    if by is None or not total:
        return total, ""
    counts = rows.groupby(by, observed=True)[name].sum()
    named = [f"{level_text(by, level)} {count}" for level, count in counts[counts > 0].items()]
    return total, f" ({', '.join(named)})" if len(named) <= LISTED else ""
