"""The answer of a sweep in numbers, before any detail: which init keeps gradients alive, what exploded, what
clipping changed, who learned. Records in, sections of a document out.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from sweeps.analysis.document.blocks import Block, Prose, Section, Tabular
from sweeps.analysis.document.gradients import alive, at_initialisation, exploded
from sweeps.analysis.loading.load import Records
from sweeps.analysis.loading.names import label
from sweeps.analysis.tables.audit import REFERENCE, clipping_audit
from sweeps.analysis.tables.markdown import render, share_of


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
        ("Who solved the task?", solved(table)),
    )
    suffix = "" if task is None else f" ({task})"
    return [Section(title + suffix, blocks, level=3) for title, blocks in parts if blocks]


def clipping(records: Records, table: pd.DataFrame) -> list[Block]:
    """Solved and diverged under each kind of clipping, and pair by pair what it changed against none."""
    counts = _outcomes(table, "clip")
    if len(counts) < 2:
        return []
    shown = pd.DataFrame({"clip": [label(clip) for clip in counts.index]})
    for name in ("solved", "diverged"):
        shown[name] = [share_of(*pair) for pair in zip(counts[name], counts["n"], strict=True)]
    outcomes = Tabular(render(shown, names=1), "Outcomes under each kind of clipping, everything else pooled.")
    if REFERENCE not in counts.index:
        return [outcomes]
    audit = clipping_audit(records, incomplete="allow").frame
    points = [_changed(clip, audit[audit["clip"] == clip]) for clip in counts.index if clip != REFERENCE]
    first = "Pairs are a run with clipping and the run without it that is the same otherwise:"
    return [Prose(first + "\n\n" + "\n".join(f"- {point}" for point in points)), outcomes]


def solved(table: pd.DataFrame) -> list[Block]:
    """Who solved the task at which length."""
    runs = table[table["n"] > 0]
    lengths = [length for length in table["length"].cat.categories if (runs["length"] == length).any()]
    rows = []
    for arch, part in runs.groupby("arch", observed=True):
        row = {"architecture": label(arch)}
        for length in lengths:
            counts = _outcomes(part[part["length"] == length], "arch")
            row[f"T = {length:g}"] = share_of(counts["solved"].sum(), counts["n"].sum())
        rows.append(row)
    return [Tabular(render(pd.DataFrame(rows), names=1), "Runs that solved the task, inits and clipping pooled.")]


def _outcomes(table: pd.DataFrame, by: str) -> pd.DataFrame:
    """Runs, solved and diverged, for each level of an axis, from shares of rows."""
    here = table[table["n"] > 0]
    counts = pd.DataFrame({by: here[by], "n": here["n"]})
    for name in ("solved", "diverged"):
        counts[name] = (here[f"share_{name}"] * here["n"]).round().astype(int)
    return counts.groupby(by, observed=True).sum()


def _changed(clip: Any, rows: pd.DataFrame) -> str:
    """What one kind of clipping changed in the outcomes of pairs, and in which architectures."""
    name, pairs = label(clip), int(rows["pairs"].sum())
    gained, lost, caused, avoided = (
        _counted(rows, change) for change in ("solved_gained", "solved_lost", "diverged_caused", "diverged_avoided")
    )
    return (
        f"**{name[0].upper()}{name[1:]}**, {pairs} pairs: {gained[0]} solved the task only with it{gained[1]}, "
        f"{lost[0]} only without{lost[1]}; {caused[0]} diverged only with it{caused[1]}, {avoided[0]} only "
        f"without{avoided[1]}."
    )


def _counted(rows: pd.DataFrame, name: str) -> tuple[int, str]:
    """`13` and ` (ReLU RNN 9, LSTM 4)`, the latter empty where there is nothing to tell."""
    by_arch = rows.groupby("arch", observed=True)[name].sum()
    named = ", ".join(f"{label(arch)} {count}" for arch, count in by_arch[by_arch > 0].items())
    return int(by_arch.sum()), f" ({named})" if named else ""
