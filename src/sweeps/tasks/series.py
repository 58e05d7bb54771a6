"""Real time series that ship in statsmodels, both in the public domain; they are read from its files."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

import numpy as np

from sweeps.tasks.parts import package_folder

_YEAR = re.compile(r"^\d{4}((?: +\d+\.\d){1,12}) *$", re.MULTILINE)


@cache
def sunspots() -> np.ndarray:
    """Monthly mean sunspot numbers from January 1749 to June 2009 (National Geophysical Data Center), `[3126]`."""
    file = package_folder("statsmodels", "forecast") / "datasets" / "sunspots" / "src" / "sunspots_monthly.dat"
    values = " ".join(_YEAR.findall(file.read_text("ascii"))).split()
    return np.array(values, dtype=float)


@cache
def co2() -> np.ndarray:
    """Monthly mean CO2 at Mauna Loa in ppm from March 1958 to December 2001 (Keeling & Whorf), `[526]`: means over the
    weeks of a month that were measured; the five months without any lie on the line between their neighbours."""
    file = package_folder("statsmodels", "forecast") / "datasets" / "co2" / "co2.csv"
    weeks = [line.split(",") for line in file.read_text("ascii").replace('"', "").splitlines()[1:]]
    months = np.array([12 * int(day[:4]) + int(day[4:6]) for day, _ in weeks])
    values = np.array([float(value) if value else np.nan for _, value in weeks])
    axis = np.arange(months[0], months[-1] + 1)
    there = ~np.isnan(values)
    sums, counts = (np.bincount(months[there] - axis[0], w, len(axis)) for w in (values[there], None))
    measured = counts > 0
    return np.interp(axis, axis[measured], sums[measured] / counts[measured])


SERIES: dict[str, Callable[[], np.ndarray]] = {"sunspots": sunspots, "co2": co2}
