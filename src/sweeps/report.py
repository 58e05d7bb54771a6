"""From the records alone to tables, figures and a report that answers the sweep's question. No torch.

The same records give the same bytes: nothing here knows the time or the machine.
"""

from __future__ import annotations

from pathlib import Path

from sweeps.analysis.document import captions, command, evidence, sections
from sweeps.analysis.document.answer import answer, standing
from sweeps.analysis.document.blocks import Document, Prose, Section, readme, to_markdown
from sweeps.analysis.document.html import to_html
from sweeps.analysis.document.plan import plan
from sweeps.analysis.figures.draw import by_task, draw
from sweeps.analysis.figures.origin import write_origin
from sweeps.analysis.loading.load import Records, load
from sweeps.analysis.tables.comparison import comparison
from sweeps.records.files import write_atomically
from sweeps.records.paths import SweepPaths

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
    drawn = draw(asked_for(sweep.root), sweep.report / "figures")
    return [path for figure in drawn for path in (figure.pdf, figure.svg, figure.png)]


def make_report(
    sweep: SweepPaths,
    question: str | None = None,
    *,
    claims: str | None = None,
    into: Path | None = None,
    records: Records | None = None,
) -> Path:
    """Write `report/report.html`, which needs no other file, `report.md`, tables and figures; returns the first.

    Args:
        question: Markdown to put at the top, usually the README of the experiment; its first heading is the title.
        claims: Markdown of what the literature claims and whether these records bear it out; no section without.
        into: folder to write to in place of the sweep's own `report/`.
        records: what `asked_for` gives, if it was called already.

    Raises:
        SweepsError: there is no finished cell.
    """
    folder = into or sweep.report
    records = records or asked_for(sweep.root)
    document = _document(records, folder, question, claims)
    write_origin(records, folder)
    write_atomically(folder / "report.md", to_markdown(document, folder))
    write_atomically(folder / "report.html", to_html(document, folder))
    return folder / "report.html"


def _document(records: Records, folder: Path, question: str | None, claims: str | None) -> Document:
    """The report as a document; its tables and figures are written under `folder` on the way."""
    whole = comparison(records, seed=SEED)
    problems = records.problems.sort_values(["problem", "cell"])
    for name, frame in (("problems", problems), ("diverged", sections.diverged(records))):
        write_atomically(folder / "tables" / f"{name}.csv", frame.to_csv(index=False, lineterminator="\n"))
    parts = [(task, part, whole if task is None else whole[whole["task"] == task]) for task, part in by_task(records)]
    told = {task: captions.captions(part, rows) for task, part, rows in parts}
    drawn = draw(records, folder / "figures")
    (title, asked), bent = readme(question or ""), command.bent(records.root)
    return Document(
        title or records.root.name,
        sections.headline(records),
        [
            *([Section("The question", [Prose("\n\n".join(filter(None, (bent, asked))))])] if asked else []),
            Section("The answer in numbers", [Prose(standing(records))]),
            *(section for task, part, rows in parts for section in answer(part, rows, task)),
            plan(records),
            sections.what_ran(records),
            sections.what_diverged(records, folder / "tables"),
            *evidence.tables(records, whole, folder / "tables", seed=SEED),
            *sections.figures(drawn, told),
            *([Section("Claims", [Prose(claims)])] if claims else []),
            sections.provenance(records),
            command.reproduce(records),
        ],
    )
