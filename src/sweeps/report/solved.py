"""The part 'Who solved the task?' of the answer."""

from __future__ import annotations

import pandas as pd

from sweeps.analysis.labels import label
from sweeps.analysis.loading.records import Records
from sweeps.analysis.text import number, percent, render, share_of
from sweeps.report.document import Block, Prose, Tabular
from sweeps.report.outcome_counts import outcome_counts


def solved(records: Records, table: pd.DataFrame) -> list[Block]:
    """The share of runs that solved the task, and a table of it by architecture and length."""
    runs = table[table["n"] > 0]
    lengths = [length for length in table["length"].cat.categories if (runs["length"] == length).any()]
    rows = []
    for arch, part in runs.groupby("arch", observed=True):
        row = {"architecture": label(arch)}
        for length in lengths:
            counts = outcome_counts(part[part["length"] == length], "arch").sum()
            share = share_of(counts["solved"], counts["n"])
            at_end = f", {counts['solved_at_end']} at the end" if counts["solved"] else ""
            row[f"T = {length:g}"] = share + at_end
        rows.append(row)
    total = outcome_counts(table, "arch").sum()
    n, reached, kept = total["n"], total["solved"], total["solved_at_end"]
    thresholds = records.cells["solved_at"].dropna().unique()
    score = (
        f"{number(thresholds[0])} in {records.score_name}"
        if len(thresholds) == 1
        else "the score that the task asks for"
    )
    text = f"**{percent(reached, n)} of runs solved the task** ({reached} of {n}): an evaluation reached {score}."
    text += f" At the end {kept} of the {reached} were still solved." if reached else ""
    caption = "Runs that solved the task, inits and clipping pooled, and how many of them were solved at the end."
    return [Prose(text), Tabular(render(pd.DataFrame(rows), names=1), caption)]
