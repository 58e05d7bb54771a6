"""The section 'Runs': every run with what it varied in, how it ended and a link to its own page."""

from __future__ import annotations

import shlex
from collections.abc import Collection
from pathlib import Path

import pandas as pd

from sweeps.analysis.loading.records import Records
from sweeps.analysis.text import axis_columns, number, number_of, render
from sweeps.records.files import write_atomically
from sweeps.report.document import FOLDED_ABOVE, LINKED_ABOVE, Attached, Block, Prose, Section, Tabular, relative
from sweeps.report.reproduce import where


def runs(records: Records, pages: Collection[Path], path: Path, folder: Path) -> Section:
    """The section, and its table as CSV in `path`.

    Args:
        pages: from `write_run_pages`, one per run; empty where there are none.
        folder: of the report, from which links start.
    """
    varied = told_apart_by(records)
    rows = records.cells[["cell", *varied, "seed", "outcome", "best_score", "solved_step"]]
    write_atomically(path, rows.to_csv(index=False, lineterminator="\n"))
    shown = pd.concat([linked(rows["cell"], pages, folder), axis_columns(rows, varied)], axis=1)
    shown["outcome"] = rows["outcome"]
    shown["seed"] = [number(seed, 6) for seed in rows["seed"]]
    shown[f"best {records.score_name}"] = rows["best_score"].map(number)
    shown["solved at update"] = [number(step, 9) for step in rows["solved_step"]]
    count, text = len(rows), render(shown, names=2 + len(varied))
    if pages:
        caption = "Every run; its page has its curves, its gradient through time over training, its settings and "
        caption += "the command line that makes it again."
    else:
        caption = "Every run."
    blocks: list[Block] = [] if pages else [Prose(_by_hand(records, count))]
    if count <= FOLDED_ABOVE:
        return Section("Runs", [*blocks, Tabular(text, caption)])
    text = text if pages or count <= LINKED_ABOVE else ""
    return Section("Runs", [*blocks, Attached(f"{caption.rstrip('.')} ({number_of(count, 'run')})", text, [path])])


def told_apart_by(records: Records) -> list[str]:
    """The axes that tell the runs apart; having no such setting is a level."""
    return [axis for axis in records.axes if records.cells[axis].nunique(dropna=False) > 1]


def linked(cells: pd.Series, pages: Collection[Path], folder: Path) -> pd.DataFrame:
    """The column of a table that names runs, each a link to its page where it has one.

    Args:
        pages, folder: as for `runs`.
    """
    links = {page.stem: relative(page, folder) for page in pages}
    named = [f"[`{cell}`]({links[cell]})" if cell in links else f"`{cell}`" for cell in cells]
    return pd.DataFrame({"cell": named}, index=cells.index)


def _by_hand(records: Records, count: int) -> str:
    place = shlex.join(where(records))
    show = f"python -m sweeps show cell=ID page=run.html {place}".rstrip()
    report = f"python -m sweeps report experiment={records.experiment} pages=true {place}".rstrip()
    return (
        f"This report of {number_of(count, 'run')} has no pages of the single ones. `{show}` makes one, `{report}` all "
        "of them."
    )
