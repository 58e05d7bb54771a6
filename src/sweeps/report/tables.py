"""The section 'Tables': write every table to its files, and put it into the report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from sweeps.analysis.labels import label
from sweeps.analysis.loading.records import Records
from sweeps.analysis.provenance import provenance
from sweeps.analysis.statistics.measures import MEASURES, crossings, measure_named
from sweeps.analysis.text import number_of
from sweeps.config.analysis import NOTHING, Analysis
from sweeps.records.files import write_atomically
from sweeps.report.document import LINKED_ABOVE, Attached, Section, table_or_fold
from sweeps.report.study import measure_of
from sweeps.tables import notes
from sweeps.tables.clipping_audit import REFERENCE, clipping_audit
from sweeps.tables.combinations import overview
from sweeps.tables.compare import compare
from sweeps.tables.latex import to_latex
from sweeps.tables.listing import comparison_markdown, counting_rules, overview_markdown
from sweeps.tables.ranking import rank
from sweeps.tables.steps_to_solve import steps_to_solve
from sweeps.tables.table import Table, to_markdown

TIME = "solved_step"


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
    parts = [Section("Tables", []), _overview(records, table, folder)]
    for task, part in records.by_task():
        for title, comparison in paired(part, seed, analysis):
            stem = folder / (comparison.name if task is None else f"{task}_{comparison.name}")
            write_atomically(stem.with_suffix(".csv"), comparison.to_csv())
            write_atomically(stem.with_suffix(".md"), to_markdown(comparison, comment=comment))
            write_atomically(stem.with_suffix(".tex"), to_latex(comparison, comment=comment))
            caption, _, more = comparison.caption.partition(". ")
            body, _, notes = to_markdown(comparison, caption="").strip("\n").rpartition("\n\n")
            text = f"{body}\n\n{' '.join(filter(None, (more, notes)))}"
            files = [stem.with_suffix(kind) for kind in (".csv", ".md", ".tex")]
            block = table_or_fold(text, f"{caption.rstrip('.')}.", len(comparison.rows), files)
            parts.append(Section(title if task is None else f"{title} ({task})", [block], level=3))
    return [*parts, _every_combination(records, table, folder, seed)]


def paired(records: Records, seed: int, analysis: Analysis = NOTHING) -> Iterator[tuple[str, Table]]:
    """Title and table of every paired comparison that the records allow; missing cells are counted in the notes.

    Where runs ended as soon as they were solved, their scores cannot be ranked; the updates until solved are.

    Args:
        records: of one task.
        analysis: what the study chose: a comparison of each of its measures, rankings by the first.
    """
    chosen, _ = measure_of(records, analysis)
    allow: dict[str, Any] = {"incomplete": "allow", "seed": seed}
    length, stopped = records.longest, crossings(records, MEASURES["best_score"])
    if records.cells["best_score"].notna().any():
        score = f"best {records.score_name}"
        axes = varied(records, ("arch", "init", "length"))
        for metric in analysis.metrics or ("best_score",):
            what = measure_named(metric).label.format(score=records.score_name)
            comparison = compare(records, axes, metric, **allow)
            first = metric == (analysis.metrics or (metric,))[0]
            yield f"Comparison of the {what}", comparison if first else replace(comparison, name=f"compare_{metric}")
        at = {"length": length}
        by = varied(records, ("arch", "init"))
        if chosen is not None:
            what = chosen.label.format(score=records.score_name)
            yield f"Ranking by the {what} at T = {length:g}", rank(records, by, chosen.name, select=at, **allow)
        elif stopped:
            yield f"Ranking by the updates until solved at T = {length:g}", rank(records, by, TIME, select=at, **allow)
        else:
            yield f"Ranking by the {score} at T = {length:g}", rank(records, by, select=at, **allow)
        yield "Updates until solved", steps_to_solve(records, axes, **allow)
        present = set(records.cells["clip"])
        if REFERENCE in present and len(present) > 1:
            metric = chosen.name if chosen is not None else TIME if stopped else "best_score"
            yield "What clipping did", clipping_audit(records, ("arch", "clip", "length"), metric, **allow)


def varied(records: Records, axes: Sequence[str]) -> tuple[str, ...]:
    """Those of the axes that have several levels, then further axes of the sweep, in all as many as `axes` at most."""
    several = [axis for axis in axes if records.cells[axis].nunique() > 1]
    further = [axis for axis in records.extra_axes if axis != "task"]
    return tuple([*several, *further][: len(axes)]) or (axes[0],)


def _overview(records: Records, table: pd.DataFrame, folder: Path) -> Section:
    """The part 'At a glance': shares solved and decay of the gradient, without intervals."""
    clip = records.reference_clip
    short = overview(table, clip)
    text = overview_markdown(short)
    write_atomically(folder / "summary.csv", short.to_csv(index=False, lineterminator="\n"))
    write_atomically(folder / "summary.md", text)
    caption = (
        f"{label(clip).capitalize()}. At each length T: the share of runs solved, whatever followed, in brackets the "
        f"median best {records.score_name}, and the share diverged if there is one. On the right, at the longest "
        f"length, what one step back in time leaves of the gradient. {notes.HOW_IT_TRAVELS}"
    )
    if stopped := crossings(records, MEASURES["best_score"]):
        caption += f" {notes.crossed(stopped, len(records.cells))}"
    files = [folder / "summary.csv", folder / "summary.md"]
    return Section("At a glance", [table_or_fold(text, caption, len(short), files)], level=3)


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
