"""From the records alone to tables, figures and a report that answers the sweep's question. No torch.

The same records give the same bytes: nothing here knows the time or the machine.
"""

from __future__ import annotations

from pathlib import Path

from sweeps.analysis.loading.load import load
from sweeps.analysis.loading.records import Records
from sweeps.analysis.provenance import write_provenance
from sweeps.figures.draw import draw
from sweeps.records.files import write_atomically
from sweeps.records.paths import ReportPaths, SweepPaths
from sweeps.report.answer import answer, standing
from sweeps.report.captions import captions
from sweeps.report.document import Document, Prose, Section, readme, to_markdown
from sweeps.report.figures import figures
from sweeps.report.html import to_html
from sweeps.report.reproduce import changed_settings, reproduce
from sweeps.report.sources import sources
from sweeps.report.tables import tables
from sweeps.report.what_diverged import diverged, what_diverged
from sweeps.report.what_ran import headline, what_ran
from sweeps.report.what_varied import what_varied
from sweeps.tables.comparison import comparison

SEED = 0


def asked_for(root: Path, *, cache: bool = True) -> Records:
    """The records that a report is of: what the last sweep asked for, or all where no sweep left a plan.

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
    drawn = draw(asked_for(sweep.root), sweep.report.figures)
    return [path for figure in drawn for path in (figure.pdf, figure.svg, figure.png)]


def make_report(
    sweep: SweepPaths,
    question: str | None = None,
    *,
    claims: str | None = None,
    into: Path | None = None,
    records: Records | None = None,
) -> ReportPaths:
    """Write `report/report.html`, which needs no other file, `report.md`, tables and figures; returns where they lie.

    Args:
        question: Markdown to put at the top, usually the README of the experiment; its first heading is the title.
        claims: Markdown of what the literature claims and whether these records bear it out; no section without.
        into: folder to write to in place of the sweep's own `report/`.
        records: what `asked_for` gives, if it was called already.

    Raises:
        SweepsError: there is no finished cell.
    """
    paths = ReportPaths(into) if into else sweep.report
    records = records or asked_for(sweep.root)
    document = _document(records, paths, question, claims)
    write_provenance(records, paths)
    write_atomically(paths.markdown, to_markdown(document, paths.root))
    write_atomically(paths.html, to_html(document, paths.root))
    return paths


def _document(records: Records, paths: ReportPaths, question: str | None, claims: str | None) -> Document:
    """The report as a document; its tables and figures are written on the way."""
    whole = comparison(records, seed=SEED)
    problems = records.problems.sort_values(["problem", "cell"])
    for path, frame in ((paths.problems, problems), (paths.diverged, diverged(records))):
        write_atomically(path, frame.to_csv(index=False, lineterminator="\n"))
    parts = [(task, part, whole if task is None else whole[whole["task"] == task]) for task, part in records.by_task()]
    captioned = {task: captions(part, rows) for task, part, rows in parts}
    drawn = draw(records, paths.figures)
    (title, asked), changed = readme(question or ""), changed_settings(records.root)
    return Document(
        title or records.root.name,
        headline(records),
        [
            *([Section("The question", [Prose("\n\n".join(filter(None, (changed, asked))))])] if asked else []),
            Section("The answer in numbers", [Prose(standing(records))]),
            *(section for task, part, rows in parts for section in answer(part, rows, task)),
            what_varied(records),
            what_ran(records),
            what_diverged(records, paths.diverged),
            *tables(records, whole, paths.tables, seed=SEED),
            *figures(drawn, captioned),
            *([Section("Claims", [Prose(claims)])] if claims else []),
            sources(records),
            reproduce(records),
        ],
    )
