"""Axes of log10 values: what is drawn lies inside, and at least two labels say where."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from analysis.make_records import write_cell
from sweeps import load
from sweeps.figures.catalogue import figure
from sweeps.figures.panels import log10_axis


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (2.5, 3.4, ["2", "5"]),
        (3.0, 3.0, ["2", "5"]),
        (0.013, 0.6, ["0.02", "0.05", "0.1", "0.2", "0.5"]),
        (9.0, 12.0, ["10", "20"]),
        (1.5e-7, 6e-7, [r"$2 \cdot 10^{-7}$", r"$5 \cdot 10^{-7}$"]),
        (0.9, 11.0, ["$10^{0}$", "$10^{1}$"]),
    ],
)
def test_values_fill_their_axis_and_two_labels_are_visible(low: float, high: float, labels: list[str]) -> None:
    ax = Figure().subplots()
    log10_axis(ax, [math.log10(low), math.log10(high)])
    bottom, top = ax.get_ylim()
    assert bottom < math.log10(low) <= math.log10(high) < top
    ticks = [tick for tick in ax.yaxis.get_major_locator()() if bottom <= tick <= top]
    formatter = ax.yaxis.get_major_formatter()
    assert [formatter(tick, None) for tick in ticks] == labels
    names = [label.replace(r" \cdot 10^{", "e").replace("10^{", "1e").strip("$").replace("}", "") for label in labels]
    assert [10**tick for tick in ticks] == pytest.approx([float(name) for name in names]), "each says where it is"


def test_a_median_is_in_its_panel_though_a_run_is_exactly_zero(tmp_path: Path) -> None:
    """One run of three is 0 from lag 3 on, so that no finite smallest value tells how far down the median goes."""
    curves = (lambda lag: -1.0 if lag < 3 else -math.inf, lambda lag: -1.0 - 0.5 * lag, lambda lag: -1.0)
    for seed, curve in enumerate(curves):
        write_cell(tmp_path, length=10, seed=seed, curve=curve)
    drawn = figure("gradient_by_lag_start", load(tmp_path))
    assert drawn is not None
    assert drawn.axes[0].get_ylim()[0] < -1.0 - 0.5 * 9
