"""One house style: sizes that fit a paper, and the same colour, line and marker for a name in every figure.

Colours are from Okabe and Ito's colour-blind-safe palette, ordered so that neighbours differ in luminance
too; line styles and markers tell the lines apart in grey print.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from sweeps.analysis.labels import UNSET
from sweeps.analysis.provenance import Provenance, for_format
from sweeps.config.cards import Card, cards
from sweeps.errors import unknown
from sweeps.records.files import write_atomically

FORMATS = ("pdf", "svg", "png")
"""Vectors for papers and for screens, pixels for everything else."""
COLUMN = 3.4
"""Width of one column, inches."""
PAGE = 7.0
"""Width of the page, inches."""

RC: Any = {  # matplotlib checks the names itself
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same on every machine
    "font.size": 7.0,
    "axes.titlesize": 7.5,
    "axes.labelsize": 7.5,
    "xtick.labelsize": 6.5,
    "ytick.labelsize": 6.5,
    "legend.fontsize": 7.0,
    "legend.frameon": False,
    "legend.handlelength": 2.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.4,
    "lines.linewidth": 1.3,
    "lines.markersize": 3.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "figure.dpi": 100,
    "savefig.dpi": 200,
    "pdf.fonttype": 42,  # TrueType: journals refuse Type 3
    "svg.hashsalt": "sweeps",
}


@dataclass(frozen=True)
class Line:
    """How one level of an axis is drawn."""

    colour: str
    dashes: Any  # as matplotlib takes them
    marker: str


def _dashes(lengths: Sequence[float]) -> Any:
    return (0, tuple(lengths)) if lengths else "-"


DASHES = ((), (5, 1.5), (4, 1.2, 1, 1.2), (1.2, 1), (6, 1.5, 1, 1.5, 1, 1.5), (9, 2), (2.5, 2.5), (1, 1, 1, 3))
COLOURS = (  # dark, middle and light: apart in grey print, each column with eight hues
    ("#332288", "#008A64", "#DDCC77"),
    ("#661100", "#AA4499", "#8FD175"),
    ("#004336", "#C0504D", "#F5AFD0"),
    ("#38206E", "#7A7A00", "#88CCEE"),
    ("#6A1845", "#0072B2", "#F7B955"),
    ("#2E2E2E", "#D55E00", "#DDB6EC"),
    ("#000000", "#777777", "#C0C0C0"),
    ("#12351D", "#8C6BB1", "#A8DDB5"),
)
MARKERS = ("P", "X", "<", ">", "*", "h", "p", "d", "v", "8", "H", "s", "^", "D", "o")
SPARE = tuple(
    Line(COLOURS[place // 3][place % 3], _dashes(DASHES[place % 8]), MARKERS[place % 15]) for place in range(24)
)
"""Styles of choices without a style on their card: every pair of a dash pattern and a lightness, once."""
WITHOUT = Line("#777777", _dashes((1.2, 1)), "x")
"""Style of the runs that have no such setting."""
LIGHTEST = 0.64
"""End of the colours of numbers on the map from dark blue over red to yellow: beyond it the contrast with white is
below 3, and with the ground of a dark page, where `page.css` inverts figures, below 4.6."""
RAMP_MARKERS = ("o", "s", "^", "D", "v")
GREY = 23.0
"""Difference in lightness L* (CIE 1976, from 0 to 100) from which on two lines are told apart in grey."""


def lines(axis: str, levels: Sequence[Any]) -> dict[Any, Line]:
    """The line of every level of an axis: as its card says, or a spare one that looks like none of the others.

    Numbers go from dark to light, in the order of their size. Pass all levels of the experiment, not only those in the
    picture, and a level looks the same in all of its figures.
    Twenty names are told apart by their dashes and their lightness, without colour.
    """
    if UNSET in levels:
        return {**lines(axis, [level for level in levels if level != UNSET]), UNSET: WITHOUT}
    if levels and not any(isinstance(level, str) for level in levels):
        return _ramp(levels)
    present = {str(level) for level in levels}
    known = {name: _line(each) for name, each in cards(axis).items() if each.colour and name in present}
    spare = [line for line in SPARE if not any(alike(line, other) for other in known.values())]
    unknown = [level for level in levels if str(level) not in known]
    chosen = {level: spare[place % len(spare)] for place, level in enumerate(unknown)}
    return {level: known.get(str(level), chosen.get(level, spare[0])) for level in levels}


def _ramp(levels: Sequence[Any]) -> dict[Any, Line]:
    """A line for each of some numbers: colours of increasing lightness, solid, with markers in turn."""
    colours = matplotlib.colormaps["plasma"](np.linspace(0.0, LIGHTEST, len(levels)))
    hexes = [to_hex(colour) for colour in colours]
    return {level: Line(hexes[at], "-", RAMP_MARKERS[at % len(RAMP_MARKERS)]) for at, level in enumerate(levels)}


def alike(one: Line, other: Line) -> bool:
    """Whether two lines look the same in grey: the same dashes, and a difference in lightness below `GREY`."""
    return one.dashes == other.dashes and abs(lightness(one.colour) - lightness(other.colour)) < GREY


def lightness(colour: str) -> float:
    """CIE 1976 lightness L* of an sRGB colour, `#rrggbb`: 0 for black, 100 for white."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    y = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return 116 * y ** (1 / 3) - 16 if y > (6 / 29) ** 3 else y * (29 / 3) ** 3


def _line(card: Card) -> Line:
    return Line(card.colour, _dashes(card.dashes or ()), card.marker or "o")


def house() -> AbstractContextManager[None]:
    """A context in which matplotlib draws in the house style."""
    return matplotlib.rc_context(RC)


def wrong_formats(formats: Sequence[str]) -> list[str]:
    """A problem for every format that is none of `FORMATS`."""
    return [unknown("format", kind, FORMATS) for kind in formats if kind not in FORMATS]


def write_figure(figure: Figure, stem: Path, about: Provenance, formats: Sequence[str] = FORMATS) -> list[Path]:
    """Write a figure as `stem.pdf`, `stem.svg`, `stem.png` with its provenance inside, and return the paths.

    The same figure of the same provenance gives the same bytes.

    Args:
        formats: of `FORMATS`, in any order.
    """
    paths = [stem.parent / f"{stem.name}.{kind}" for kind in formats]
    with house():
        if (layout := figure.get_layout_engine()) is not None:
            layout.execute(figure)  # once,
            figure.set_layout_engine("none")  # so that everything has the same place in every file
        for path, kind in zip(paths, formats, strict=True):
            drawn = io.BytesIO()
            figure.savefig(drawn, format=kind, metadata=for_format(about, stem.name, kind))
            write_atomically(path, drawn.getvalue())
    return paths
