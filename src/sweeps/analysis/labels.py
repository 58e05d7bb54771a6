"""What axes and their levels are called in tables, figures and sentences."""

from __future__ import annotations

from typing import Any

from sweeps.config.cards import card

HEADS = {"arch": "architecture", "length": "T", "lr": "learning rate", "hidden": "hidden units"}
"""Of axes; any other keeps its own name."""
SAID = HEADS | {"length": "sequence length", "clip": "clipping", "optim": "optimiser", "steps": "updates"}
"""Of axes, in sentences."""


def head(axis: str) -> str:
    """What an axis is called: its readable name, or the last part of its dotted name, `forget bias`."""
    return HEADS.get(axis, axis.rpartition(".")[2].replace("_", " "))


LABELLED = ("arch", "init", "clip")
"""Groups whose cards have labels."""


def label(level: Any) -> str:
    """How a level of an axis is written in figures and captions: the label on its card, or the level as it is."""
    labels = (card(group, str(level)).label for group in LABELLED)
    return next(filter(None, labels), f"{level:g}" if isinstance(level, float) else str(level))


def said(axis: str) -> str:
    """What an axis is called in a sentence: `learning rate`, `forget bias` of `arch.forget_bias`."""
    return SAID.get(axis, axis.rpartition(".")[2].replace("_", " "))


UNSET = "unset"
"""The level of an axis where a cell has no such setting, in figures: the forget bias of a tanh RNN."""


def level_said(level: Any) -> str:
    """A level in a sentence or a table: its label, a number without trailing zeros; `unset` for none."""
    if isinstance(level, str | bool):
        return label(level)
    return UNSET if level is None or level != level else f"{level:.6g}"
