"""The first and the last evaluation of every run, of what a probe measured."""

from __future__ import annotations

import pandas as pd

START, END = "before training", "at the end"


def at_both_ends(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of the first and of the last step of every cell, with `when`: `START` or `END`.

    Args:
        frame: from `probed`, with `cell` and `step`.
    """
    steps = frame.groupby("cell", observed=True)["step"]
    last = frame["step"] == steps.transform("max")
    parts = (frame[frame["step"] == steps.transform("min")].assign(when=START), frame[last].assign(when=END))
    both = pd.concat(parts, ignore_index=True)
    return both.assign(when=pd.Categorical(both["when"], [START, END]))
