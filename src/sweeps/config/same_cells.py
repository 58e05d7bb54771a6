"""Points of a grid that are the same cell because a setting of theirs comes to nothing, though no choice lacks it."""

from __future__ import annotations

from collections.abc import Sequence

from sweeps.config.identity import cell_id
from sweeps.config.schema import Settings

CUT = "train.truncate"


def without_idle_cuts(jobs: Sequence[Sequence[str]], settings: Sequence[Settings]) -> tuple[list[Settings], str]:
    """The settings of the points of a grid, without those that differ from another in a cut beyond their sequence.

    A point whose `train.truncate` is T or more is parsed as one of 0, because nothing is cut.

    Args:
        jobs: the overrides of each point.
        settings: those of each point, in the same order.

    Returns:
        The settings in their order, one of each such cell; and a sentence on what was left out, empty for nothing.
    """
    beyond = [_beyond(job, each) for job, each in zip(jobs, settings, strict=True)]
    if not any(beyond):
        return list(settings), ""
    there = {cell_id(each) for each, idle in zip(settings, beyond, strict=True) if not idle}
    kept: list[Settings] = []
    for each, idle in zip(settings, beyond, strict=True):
        if not idle or cell_id(each) not in there:
            kept.append(each)
            there.add(cell_id(each))
    sentence = f"{CUT} from the length of a sequence on cuts nothing: such points are those of {CUT}=0"
    if less := len(settings) - len(kept):
        are = "is" if less == 1 else "are"
        sentence += f", trained once, so that {less} of the {len(settings)} points of the grid {are} skipped"
    return kept, f"{sentence}."


def _beyond(job: Sequence[str], settings: Settings) -> bool:
    """Whether a point asked for a cut and has none."""
    asked = next((text.partition("=")[2] for text in job if text.partition("=")[0] == CUT), "0")
    return settings.train.truncate == 0 and asked != "0"
