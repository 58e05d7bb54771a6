"""The losses of the predictors that a task names beside the best constant answer, as recorded with its runs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

import pandas as pd

from sweeps.analysis.loading.records import Records
from sweeps.analysis.text import number

OF_CLASSES = ("accuracy", "sequence accuracy")
"""The scores of tasks whose loss is a cross entropy."""


def baselines_of(records: Records, test: bool = False) -> dict[str, float]:
    """The loss of each baseline by name, on the evaluation set or on the test part, the lowest first.

    The median over the runs, where these had tasks of several lengths. {}: the task has none, as before there were any.

    Args:
        records: of one task.
    """
    texts = records.cells["test_baselines" if test else "baselines"].dropna()
    frame = pd.DataFrame([json.loads(text) for text in texts], dtype=float)
    return {str(name): float(loss) for name, loss in frame.median().sort_values(kind="stable").items()}


def named(losses: Mapping[str, float], test: Mapping[str, float] | None = None) -> str:
    """`persistence 0.23 (test 0.25), AR(12) 0.19 (test 0.2)`."""
    behind = {name: f" (test {number(loss)})" for name, loss in (test or {}).items()}
    return ", ".join(f"{name} {number(loss)}{behind.get(name, '')}" for name, loss in losses.items())


def in_bits(records: Records, loss: float) -> str:
    """` (2.05 bits)` behind a loss in nats, log2 of the perplexity; empty where the loss is no cross entropy.

    Args:
        records: of one task.
        loss: a mean cross entropy in nats.
    """
    return f" ({loss / math.log(2):.3g} bits)" if records.score_name in OF_CLASSES and math.isfinite(loss) else ""
