"""The section 'Tables': write every table to its files, and put it into the report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from sweeps.analysis.loading.records import Records
from sweeps.analysis.provenance import provenance
from sweeps.analysis.statistics.measures import MEASURES, crossings, measure_named
from sweeps.analysis.text import number_of
from sweeps.config.analysis import NOTHING, Analysis
from sweeps.records.files import write_atomically
from sweeps.report.at_a_glance import at_a_glance
from sweeps.report.document import LINKED_ABOVE, Attached, Block, Prose, Section, table_or_fold
from sweeps.report.study import measure_of
from sweeps.tables.clipping_audit import REFERENCE, clipping_audit
from sweeps.tables.compare import compare
from sweeps.tables.latex import to_latex
from sweeps.tables.layout import layout
from sweeps.tables.listing import comparison_markdown, counting_rules
from sweeps.tables.ranking import rank, ties
from sweeps.tables.steps_to_solve import steps_to_solve, unsolved
from sweeps.tables.table import Table, to_markdown

TIME = "solved_step"
MOST = 3
"""Axes of a paired table; more are pooled."""


def tables(
    records: Records, table: pd.DataFrame, folder: Path, *, seed: int, analysis: Analysis = NOTHING
) -> list[Section]:
    """Write every table under `folder` as CSV and Markdown, the paired ones also as LaTeX; returns their sections.

    Args:
        table: every combination of levels, from `tables.comparison`.
        seed: of the random draws behind intervals and tests.
        analysis: what the study chose; its measures are those of the tables.
    """
    comment = "\n".join(f"{name}: {text}" for name, text in provenance(records).lines().items())
    parts = [Section("Tables", [])]
    for task, part in records.by_task():
        suffix, front = ("", "") if task is None else (f" ({task})", f"{task}_")
        parts.append(Section(f"At a glance{suffix}", at_a_glance(part, folder / f"{front}summary"), level=3))
        made = list(paired(part, seed, analysis))
        common = _in_all([comparison for _, comparison in made])
        if common:
            text = f"Said once, of all the comparisons that follow: {' '.join(common)}"
            parts.append(Section(f"How runs are compared{suffix}", [Prose(text)], level=3))
        for title, comparison in made:
            files = _written(comparison, folder / f"{front}{comparison.name}", comment)
            parts.append(Section(title + suffix, _shown(comparison, common, files), level=3))
    return [*parts, _every_combination(records, table, folder, seed)]


def paired(records: Records, seed: int, analysis: Analysis = NOTHING) -> Iterator[tuple[str, Table]]:
    """Title and table of every paired comparison that the records allow; missing cells are counted in the notes.

    Their axes are those that varied, by their share of the variation (`tables.layout`); the others are pooled. Where
    runs ended as soon as they were solved, their scores cannot be ranked; the updates until solved are.

    Args:
        records: of one task.
        analysis: what the study chose: a comparison of each of its measures, rankings by the first.
    """
    if not records.varied:
        return
    chosen, _ = measure_of(records, analysis)
    scored, stopped = records.cells["best_score"].notna().any(), crossings(records, MEASURES["best_score"])
    metrics = analysis.metrics or (("best_score",) if scored else ())
    allow: dict[str, Any] = {"incomplete": "allow", "seed": seed}
    axes = layout(records, MOST).axes
    for metric in metrics:
        what = measure_named(metric).label.format(score=records.score_name)
        comparison = compare(records, axes, metric, **allow)
        yield (
            f"Comparison of the {what}",
            comparison if metric == metrics[0] else replace(comparison, name=f"compare_{metric}"),
        )
    by_default = TIME if stopped else "best_score" if scored else None
    ranked = chosen.name if chosen is not None else by_default
    if ranked is None:
        return
    several = "length" in records.varied
    by = layout(records, MOST, without=("length",), columns=False).rows
    if by:
        at = {"length": records.longest} if several else None
        where = f" at T = {records.longest:g}" if several else ""
        what = measure_named(ranked).label.format(score=records.score_name)
        yield f"Ranking by the {what}{where}", rank(records, by, ranked, select=at, **allow)
    if scored:
        yield "Updates until solved", steps_to_solve(records, layout(records, MOST, columns=False).rows, **allow)
    present = set(records.cells["clip"])
    if REFERENCE in present and len(present) > 1:
        others = layout(records, MOST - 1, without=("clip",), columns=False).rows
        of_clipping = [axis for axis in records.axes if axis == "clip" or axis in others]
        yield "What clipping did", clipping_audit(records, of_clipping, ranked, **allow)


def _in_all(made: list[Table]) -> list[str]:
    """The notes that all of several tables have."""
    return [note for note in made[0].notes if all(note in other.notes for other in made)] if len(made) > 1 else []


def _written(table: Table, stem: Path, comment: str) -> list[Path]:
    """Write a table as CSV, Markdown and LaTeX."""
    files = [stem.with_name(f"{stem.name}.{kind}") for kind in ("csv", "md", "tex")]
    texts = (table.to_csv(), to_markdown(table, comment=comment), to_latex(table, comment=comment))
    for path, text in zip(files, texts, strict=True):
        write_atomically(path, text)
    return files


def _shown(table: Table, common: Sequence[str], files: list[Path]) -> list[Block]:
    """A table with the notes that are its own; a sentence in its place where all of its rows say the same."""
    sentence = ties(table) if table.name == "rank" else unsolved(table) if table.name == "steps_to_solve" else None
    if sentence is not None:
        return [Prose(sentence), Attached(table.caption.rstrip("."), "", files)]
    own = " ".join(note for note in table.notes if note not in common)
    text = f"{to_markdown(replace(table, notes=()), caption='').strip()}\n\n{own}"
    return [table_or_fold(text, table.caption, len(table.rows), files)]


def _every_combination(records: Records, table: pd.DataFrame, folder: Path, seed: int) -> Section:
    """The part 'Every combination': a folded table with a row for each."""
    text = comparison_markdown(table, records.score_name)
    full = text + "\n" + counting_rules(table, records, seed)
    write_atomically(folder / "comparison.csv", table.to_csv(index=False, lineterminator="\n"))
    write_atomically(folder / "comparison.md", full)
    files = [folder / "comparison.csv", folder / "comparison.md"]
    shown = full if len(table) <= LINKED_ABOVE else ""
    summary = f"Every combination with its intervals ({number_of(len(table), 'row')})"
    return Section("Every combination", [Attached(summary, shown, files)], level=3)
