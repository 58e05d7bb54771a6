"""The wall of one unit: derivatives by differences, and what clipping saves, by numbers computed elsewhere."""

from __future__ import annotations

from math import exp

import numpy as np
import pytest

from sweeps.theory import cliff

W_RANGE, B_RANGE = (4.5, 7), (-3.2, -2)


def by_hand(w: float, b: float) -> float:
    x = 0.5
    for _ in range(50):
        x = w / (1 + exp(-x)) + b
    return (1 / (1 + exp(-x)) - 0.7) ** 2


@pytest.mark.parametrize(("w", "b"), [(5.5, -2.9), (4.7, -2.1), (6.2, -3.0)])
def test_derivatives_are_differences(w: float, b: float) -> None:
    step = 1e-5
    assert cliff.error(w, b) == pytest.approx(by_hand(w, b), rel=1e-12)
    moved = [(by_hand(w + dw, b + db) - by_hand(w - dw, b - db)) / (2 * step) for dw, db in ((step, 0), (0, step))]
    assert cliff.gradient(w, b).tolist() == pytest.approx(moved, rel=1e-4, abs=1e-9)
    one, other = ((cliff.gradient(w + dw, b + db) - cliff.gradient(w - dw, b - db)) / (2 * step)
                  for dw, db in ((step, 0), (0, step)))  # fmt: skip
    largest = np.abs(np.linalg.eigvalsh([one, other])).max()
    assert cliff.curvature(w, b) == pytest.approx(largest, rel=1e-4)


def test_gradient_and_curvature_grow_together() -> None:
    """A correlation of .955 of their logarithms and a slope of 1.23: computed apart from this package."""
    w, b = np.meshgrid(np.linspace(*W_RANGE, 251), np.linspace(*B_RANGE, 121))
    x, y = np.log(np.hypot(*cliff.gradient(w, b))).ravel(), np.log(cliff.curvature(w, b)).ravel()
    assert np.corrcoef(x, y)[0, 1] == pytest.approx(0.955, abs=0.003)
    assert np.polyfit(x, y, 1)[0] == pytest.approx(1.23, abs=0.01)


@pytest.mark.slow
def test_clipping_saves_what_the_wall_throws() -> None:
    """From a grid of 650 starts all reach E < 1e-4 with clipping at 1, and about a third without; the longest step is
    0.1 against 2.8e4 (computed apart from this package: 1.000 and .305, .1 and 2.8e4)."""
    w, b = np.meshgrid(np.linspace(*W_RANGE, 26), np.linspace(*B_RANGE, 25))
    for threshold, share, longest in ((1.0, (0.95, 1.0), 0.1), (np.inf, (0.25, 0.4), 2.8e4)):
        points, lengths = cliff.descend(w, b, 0.1, 3000, threshold)
        assert share[0] <= (cliff.error(*points[-1]) < 1e-4).mean() <= share[1]
        assert lengths.max() == pytest.approx(longest, rel=0.01)


def test_what_is_no_descent_is_refused() -> None:
    with pytest.raises(ValueError, match="rate: given 0"):
        cliff.descend(5, -2, 0, 3)
