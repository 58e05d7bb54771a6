"""Make the tables, the figures and the report of a sweep from its records alone, without torch.

The same records give the same bytes: nothing depends on the time or on the machine.
"""

from __future__ import annotations

from pathlib import Path

from sweeps.analysis.loading.load import load
from sweeps.analysis.loading.records import Records
from sweeps.analysis.provenance import write_provenance
from sweeps.figures.draw import draw
from sweeps.records.files import write_atomically
from sweeps.records.paths import ReportPaths, SweepPaths
from sweeps.report.answer import answer, scope
from sweeps.report.captions import captions
from sweeps.report.document import Document, Prose, Section, readme, to_markdown
from sweeps.report.figures import figures
from sweeps.report.html import to_html
from sweeps.report.replace import in_place_of
from sweeps.report.reproduce import changed_settings, reproduce
from sweeps.report.sources import sources
from sweeps.report.tables import tables
from sweeps.report.what_diverged import diverged, what_diverged
from sweeps.report.what_ran import headline, what_ran
from sweeps.report.what_varied import what_varied
from sweeps.tables.combinations import comparison

SEED = 0
"""Of the random draws behind the intervals and tests of the tables."""


def records_to_report(root: Path, *, cache: bool = True) -> Records:
    """The records that a report is made from: the cells of the last sweep, or all cells if no sweep left a plan.

    Args:
        root, cache: as for `load`.

    Raises:
        SweepsError: there is no finished cell.
    """
    records = load(root, cache=cache)
    return records if records.plan is None else records.in_plan()


def make_figures(sweep: SweepPaths) -> list[Path]:
    """Draw every figure as PDF, SVG and PNG under `report/figures/`; returns the files in the order of the report.

    Raises:
        SweepsError: there is no finished cell.
    """
    drawn = draw(records_to_report(sweep.root), sweep.report.figures)
    return [path for figure in drawn for path in (figure.pdf, figure.svg, figure.png)]


def make_report(
    sweep: SweepPaths,
    question: str | None = None,
    *,
    claims: str | None = None,
    into: Path | None = None,
    records: Records | None = None,
) -> ReportPaths:
    """Write `report/report.html`, which needs no other file, `report.md`, tables and figures; returns their paths.

    They replace those of an older report when all are made; if that fails, the older one is as it was.

    Args:
        question: Markdown to put at the top, usually the README of the experiment; its first heading is the title.
        claims: Markdown on what the literature claims and whether these records support it; None for no such section.
        into: folder to write to instead of the sweep's `report/`.
        records: from `records_to_report`, if they are loaded already.

    Raises:
        SweepsError: there is no finished cell.
    """
    paths = ReportPaths(into) if into else sweep.report
    records = records or records_to_report(sweep.root)
    with in_place_of(paths) as new:
        document = _document(records, new, question, claims)
        write_atomically(new.markdown, to_markdown(document, new.root))
        write_atomically(new.html, to_html(document, new.root))
        write_provenance(records, new)
    return paths


def _document(records: Records, paths: ReportPaths, question: str | None, claims: str | None) -> Document:
    """Write the tables and figures, and return the report as a document that refers to them."""
    table = comparison(records, seed=SEED)
    problems = records.problems.sort_values(["problem", "cell"])
    for path, frame in ((paths.problems, problems), (paths.diverged, diverged(records))):
        write_atomically(path, frame.to_csv(index=False, lineterminator="\n"))
    parts = [(task, part, table if task is None else table[table["task"] == task]) for task, part in records.by_task()]
    captioned = {task: captions(part) for task, part, _ in parts}
    drawn = draw(records, paths.figures)
    (title, text), changed = readme(question or ""), changed_settings(records.root)
    return Document(
        title or records.root.name,
        headline(records),
        [
            *([Section("The question", [Prose("\n\n".join(filter(None, (changed, text))))])] if text else []),
            Section("The answer in numbers", [Prose(scope(records))]),
            *(section for task, part, rows in parts for section in answer(part, rows, task)),
            what_varied(records),
            what_ran(records),
            what_diverged(records, paths.diverged),
            *tables(records, table, paths.tables, seed=SEED),
            *figures(records, drawn, captioned),
            *([Section("Claims", [Prose(claims)])] if claims else []),
            sources(records),
            reproduce(records),
        ],
    )
