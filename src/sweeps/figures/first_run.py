"""One run of each panel: what a figure shows that draws a network and not a median."""

from __future__ import annotations

import pandas as pd

from sweeps.analysis.loading.records import Records
from sweeps.analysis.roles import Roles


def first_runs(records: Records, roles: Roles) -> pd.DataFrame:
    """The rows of `records.cells` of one run for each combination of the axes that are drawn: that of the lowest seed,
    and of the first levels of the axes that are not."""
    order = records.cells.sort_values([*records.axes, "seed"], kind="stable")
    return order.drop_duplicates(roles.drawn) if roles.drawn else order.head(1)
