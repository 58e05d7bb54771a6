"""A row of metrics.csv says where the record of the gradient through time and the gradient that trains have parted."""

from __future__ import annotations

import numpy as np

from sweeps.engine.train import Measurement
from sweeps.execute.recorder import _metrics_row
from sweeps.records.columns import METRICS


def test_beyond_float32_counts_what_float32_cannot_hold_and_neither_zeros_nor_nan() -> None:
    norms = np.array([-np.inf, -600.0, -37.95, -37.9, 0.0, 38.5, 38.6, np.nan])
    m = Measurement(0, 0, 1.0, 1.0, 1.0, 0.1, norms, None, None, None, None)
    row = dict(zip(METRICS, _metrics_row(m), strict=True))
    assert row["beyond_float32"] == 3
    assert np.float32(10.0**-37.9) >= np.finfo(np.float32).tiny > np.float32(10.0**-37.95)
