"""What a report is made of for one task: its records, and what was computed from them once for all of its sections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics.effects import Effects
from sweeps.config.analysis import NOTHING, Analysis
from sweeps.report.second_measure import second_measure
from sweeps.report.study import compared


@dataclass(frozen=True)
class Part:
    """A task.

    Attributes:
        task: its name, None if there is only one.
        table: from `tables.comparison`: the combinations.
        effects: of the axes; None where none varied.
        also: what goes with a second measure, a sentence; empty for nothing.
        note: why the effects are not by the measure that the study chose, a sentence; empty where they are.
    """

    task: Any
    records: Records
    table: pd.DataFrame
    effects: Effects | None
    also: str = ""
    note: str = ""


def part_of(task: Any, records: Records, table: pd.DataFrame, analysis: Analysis = NOTHING) -> Part:
    """The part of one task.

    Args:
        table: of all tasks, or of this one.
    """
    found, note = compared(records, analysis)
    own = table if task is None else table[table["task"] == task]
    return Part(task, records, own, found, second_measure(records, found), note)
