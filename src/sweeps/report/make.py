"""Make the tables, the figures and the report of a sweep from its records alone, without torch.

The same records give the same bytes: nothing depends on the time or on the machine.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from sweeps.analysis.loading.load import load
from sweeps.analysis.loading.records import Records
from sweeps.analysis.provenance import write_provenance
from sweeps.analysis.tuning import what_was_chosen
from sweeps.config.analysis import NOTHING, Analysis
from sweeps.figures.catalogue import by_default
from sweeps.figures.charts import ON_FIRST_SCREEN
from sweeps.figures.draw import draw
from sweeps.records.files import write_atomically
from sweeps.records.paths import ReportPaths, SweepPaths
from sweeps.report.answer import answer, scope
from sweeps.report.as_it_is import texts_of
from sweeps.report.captions import captions
from sweeps.report.document import Document, Prose, Section, readme, to_markdown
from sweeps.report.figures import figures, picture
from sweeps.report.first_screen import first_screen
from sweeps.report.further_captions import further_captions
from sweeps.report.html import to_html
from sweeps.report.in_words import in_words
from sweeps.report.part import part_of
from sweeps.report.replace import in_place_of
from sweeps.report.reproduce import changed_settings, reproduce, where
from sweeps.report.run_pages import MOST, write_run_pages
from sweeps.report.runs import runs
from sweeps.report.sources import sources
from sweeps.report.tables import tables
from sweeps.report.tuned import tuned_records, tuned_section
from sweeps.report.what_diverged import diverged, what_diverged
from sweeps.report.what_ran import what_ran
from sweeps.report.what_varied import what_varied
from sweeps.tables.combinations import comparison

SEED = 0
"""Of the random draws behind the intervals and tests of the tables."""


def records_to_report(root: Path | Sequence[Path], *, cache: bool = True) -> Records:
    """The records that a report is made from: the cells of the last sweep, or all cells if no sweep left a plan.

    Args:
        root, cache: as for `load`.

    Raises:
        SweepsError: there is no finished cell.
    """
    records = load(root, cache=cache)
    return (records if records.plan is None else records.in_plan()).with_one_init()


def make_figures(sweep: SweepPaths, records: Records | None = None, analysis: Analysis = NOTHING) -> list[Path]:
    """Draw every figure, or those that the study chose, as PDF, SVG and PNG under `report/figures/`.

    Returns:
        The files in the order of the report.

    Args:
        records: from `records_to_report`, if they are loaded already.

    Raises:
        SweepsError: there is no finished cell.
    """
    records = records or records_to_report(sweep.root)
    names = analysis.figures or by_default(records)
    drawn = draw(records, sweep.report.figures, names, preferred=analysis.axes, metric=analysis.metric)
    return [path for figure in drawn for path in (figure.pdf, figure.svg, figure.png)]


def make_report(
    sweep: SweepPaths,
    question: str | None = None,
    *,
    claims: str | None = None,
    into: Path | None = None,
    records: Records | None = None,
    pages: bool | None = None,
    analysis: Analysis = NOTHING,
) -> ReportPaths:
    """Write `report/report.html`, which needs no other file, `report.md`, tables, figures and a page for every run.

    They replace those of an older report when all are made; if that fails, the older one is as it was.

    Args:
        question: Markdown to put at the top, usually the README of the experiment; its first heading is the title.
        claims: Markdown on what the literature claims and whether these records support it; None for no such section.
        into: folder to write to instead of the sweep's `report/`.
        records: from `records_to_report`, if they are loaded already.
        pages: whether to write the pages of the runs; None does up to `run_pages.MOST` of them.
        analysis: what the study chose, from `study.analysis_of`.

    Raises:
        SweepsError: there is no finished cell.
    """
    paths = ReportPaths(into) if into else sweep.report
    records = records or records_to_report(sweep.root)
    wanted = len(records.cells) <= MOST if pages is None else pages
    with in_place_of(paths) as new:
        written = write_run_pages(records, new.runs) if wanted else []
        document = _document(records, new, question, claims, written, analysis)
        write_atomically(new.markdown, to_markdown(document, new.root))
        write_atomically(new.html, to_html(document, new.root))
        write_provenance(records, new)
    return paths


def _document(
    records: Records,
    paths: ReportPaths,
    question: str | None,
    claims: str | None,
    pages: Sequence[Path],
    analysis: Analysis,
) -> Document:
    """Write the tables and figures, and return the report as a document that refers to them."""
    tuned, why_not = tuned_records(records, analysis)
    studied = tuned.records if tuned else records
    table = comparison(studied, seed=SEED)
    problems = records.problems.sort_values(["problem", "cell"])
    for path, frame in ((paths.problems, problems), (paths.diverged, diverged(records))):
        write_atomically(path, frame.to_csv(index=False, lineterminator="\n"))
    parts = [part_of(task, part, table, analysis) for task, part in studied.by_task()]
    metric = analysis.metric if all(part.note == "" for part in parts) else None
    names = dict.fromkeys((ON_FIRST_SCREEN, *(analysis.figures or by_default(studied))))
    drawn = draw(studied, paths.figures, names, preferred=analysis.axes, metric=metric, narrow=True)
    shown = {part.task: [each.name for each in drawn if each.task == part.task] for part in parts}
    captioned = {
        part.task: captions(part.records, analysis.axes, metric, shown[part.task])
        | further_captions(part.records, shown[part.task], analysis.axes)
        for part in parts
    }
    (title, text), changed = readme(question or ""), changed_settings(records.root)
    asked = "\n\n".join(filter(None, (analysis.question, changed if text else None, text)))
    pictures = [picture(each, captioned[each.task]) for each in drawn if each.name == ON_FIRST_SCREEN]
    return Document(
        title or records.root.name,
        [*first_screen(parts), *([Prose(what_was_chosen(tuned))] if tuned else []), *pictures],
        [
            *([Section("The question", [Prose(asked)])] if asked else []),
            what_varied(records, analysis),
            *tuned_section(tuned, why_not, paths.figures),
            Section("The answer in numbers", [Prose(scope(studied))]),
            *(section for each in parts for section in answer(each)),
            *figures(studied, drawn, captioned, analysis.figures),
            *tables(studied, table, paths.tables, seed=SEED, analysis=analysis),
            what_ran(records),
            what_diverged(records, paths.diverged, pages, paths.root),
            runs(records, pages, paths.tables / "runs.csv", paths.root),
            *([Section("Claims", [Prose(claims)])] if claims else []),
            sources(records),
            reproduce(records),
        ],
        in_words(records),
        texts_of(records),
        shlex.join(where(records)),
    )
