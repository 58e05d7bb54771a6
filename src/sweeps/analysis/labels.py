"""What axes and their levels are called in tables, figures and sentences."""

from __future__ import annotations

from typing import Any

HEADS = {"arch": "architecture", "length": "T", "lr": "learning rate", "hidden": "hidden units"}
"""Of axes; any other keeps its own name."""
LABELS = {
    "rnn_tanh": "tanh RNN",
    "rnn_relu": "ReLU RNN",
    "lstm": "LSTM",
    "gru": "GRU",
    "xavier": "Xavier",
    "he": "He",
    "none": "no clipping",
    "norm": "clip by norm",
    "value": "clip by value",
}
"""Of levels."""


def label(level: Any) -> str:
    """How a level of an axis is written in figures and captions; an unknown name is written as it is."""
    return LABELS.get(str(level), f"{level:g}" if isinstance(level, float) else str(level))
