"""What axes and their levels are called in tables, figures and sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from sweeps.config.cards import card
from sweeps.config.schema import GROUPS

HEADS = {
    "arch": "architecture",
    "length": "T",
    "task.length": "task.length",
    "lr": "learning rate",
    "hidden": "hidden units",
    "train.truncate": "truncation",
    "stack.attention": "attention",
    "stack.bidirectional": "directions",
    "schedule.final": "final share of the learning rate",
    "train.patience": "patience of early stopping",
    "train.accumulate": "batches of an update",
    "stack.kind": "network",
    "stack.norm": "normalisation",
    "stack.residual": "residual connections",
    "stack.embedding": "embedding columns",
    "stack.start": "start state",
    "task.permuted": "pixels",
}
"""Of axes; any other has the last part of its dotted name."""
SAID = HEADS | {
    "length": "sequence length T",
    "hidden": "number of hidden units",
    "clip": "clipping",
    "optim": "optimiser",
    "schedule": "learning-rate schedule",
    "steps": "updates",
    "task.permuted": "order of pixels",
}
"""Of axes, in sentences."""


def head(axis: str) -> str:
    """What an axis is called above a column or beside a number: `T`, `learning rate`, `forget bias`."""
    return HEADS.get(axis, _last(axis))


def said(axis: str) -> str:
    """What an axis is called in a sentence: `sequence length T`, `forget bias` of `arch.forget_bias`."""
    return SAID.get(axis, _last(axis))


def _last(axis: str) -> str:
    return axis.rpartition(".")[2].replace("_", " ")


def listed(names: Sequence[str]) -> str:
    """`a, b and c`."""
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def axes_said(axes: Sequence[str]) -> str:
    """`architecture, init and sequence length T`."""
    return listed([said(axis) for axis in axes])


UNSET = "unset"
"""The level of an axis where a cell has no such setting, in figures: the forget bias of a tanh RNN."""
UNLIMITED = {"threshold": ("none", "no clipping"), "train.truncate": ("never", "never cut")}
"""What an infinite level is called, by its axis: beside the name of the axis, and alone."""
LEVELS = {
    "stack.attention": {"none": "none", "dot": "dot product"},
    "stack.bidirectional": {"false": "one", "true": "both"},
    "stack.kind": {"plain": "plain", "encoder_decoder": "encoder-decoder"},
    "stack.norm": {"none": "none", "layer": "layer norm"},
    "stack.residual": {"false": "without", "true": "with"},
    "task.permuted": {"false": "in order", "true": "permuted"},
}
"""What the levels of an axis are called that is no group of choices."""
LABELLED = ("arch", "init", "clip")
"""Groups whose choices are written without their axis."""


def label(level: Any, axis: str = "") -> str:
    """How a level of an axis is written in figures and captions: the label on its card, or the level as it is.

    Args:
        axis: where it is not given, arch, init and clip are looked through: `none` may be of clipping or of a penalty.
    """
    labels = (card(group, str(level)).label for group in ((axis,) if axis in GROUPS else LABELLED))
    return next(filter(None, labels), f"{level:g}" if isinstance(level, float) else str(level))


def level_text(axis: str, level: Any) -> str:
    """`tanh RNN`, `T = 200`, `gain = 1.2`: a level where its axis is not written beside it."""
    if pd.isna(level) or level == UNSET:
        return f"no {head(axis)}"
    if axis in UNLIMITED and level == math.inf:
        return UNLIMITED[axis][1]
    if axis in LEVELS or level in ("true", "false"):
        return f"{head(axis)}: {level_said(axis, level)}"
    return label(level, axis) if isinstance(level, str) else f"{head(axis)} = {level_said(axis, level)}"


def level_said(axis: str, level: Any) -> str:
    """A level in a sentence or a table that names its axis: its label, a number without trailing zeros; `unset` for
    none, `never` for a truncation that is none."""
    if axis in LEVELS:
        return LEVELS[axis].get(str(level), str(level))
    if isinstance(level, str | bool):
        return label(level, axis)
    if axis in UNLIMITED and level == math.inf:
        return UNLIMITED[axis][0]
    return UNSET if level is None or level != level else f"{level:.6g}"
