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
START = "stack.start_scale is of start states that are drawn"
WHY = {
    "clip.threshold": "clip.threshold without clipping bounds nothing",
    "train.truncate": CUT,
    "stack.norm": BETWEEN,
    "stack.dropout": BETWEEN,
    "stack.residual": BETWEEN,
    "optim.nesterov": NESTEROV,
    "stack.start_scale": START,
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
    idle = [
        _idle(job, each) | dict(_idle_init(job, each) or _replaced(job, each))
        for job, each in zip(jobs, settings, strict=True)
    ]
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
    reasons = {key: WHY.get(key, key) for key in [*WHY, *values] if key in values}
    for why in dict.fromkeys(reasons.values()):
        without = " ".join(values[key] for key in reasons if reasons[key] == why)
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


def why_not(asked: str, settings: Settings) -> str:
    """Why a cell does not have the initialisation that was asked for (`engine.meant`); empty if it has."""
    arch, init = settings.arch.name, settings.init.name
    if init == asked:
        return ""
    if asked == "own":
        return f"init=own is of architectures without a recurrent matrix for an init to draw, and arch={arch} has one"
    if asked == "chrono" and init != "own":
        return f"init=chrono sets the biases of gates that keep a state, and arch={arch} has none"
    if asked == "critical" and init != "own":
        return f"init=critical is of networks h_t = phi(h_{{t-1}} W + x_t U + b), and arch={arch} is of another form"
    return f"arch={arch} has no recurrent matrix for an init to draw"


def _idle_init(job: Sequence[str], settings: Settings) -> dict[str, str]:
    """Why a point does not have the initialisation that it asked for, with the one that it has; {} if it has."""
    asked = {key: value for key, _, value in (text.partition("=") for text in job) if key.startswith("init")}
    in_vain = settings.init.name == "own" and "init.gain" in asked
    why = why_not(asked.get("init", "orthogonal" if in_vain else settings.init.name), settings)
    return {why: f"init={settings.init.name}"} if why else {}


def _replaced(job: Sequence[str], settings: Settings) -> dict[str, str]:
    """The options of an architecture that `init=chrono` replaces, where a point gives one another value."""
    found = {}
    for text in job if settings.init.name == "chrono" else ():
        key, _, asked = text.partition("=")
        own = lookup(settings, key)
        if key.partition(".")[0] == "arch" and key != "arch" and yaml.safe_load(asked) != own:
            found[f"init=chrono sets the biases of gates in place of {key}"] = f"{key}={own}"
    return found
