"""The longest sequences that mean-field theory says a plain network can be trained on, for each gain of a study.

Before training the squared norm of a gradient changes by chi per time step, so that it is gone, or beyond all bounds,
after some multiples of the time scale xi = 1 / |ln chi|. About 6 xi is what trains (Schoenholz et al. 2017, who found
it for depth; Chen et al. 2018 for time steps): `TIMES`, a rule of thumb, not a law.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from sweeps.analysis.cell_theory import PHI, drive_of, plain, settings_of, unit_gain
from sweeps.analysis.loading.records import Records
from sweeps.theory import mean_field

TIMES = 6
"""Time scales of the squared norm that a gradient survives."""


def frontier(records: Records, arch: str, gains: np.ndarray) -> pd.DataFrame | None:
    """`gain, chi, length`: what theory says of a plain network of one layer, its matrix drawn orthogonal or Gaussian.

    The drive is that of the shortest sequences. None for other networks, or where no record tells the settings.
    """
    cells = records.cells[records.cells["arch"] == arch]
    if arch not in PHI or cells.empty:
        return None
    settings = settings_of(records, str(cells.sort_values(["length", "seed"]).iloc[0]["cell"]))
    if settings is None or not plain(settings) or (unit := unit_gain(settings)) is None:
        return None
    drive = drive_of(settings)
    chi = np.array([mean_field.gradient_factor(PHI[arch], unit * gain, drive) for gain in gains])
    scales = np.array([mean_field.time_scale(each) for each in chi])
    return pd.DataFrame({"gain": gains, "chi": chi, "length": TIMES * scales})


def inside(records: Records) -> pd.Series:
    """Whether theory lets each run be trained; missing where it says nothing. Indexed as `records.cells`."""
    cells = records.cells
    found = pd.Series(pd.NA, index=cells.index, dtype="boolean")
    for arch in cells["arch"].unique():
        own = cells[cells["arch"] == arch]
        gains = np.array(sorted(own["gain"].dropna().unique()), dtype=float)
        line = frontier(records, str(arch), gains) if len(gains) else None
        if line is not None:
            allowed = own["gain"].astype(float).map(dict(zip(gains, line["length"], strict=True)))
            found[own.index] = own["length"].astype(float) <= allowed
    return found
