"""The answer of a sweep in numbers, before any detail: which init keeps gradients alive, what exploded, what
clipping changed, who learned. Records in, sections of a document out; every sentence says of how many.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from sweeps.analysis.document.blocks import Block, Prose, Section, Tabular
from sweeps.analysis.document.explosions import exploded
from sweeps.analysis.document.gradients import alive, at_initialisation
from sweeps.analysis.loading.load import Records
from sweeps.analysis.loading.names import label
from sweeps.analysis.statistics.outcomes import counted
from sweeps.analysis.statistics.paired import ALPHA, smallest_p
from sweeps.analysis.tables.audit import CHANGES, REFERENCE, clipping_audit
from sweeps.analysis.tables.markdown import number, percent, render, share_of

CRITERIA = {"solved": "solved", "solved_at_end": "solved at the end", "diverged": "diverged"}
"""Outcomes of which the answer gives counts, by name in `outcomes.COUNTS`, as its tables call them."""


def answer(records: Records, table: pd.DataFrame, task: Any = None) -> list[Section]:
    """The parts of the answer.

    Args:
        records: of one task.
        table: from `tables.comparison`, of the same records.
        task: its name, where there are several.
    """
    start = at_initialisation(records)
    parts = (
        ("Which initialisation keeps gradients alive?", alive(records, start)),
        ("What exploded?", exploded(records, start)),
        ("What did clipping change?", clipping(records, table)),
        ("Who solved the task?", solved(records, table)),
    )
    suffix = "" if task is None else f" ({task})"
    return [Section(title + suffix, blocks, level=3) for title, blocks in parts if blocks]


def standing(records: Records) -> str:
    """How many runs and seeds the answer is of, and whether so few can show more than themselves."""
    runs, seeds = len(records.cells), records.cells["seed"].nunique()
    text = f"{runs} run{'s' * (runs != 1)} with {seeds} seed{'s' * (seeds != 1)}"
    enough = next(n for n in range(2, 20) if smallest_p(n) <= ALPHA)
    if seeds >= enough:
        return f"{text}."
    return (
        f"{text}: a description of these runs, which proves nothing about others. With fewer than {enough} seeds no "
        f"paired test can reach {ALPHA:.0%}."
    )


def clipping(records: Records, table: pd.DataFrame) -> list[Block]:
    """Outcomes under each kind of clipping, and pair by pair what it changed against none."""
    counts = _outcomes(table, "clip")
    if len(counts) < 2:
        return []
    shown = pd.DataFrame({"clip": [label(clip) for clip in counts.index]})
    for name, head in CRITERIA.items():
        shown[head] = [share_of(*pair) for pair in zip(counts[name], counts["n"], strict=True)]
    outcomes = Tabular(render(shown, names=1), "Outcomes under each kind of clipping, everything else pooled.")
    if REFERENCE not in counts.index:
        return [outcomes]
    audit = clipping_audit(records, metric="solved", incomplete="allow").frame
    points = [_changed(clip, audit[audit["clip"] == clip]) for clip in counts.index if clip != REFERENCE]
    first = (
        "Pairs are a run with clipping and the run without it that is the same otherwise. A run is solved if any of "
        "its evaluations reached the task's score, and solved at the end if the last one did and it did not diverge:"
    )
    return [Prose(first + "\n\n" + "\n".join(f"- {point}" for point in points)), outcomes]


def solved(records: Records, table: pd.DataFrame) -> list[Block]:
    """Who solved the task at which length, at any evaluation and at the last."""
    runs = table[table["n"] > 0]
    lengths = [length for length in table["length"].cat.categories if (runs["length"] == length).any()]
    rows = []
    for arch, part in runs.groupby("arch", observed=True):
        row = {"architecture": label(arch)}
        for length in lengths:
            counts = _outcomes(part[part["length"] == length], "arch").sum()
            text = share_of(counts["solved"], counts["n"])
            row[f"T = {length:g}"] = f"{text}, {counts['solved_at_end']} at the end" if counts["solved"] else text
        rows.append(row)
    total = _outcomes(table, "arch").sum()
    n, reached, kept = total["n"], total["solved"], total["solved_at_end"]
    wanted = records.cells["solved_at"].dropna().unique()
    score = f"{number(wanted[0])} in {records.score_name}" if len(wanted) == 1 else "the score that the task asks for"
    told = f"**{percent(reached, n)} of runs solved the task** ({reached} of {n}): an evaluation reached {score}."
    told += f" At the end {kept} of the {reached} were still solved." if reached else ""
    caption = "Runs that solved the task, inits and clipping pooled, and how many of them were solved at the end."
    return [Prose(told), Tabular(render(pd.DataFrame(rows), names=1), caption)]


def _outcomes(table: pd.DataFrame, by: str) -> pd.DataFrame:
    """Runs and those of each of `CRITERIA`, for each level of an axis, from shares of rows."""
    here = table[table["n"] > 0]
    counts = pd.DataFrame({by: here[by], "n": here["n"], **{name: counted(here, name) for name in CRITERIA}})
    return counts.groupby(by, observed=True).sum()


def _changed(clip: Any, rows: pd.DataFrame) -> str:
    """What one kind of clipping changed in the outcomes of pairs, by each criterion, and in which architectures."""
    name, pairs = label(clip), int(rows["pairs"].sum())
    texts = []
    for criterion, changes in CHANGES.items():
        (more, in_more), (less, in_less) = (_counted(rows, change) for change in changes)
        texts.append(f"{CRITERIA[criterion].capitalize()}: {more} only with it{in_more}, {less} only without{in_less}.")
    return f"**{name[0].upper()}{name[1:]}**, {pairs} pairs. {' '.join(texts)}"


def _counted(rows: pd.DataFrame, name: str) -> tuple[int, str]:
    """`13` and ` (ReLU RNN 9, LSTM 4)`, the latter empty where there is nothing to tell."""
    by_arch = rows.groupby("arch", observed=True)[name].sum()
    named = ", ".join(f"{label(arch)} {count}" for arch, count in by_arch[by_arch > 0].items())
    return int(by_arch.sum()), f" ({named})" if named else ""
