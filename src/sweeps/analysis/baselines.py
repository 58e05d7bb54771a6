"""The losses of the predictors that a task names beside the best constant answer, as recorded with its runs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence

import pandas as pd

from sweeps.analysis.loading.records import Records
from sweeps.analysis.text import between

CONSTANT = "best constant answer"
"""How the baseline is called that every task has."""
OF_CLASSES = ("accuracy", "sequence accuracy")
"""The scores of tasks whose loss is a cross entropy."""


def own_baselines(records: Records, test: bool = False) -> pd.DataFrame:
    """The loss of each baseline on the evaluation set or on the test part of each run, a column each.

    The columns have the lowest median first; none where the task has no baselines, as before there were any. The index
    is that of `cells`.

    Args:
        records: of one task.
    """
    texts = records.cells["test_baselines" if test else "baselines"]
    frame = pd.DataFrame(
        [json.loads(text) if isinstance(text, str) else {} for text in texts], texts.index, dtype=float
    )
    return frame[frame.median().sort_values(kind="stable").index]


def baselines_of(records: Records, test: bool = False) -> dict[str, tuple[float, float]]:
    """The lowest and the highest loss of each baseline over the runs: the data of these may differ, or their lengths.

    In the order of `own_baselines`; arguments as for it.
    """
    frame = own_baselines(records, test)
    return {str(name): (float(frame[name].min()), float(frame[name].max())) for name in frame}


def said(losses: Sequence[float]) -> str:
    """`0.26`, or `0.26 to 0.31` where the data of the runs differ."""
    return between(min(losses), max(losses))


def named(losses: Mapping[str, Sequence[float]], test: Mapping[str, Sequence[float]] | None = None) -> str:
    """`persistence 0.23 (test 0.25), AR(12) 0.19 (test 0.2)`."""
    behind = {name: f" (test {said(found)})" for name, found in (test or {}).items()}
    return ", ".join(f"{name} {said(found)}{behind.get(name, '')}" for name, found in losses.items())


def in_bits(records: Records, *losses: float) -> str:
    """` (2.05 bits)` behind losses in nats, the lowest and the highest; empty where the loss is no cross entropy.

    Args:
        records: of one task.
        losses: mean cross entropies in nats.
    """
    if records.score_name not in OF_CLASSES or not all(map(math.isfinite, losses)):
        return ""
    return f" ({between(min(losses) / math.log(2), max(losses) / math.log(2))} bits)"
