"""log10 of norms and losses, of which 0 is -inf and what is negative or no number has none."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import pandas as pd

Values = TypeVar("Values", np.ndarray, pd.Series)


def log10(values: Values) -> Values:
    """log10 of each value: -inf of 0, nan of a negative one, without a warning."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log10(values)
