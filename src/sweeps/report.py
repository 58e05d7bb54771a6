"""From the records alone to tables, figures and a report that answers the sweep's question. No torch.

The same records give the same bytes: nothing here knows the time or the machine.
"""

from __future__ import annotations

from pathlib import Path

from sweeps.analysis import captions, curves, markdown, sections, tables
from sweeps.analysis.figures import FIGURES
from sweeps.analysis.load import Records, load
from sweeps.analysis.style import save
from sweeps.records.files import write_atomically
from sweeps.records.paths import SweepPaths

BOOTSTRAP_SEED = 0


def make_figures(sweep: SweepPaths) -> list[Path]:
    """Draw every figure as PDF and PNG under `report/figures/`; returns the files in the order of the report.

    Raises:
        SweepsError: there is no finished cell.
    """
    drawn = _draw(load(sweep.root), sweep.report / "figures")
    return [path for figure in drawn for path in (figure.pdf, figure.png)]


def make_report(sweep: SweepPaths, question: str | None = None) -> Path:
    """Write `report/report.md` with its tables (CSV, Markdown) and figures, and return its path.

    Args:
        question: Markdown to put at the top, usually the README of the experiment.

    Raises:
        SweepsError: there is no finished cell.
    """
    records = load(sweep.root)
    table = tables.comparison(records, seed=BOOTSTRAP_SEED)
    short = tables.summary(table, curves.reference_clip(records))
    clipped = tables.clipping(table)
    rules = markdown.counting_rules(table, records, BOOTSTRAP_SEED)
    texts = {
        "comparison": markdown.comparison_markdown(table, records.score_name) + "\n" + rules,
        "summary": markdown.summary_markdown(short),
        "clipping": markdown.clipping_markdown(clipped),
    }
    folder = sweep.report / "tables"
    for name, frame in (("comparison", table), ("summary", short), ("clipping", clipped)):
        write_atomically(folder / f"{name}.csv", frame.to_csv(index=False, lineterminator="\n"))
        write_atomically(folder / f"{name}.md", texts[name])
    problems = records.problems.sort_values(["problem", "cell"])
    write_atomically(folder / "problems.csv", problems.to_csv(index=False, lineterminator="\n"))

    drawn = _draw(records, sweep.report / "figures")
    told = {
        task: captions.captions(part, table if task is None else table[table["task"] == task])
        for task, part in _by_task(records)
    }
    parts = [
        question or f"# {sweep.root.name}",
        sections.answer(records, table, clipped),
        sections.what_ran(records),
        f"## Summary\n\n{sections.summary_caption(records)}\n\n{texts['summary']}",
        f"## What clipping changed\n\nInits, lengths and seeds pooled.\n\n{texts['clipping']}",
        sections.figures(drawn, told, sweep.report),
        f"## Whole comparison\n\nAll {len(table)} rows: [Markdown](tables/comparison.md), "
        f"[CSV](tables/comparison.csv). " + rules,
        sections.provenance(records),
    ]
    path = sweep.report / "report.md"
    write_atomically(path, "\n".join(part.rstrip("\n") + "\n" for part in parts))
    return path


def _by_task(records: Records) -> list[tuple[object, Records]]:
    """The records of each task, or all of them under None where there is one task."""
    if "task" not in records.extra_axes:
        return [(None, records)]
    present = set(records.cells["task"])
    tasks = [task for task in records.cells["task"].cat.categories if task in present]
    return [(task, records.select(task=task).drop_unused_levels()) for task in tasks]


def _draw(records: Records, folder: Path) -> list[sections.Drawn]:
    """Draw the catalogue, with a folder for each task if there are several.

    A figure that has nothing to show is left out, and an older one of its name is removed.
    """
    drawn = []
    for task, part in _by_task(records):
        for name, make in FIGURES.items():
            stem = folder / name if task is None else folder / str(task) / name
            figure = make(part)
            if figure is None:
                stem.with_suffix(".pdf").unlink(missing_ok=True)
                stem.with_suffix(".png").unlink(missing_ok=True)
                continue
            pdf, png = save(figure, stem)
            drawn.append(sections.Drawn(name, task, pdf, png))
    return drawn
