"""Why a gradient through time is exactly zero: truncated back-propagation cuts it, in a sentence."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from sweeps.analysis.loading.records import Records
from sweeps.config.steps import BEYOND

SETTING = "train.truncate"


def truncation(records: Records) -> str:
    """The sentence for the runs whose gradient is cut; empty if none is."""
    cells = records.cells
    if SETTING not in cells:
        return ""
    return _sentence(zip(cells[SETTING], cells["length"], strict=True))


def truncation_of(config: Mapping[str, Any]) -> str:
    """The same for one run, from its nested settings."""
    task = config.get("task", {})
    length = task.get("length", 0) + BEYOND.get(task.get("name"), math.inf)
    return _sentence([(config.get("train", {}).get("truncate", 0), length)])


def _sentence(runs: Iterable[tuple[Any, Any]]) -> str:
    """Args: runs: after how many steps each cuts the gradient, 0 or inf for never; its T."""
    cut = sorted({steps for steps, length in runs if 0 < steps < length})
    if not cut:
        return ""
    steps = " or ".join(f"{each:g}" for each in cut)
    return (
        f"Truncation cuts the gradient {steps} steps from the end ({SETTING}={','.join(f'{each:g}' for each in cut)}): "
        "beyond the cut it is exactly zero (-inf decades), whatever the network."
    )
