"""Points of a grid that are the same cell because a setting of theirs comes to nothing, though no choice lacks it."""

from __future__ import annotations

from collections.abc import Sequence

import yaml

from sweeps.config.identity import cell_id
from sweeps.config.rules import lookup
from sweeps.config.schema import Settings

CUT = "train.truncate from the length of a sequence on cuts nothing"
BETWEEN = (
    "stack.norm, stack.dropout and stack.residual stand between layers, and with one layer there is nothing between"
)
NESTEROV = "optim.nesterov without momentum looks nowhere ahead"
WHY = {
    "clip.threshold": "clip.threshold without clipping bounds nothing",
    "train.truncate": CUT,
    "stack.norm": BETWEEN,
    "stack.dropout": BETWEEN,
    "stack.residual": BETWEEN,
    "optim.nesterov": NESTEROV,
}
"""Why a setting comes to nothing where a point is parsed as one of another value of it (`parse.parse`)."""


def without_idle(jobs: Sequence[Sequence[str]], settings: Sequence[Settings]) -> tuple[list[Settings], str]:
    """The settings of the points of a grid, without those that differ from another in what comes to nothing.

    Args:
        jobs: the overrides of each point.
        settings: those of each point, in the same order.

    Returns:
        The settings in their order, one of each such cell; and a sentence on what was left out, empty for nothing.
    """
    idle = [_idle(job, each) for job, each in zip(jobs, settings, strict=True)]
    values = {key: text for keys in idle for key, text in keys.items()}
    if not values:
        return list(settings), ""
    there = {cell_id(each) for each, keys in zip(settings, idle, strict=True) if not keys}
    kept: list[Settings] = []
    for each, keys in zip(settings, idle, strict=True):
        if not keys or cell_id(each) not in there:
            kept.append(each)
            there.add(cell_id(each))
    texts = []
    for why in dict.fromkeys(WHY[key] for key in WHY if key in values):
        without = " ".join(values[key] for key in WHY if key in values and WHY[key] == why)
        texts.append(f"{why}: such points are those of {without}")
    sentence = "; ".join(texts)
    if less := len(settings) - len(kept):
        are = "is" if less == 1 else "are"
        sentence += f", trained once, so that {less} of the {len(settings)} points of the grid {are} skipped"
    return kept, f"{sentence}."


def _idle(job: Sequence[str], settings: Settings) -> dict[str, str]:
    """The settings that a point asked for in vain, with what it is parsed as: `{"stack.norm": "stack.norm=none"}`."""
    found = {}
    for text in job:
        key, _, asked = text.partition("=")
        if key in WHY:
            section, own = key.partition(".")[0], lookup(settings, key)
            if yaml.safe_load(asked) != own:
                found[key] = "clip=none" if section == "clip" else f"{key}={str(own).lower()}"
    return found
