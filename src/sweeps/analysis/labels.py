"""What axes and their levels are called in tables, figures and sentences."""

from __future__ import annotations

from typing import Any

from sweeps.config.cards import card

HEADS = {"arch": "architecture", "length": "T", "lr": "learning rate", "hidden": "hidden units"}
"""Of axes; any other keeps its own name."""
LABELLED = ("arch", "init", "clip")
"""Groups whose cards have labels."""


def label(level: Any) -> str:
    """How a level of an axis is written in figures and captions: the label on its card, or the level as it is."""
    labels = (card(group, str(level)).label for group in LABELLED)
    return next(filter(None, labels), f"{level:g}" if isinstance(level, float) else str(level))
