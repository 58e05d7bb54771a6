"""The part 'At a glance' of the tables: what became of the runs, by the axes that varied."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics.measures import MEASURES, crossings
from sweeps.analysis.statistics.summaries import SHORTEST
from sweeps.records.files import write_atomically
from sweeps.report.baselines import told
from sweeps.report.document import Block, Tabular, table_or_fold
from sweeps.tables import notes
from sweeps.tables.at_a_glance import gradient_head, gradient_markdown, outcomes_markdown, overview, whole
from sweeps.tables.layout import layout, what_is_constant, what_is_pooled


def at_a_glance(records: Records, stem: Path) -> list[Block]:
    """Write the overview beside `stem` as CSV and Markdown; returns its tables, without intervals.

    Where the columns are not lengths, a second table has what a step back leaves of the gradient.

    Args:
        records: of one task.
    """
    table = layout(records)
    frame = overview(records, table)
    text = outcomes_markdown(frame, table, records.score_name)
    files = [stem.with_name(f"{stem.name}.{kind}") for kind in ("csv", "md")]
    where = "; ".join(filter(None, (what_is_constant(records), what_is_pooled(table.pooled))))
    apart = table.column not in (None, "length")
    caption = f"Runs that solved the task, of all runs, whatever followed; best: the median {_best(records)}"
    caption += "; the factor per step is that of the longest T that has one" if table.column == "length" else ""
    caption = f"{caption}{f' ({where})' if where else ''}."
    factor = " ".join(filter(None, (_factor(frame), notes.of_the_layer(records))))
    below = [] if apart else [factor]
    if stopped := crossings(records, MEASURES["best_score"]):
        below.append(notes.crossed(stopped, len(records.cells)))
    below += filter(None, [told(records)])
    blocks = [table_or_fold("\n".join([text, " ".join(below)]), caption, len(text.splitlines()) - 2, files)]
    if apart:
        gradient = gradient_markdown(frame, table)
        what = gradient_head(frame).partition(":")[0]
        title = f"The gradient through time: {what} at initialisation → in training, medians over runs."
        blocks.append(Tabular(f"{gradient}\n{factor}", title))
        text = f"{text}\n{gradient}"
    write_atomically(files[0], frame.to_csv(index=False, lineterminator="\n"))
    write_atomically(files[1], text)
    return blocks


def _factor(frame: pd.DataFrame) -> str:
    """What the factor per step is; end to end where every sequence is short."""
    if not whole(frame):
        return notes.THE_FACTOR
    return (
        "The end-to-end factor per step is ‖∂L/∂h_t‖ at the first time step over that at the last, to the power of "
        f"1/(T - 1); sequences of under {SHORTEST} steps have none that is free of transients at their ends."
    )


def _best(records: Records) -> str:
    return f"over runs of the best {records.score_name} each reached"
