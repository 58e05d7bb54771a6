"""The colours of numbers are seen on the ground of a light page and of a dark one, where figures are inverted."""

from __future__ import annotations

import re

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from sweeps.config.places import ROOT
from sweeps.figures.style import lightness, lines

PAGE = ROOT / "src" / "sweeps" / "report" / "page" / "page.css"
HUE_180 = np.array([[-0.574, 1.43, 0.144], [0.426, 0.43, 0.144], [0.426, 1.43, -0.856]])
"""hue-rotate(180deg) of the filter effects module of CSS."""
WHITE = np.ones(3)


def luminance(colour: np.ndarray) -> float:
    """Relative luminance of WCAG 2."""
    linear = np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(one: np.ndarray, other: np.ndarray) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def on_a_dark_page(colour: np.ndarray) -> np.ndarray:
    found = re.search(r"figure img \{ filter: invert\(([.\d]+)\) hue-rotate\(180deg\)", PAGE.read_text())
    assert found is not None
    inverted = float(found[1]) + (1 - 2 * float(found[1])) * colour
    return np.clip(HUE_180 @ inverted, 0, 1)


@pytest.mark.parametrize("count", [2, 3, 9, 30])
def test_every_number_has_a_contrast_of_three_with_the_ground_of_either_page(count: int) -> None:
    colours = [
        np.array(to_rgb(line.colour)) for line in lines("init.gain", [float(at) for at in range(count)]).values()
    ]
    assert min(contrast(colour, WHITE) for colour in colours) >= 3
    assert min(contrast(on_a_dark_page(colour), on_a_dark_page(WHITE)) for colour in colours) >= 3


def test_larger_numbers_are_lighter() -> None:
    shades = [lightness(line.colour) for line in lines("init.gain", [float(at) for at in range(9)]).values()]
    assert min(np.diff(shades)) > 3
