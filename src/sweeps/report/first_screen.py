"""The first screen of a report: what the study found in a few sentences, the figure that shows it, and what ran."""

from __future__ import annotations

from collections.abc import Sequence

from sweeps.analysis.labels import level_said, listed, said
from sweeps.analysis.loading.axes import lacks
from sweeps.analysis.loading.records import IN_GRID, Records
from sweeps.analysis.loading.time_steps import typed_length
from sweeps.analysis.text import number_of
from sweeps.report.answer import MATTERED, MEANS_LEARNING
from sweeps.report.baselines import in_short as baselines_in_short
from sweeps.report.document import Prose, anchor, with_task
from sweeps.report.gradient_and_learning import in_short as learning_in_short
from sweeps.report.mattered_in_short import in_short as mattered_in_short
from sweeps.report.part import Part
from sweeps.report.what_ran import headline

AT_A_GLANCE = "At a glance"
"""Title of the table below which the baselines stand."""
MOST_LEVELS = 4
"""Levels of an axis that are named; of more their number and range."""


def first_screen(parts: Sequence[Part]) -> list[Prose]:
    """Sentences on each task, each with a link to the part of the answer it is from; then what ran."""
    blocks = []
    for part in parts:
        mattered = [] if part.effects is None else [mattered_in_short(part.records, part.effects), part.also]
        sentences = [
            (" ".join(filter(None, mattered)), MATTERED),
            (learning_in_short(part.records), MEANS_LEARNING),
            (baselines_in_short(part.records), AT_A_GLANCE),
        ]
        texts = [f"{text} [{title}](#{anchor(with_task(title, part.task))})" for text, title in sentences if text]
        front = "" if part.task is None else f"On {part.task}: "
        blocks += [Prose(front + text if at == 0 else text) for at, text in enumerate(texts)]
        blocks.append(Prose(("" if part.task is None else f"{part.task}: ") + what_ran_in_short(part.records)))
    return blocks


def what_ran_in_short(records: Records) -> str:
    """`48 runs: 12 solved (10 at the end), 3 diverged, 33 neither. Varied: gain (0.5, 1, 2), 5 seeds. tanh RNN, ...`"""
    cells = records.cells
    varied = [f"{said(axis)} ({_levels(records, axis)})" for axis in records.varied]
    same = [_same(records, axis) for axis in ("arch", "init", "clip", "length") if cells[axis].nunique() == 1]
    texts = [f"{headline(records)[:-1]}", *_lost(records)]
    texts.append(f"Varied: {listed([*varied, number_of(cells['seed'].nunique(), 'seed')])}")
    if same:
        texts.append(f"The same in all: {', '.join(same)}")
    return ". ".join(texts) + ". [What was varied](#what-was-varied), [what ran](#what-ran)"


def _lost(records: Records) -> list[str]:
    """A sentence on the cells that were asked for and have no numbers; none if there are none."""
    kinds = records.problems.loc[records.problems["problem"].isin(IN_GRID), "problem"].value_counts().sort_index()
    if not len(kinds):
        return []
    asked = len(records.cells) + int(kinds.sum())
    return [f"Of {asked} cells that were asked for {listed([f'{count} {kind}' for kind, count in kinds.items()])}"]


def _levels(records: Records, axis: str) -> str:
    there = set(records.cells.loc[~lacks(axis, records.cells), axis])
    levels = [level for level in records.cells[axis].cat.categories if level in there]
    if len(levels) <= MOST_LEVELS:
        typed = typed_length(records.cells) if axis == "length" else ""
        return ", ".join(level_said(axis, level) for level in levels) + (typed and f"; {typed}")
    if any(isinstance(level, str) for level in levels):
        return f"{len(levels)} of them"
    return f"{len(levels)} from {level_said(axis, levels[0])} to {level_said(axis, levels[-1])}"


def _same(records: Records, axis: str) -> str:
    level = records.cells[axis].iloc[0]
    if axis == "length":
        typed = typed_length(records.cells)
        return f"T = {level:g}{typed and f' ({typed})'}"
    return f"{level_said(axis, level)} init" if axis == "init" else level_said(axis, level)
