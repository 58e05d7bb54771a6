"""The section 'How settings were tuned': what was chosen, of how many tries, and what the best of k tries gives."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from sweeps.analysis.labels import head
from sweeps.analysis.loading.records import Records
from sweeps.analysis.provenance import provenance
from sweeps.analysis.text import axis_columns, render
from sweeps.analysis.tuning import CHOOSES, Tuned, level_of, tune, what_was_chosen
from sweeps.config.analysis import Analysis
from sweeps.errors import SweepsError
from sweeps.figures.best_of_tries import best_of_tries
from sweeps.figures.panels import PHONE, drawn_for
from sweeps.figures.style import write_figure
from sweeps.report.document import Block, Picture, Prose, Section, Tabular

TITLE, NAME = "How settings were tuned", "best_of_tries"


def tuned_records(records: Records, analysis: Analysis) -> tuple[Tuned | None, str]:
    """The records tuned as the study asks; None where it does not, or where it cannot be, with the reason."""
    axes = [axis for axis in analysis.tuned if axis in records.varied]
    if not axes:
        return None, ""
    scored = bool(records.cells["best_score"].notna().any())
    metric = analysis.metric or ("best_score" if scored else "best_loss")
    try:
        return tune(records, axes, CHOOSES.get(metric, metric)), ""
    except SweepsError as error:
        return None, f"Not tuned: {str(error).removeprefix('tuned: ')}."


def tuned_section(found: Tuned | None, why_not: str, folder: Path) -> list[Section]:
    """The section; none where nothing was to be tuned. Draws the figures into `folder`."""
    if found is None:
        return [Section(TITLE, [Prose(why_not)])] if why_not else []
    blocks: list[Block] = [Prose(what_was_chosen(found))]
    for task, part in found.records.by_task():
        own = found if task is None else _of_task(found, task, part)
        blocks += [_table(own, task), _picture(own, folder if task is None else folder / str(task), task)]
    return [Section(TITLE, blocks)]


def _of_task(tuned: Tuned, task: Any, part: Records) -> Tuned:
    chosen, curve = (frame[frame["task"] == task] for frame in (tuned.chosen, tuned.curve))
    return replace(tuned, records=part, chosen=chosen, curve=curve)


def _table(tuned: Tuned, task: Any) -> Tabular:
    chosen = tuned.chosen
    sides = list(tuned.others) or ["arch"]
    names = axis_columns(chosen, sides)
    what = ", ".join(head(axis) for axis in tuned.axes)
    texts = pd.Series([level_of(tuned, row) for _, row in chosen.iterrows()], index=chosen.index)
    keys = [chosen[axis].astype(str) for axis in sides]
    rows = names.assign(**{f"chosen {what}": texts, "tries": chosen["tries"].astype(str)})
    merged = rows.groupby(keys, sort=False).agg(
        {name: ", ".join if name == f"chosen {what}" else "first" for name in rows}
    )
    caption = f"What each half of the seeds chose for the other half, by the {_what(tuned)}."
    caption = caption if task is None else f"Task {task}. {caption}"
    return Tabular(render(merged.reset_index(drop=True), names=len(sides)), caption)


def _picture(tuned: Tuned, folder: Path, task: Any) -> Picture:
    stem, about = folder / NAME, provenance(tuned.records, f"figure {NAME}")
    write_figure(best_of_tries(tuned), stem, about)
    with drawn_for(PHONE):
        narrow = stem.with_name(f"{NAME}_narrow")
        write_figure(best_of_tries(tuned), narrow, about, ("png",))
    caption = (
        f"What is expected of the {_what(tuned)} if k levels of the tuned settings are drawn at random and the best of "
        "them is chosen (Dodge et al. 2019), each half of the seeds choosing for the other half; a gap: a run of the "
        "worst rank may be chosen."
    )
    title = "The best of k tries" if task is None else f"The best of k tries: {task}"
    png, pdf = (stem.with_name(f"{NAME}.{kind}") for kind in ("png", "pdf"))
    return Picture(title, png, pdf, caption if task is None else f"Task {task}. {caption}", narrow.with_suffix(".png"))


def _what(tuned: Tuned) -> str:
    return tuned.measure.label.format(score=tuned.records.score_name)
