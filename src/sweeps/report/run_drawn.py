"""What the script of a run's page can draw, as numbers: curves with their levels, and the figure that they make.

Values of a logarithmic axis are log10 throughout, so that they may lie beyond the range of float64.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sweeps.records.files import jsonable

STEP, LAG, GRADIENT = "training step (updates)", "lag (steps back)", "‖∂L/∂h_{t}‖"
"""Labels of axes."""
Columns = Mapping[str, np.ndarray]
"""Columns of a frame by name, [R] each."""


@dataclass(frozen=True)
class Drawn:
    """A figure of the page: its title, a caption, and what the script draws, ready for JSON."""

    title: str
    caption: str
    numbers: dict[str, Any] = field(repr=False)


def curves(x: str, y: str, lines: list[Any], levels: list[Any], **more: Any) -> dict[str, Any]:
    """What the script draws as curves.

    Args:
        more: `log`, whether y is log10 of what is shown; `within`, values that the y axis shows in any case, the first
            of them its lower end; `crosses`, places on x where a value was not finite; `at`, what a place on x is.
    """
    usual = {"at": "step", "log": False, "within": [], "crosses": []}
    return {"kind": "curves", "xLabel": x, "yLabel": y, "lines": lines, "levels": levels, **usual, **more}


def line(name: str, colour: int, x: np.ndarray, y: np.ndarray, style: str = "") -> dict[str, Any]:
    """A curve.

    Args:
        x, y: [N]; a y that is -inf is exactly zero on a logarithmic axis, any other that is not finite a gap.
        style: dashed or thin.
    """
    return {
        "name": name,
        "colour": colour,
        "style": style,
        "x": x.tolist(),
        "y": y.tolist() if np.isfinite(y).all() else jsonable(y.tolist()),
    }


def level(name: str, y: float) -> dict[str, Any]:
    """A thin line at a height, with its name."""
    return {"name": name, "y": float(f"{y:.5g}")}


def rounded(values: np.ndarray) -> np.ndarray:
    """The values to four significant digits."""
    return np.array([float(f"{value:.4g}") for value in values.tolist()], dtype=float)
