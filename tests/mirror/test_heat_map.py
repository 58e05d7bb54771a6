"""The heat map shows each norm at its lag and step, and marks those that are not finite."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sweeps.mirror.heat_map import LEFT, PLOT, TOP, heat_map

MAGENTA = (255, 0, 255)


def colours(norms: list[list[float]]) -> list[list[tuple[int, int, int]]]:
    """The colour at the middle of each value's rectangle."""
    values = np.array(norms)
    picture = heat_map(values, np.arange(len(values))).convert("RGB")
    rows, columns = values.shape
    at = [[(LEFT + PLOT[0] * (c + 0.5) / columns, TOP + PLOT[1] * (r + 0.5) / rows) for c in range(columns)]
          for r in range(rows)]  # fmt: skip
    pixels = [[picture.getpixel((int(x), int(y))) for x, y in row] for row in at]
    assert all(isinstance(colour, tuple) for row in pixels for colour in row)
    return pixels  # type: ignore[return-value]


def brightness(colour: tuple[int, int, int]) -> float:
    return 0.2126 * colour[0] + 0.7152 * colour[1] + 0.0722 * colour[2]


def test_a_larger_norm_is_brighter_whatever_its_place() -> None:
    norms = [[-300.0, -20.0, 0.0], [-150.0, 40.0, -80.0]]
    pairs = sorted(
        (value, brightness(colour))
        for values, drawn in zip(norms, colours(norms), strict=True)
        for value, colour in zip(values, drawn, strict=True)
    )
    light = [bright for _, bright in pairs]
    assert light == sorted(light) and len(set(light)) == len(light)


def test_what_is_not_finite_is_magenta_and_nothing_else_is() -> None:
    drawn = colours([[math.nan, -1.0, math.inf], [-math.inf, -2.0, -3.0]])
    assert drawn[0][0] == drawn[0][2] == drawn[1][0] == MAGENTA
    assert MAGENTA not in (drawn[0][1], drawn[1][1], drawn[1][2])


@pytest.mark.parametrize("value", [math.nan, -7.5])
def test_one_value_or_none_is_no_trouble(value: float) -> None:
    assert (colours([[value]])[0][0] == MAGENTA) == math.isnan(value)
