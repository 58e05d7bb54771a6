"""The number of time steps T of every cell, which is what frames call `length`, and the setting where that is another.

Of most tasks T is `task.length`. The copy task adds 20 steps to it, a user's task may mean by it what it likes.
"""

from __future__ import annotations

import pandas as pd

from sweeps.config.steps import BEYOND

SETTING = "task.length"
"""The column of the setting, in frames where it is not T."""
MOST = 8
"""Settings that are listed; of more the least and the largest."""


def with_time_steps(settings: pd.DataFrame, gradient: pd.DataFrame) -> pd.DataFrame:
    """The settings with T as `length`; where it is not T in every cell, the setting has the column `SETTING`.

    T is known of some tasks (`config.steps`); of others it is one more than the largest lag of the record. A cell
    without a record has the T of the recorded ones with the same task and setting, or else the setting.

    Args:
        settings: a row per cell, its id as index, with `task` and `length`.
        gradient: the rows of the cells that are done: `cell, step, lag`.
    """
    setting = pd.to_numeric(settings["length"], errors="coerce").astype(float)
    recorded = _recorded(settings, gradient)
    alike = recorded.groupby([settings["task"], setting]).transform("max")
    steps = (setting + settings["task"].map(BEYOND)).fillna(recorded).fillna(alike).fillna(setting)
    if steps.equals(setting):
        return settings
    whole = steps if steps.isna().any() else steps.astype("int64")
    return settings.assign(**{"length": whole, SETTING: settings["length"]})


def _recorded(settings: pd.DataFrame, gradient: pd.DataFrame) -> pd.Series:
    """One more than the largest lag of the cells of tasks whose T is not known otherwise; NaN of all others."""
    asked = settings.index[~settings["task"].isin(BEYOND) & settings["length"].notna()]
    rows = gradient[gradient["step"].to_numpy() == 0] if len(asked) else gradient.iloc[:0]
    rows = rows[rows["cell"].isin(asked)]
    largest = rows["lag"].groupby(rows["cell"].astype(str)).max()
    return (largest.astype(float) + 1).reindex(settings.index)


def typed_length(cells: pd.DataFrame) -> str:
    """`task.length=5,20`, what to type for the lengths of some cells; empty where that is T, or is itself an axis.

    Args:
        cells: rows of `Records.cells`.
    """
    if SETTING not in cells or isinstance(cells[SETTING].dtype, pd.CategoricalDtype):
        return ""
    typed = sorted(cells[SETTING].unique())
    if typed == sorted(cells["length"].unique()):
        return ""
    texts = [f"{each:g}" for each in typed]
    return f"{SETTING}={','.join(texts)}" if len(texts) <= MOST else f"{SETTING} from {texts[0]} to {texts[-1]}"
