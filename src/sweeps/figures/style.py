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
from matplotlib.figure import Figure

from sweeps.analysis.provenance import Provenance, for_format
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
    dashes: Any
    marker: str


LINES: dict[str, dict[str, Line]] = {
    "init": {
        "random": Line("#000000", "-", "o"),
        "xavier": Line("#0072B2", (0, (5, 1.5)), "s"),
        "he": Line("#882255", (0, (6, 1.5, 1, 1.5, 1, 1.5)), "v"),
        "orthogonal": Line("#D55E00", (0, (4, 1.2, 1, 1.2)), "^"),
        "identity": Line("#56B4E9", (0, (1.2, 1)), "D"),
    },
    "arch": {
        "rnn_tanh": Line("#000000", "-", "o"),
        "rnn_relu": Line("#0072B2", (0, (5, 1.5)), "s"),
        "lstm": Line("#D55E00", (0, (4, 1.2, 1, 1.2)), "^"),
        "gru": Line("#E69F00", (0, (1.2, 1)), "D"),
    },
    "clip": {
        "none": Line("#000000", (0, (1.2, 1)), "o"),
        "norm": Line("#0072B2", "-", "s"),
        "value": Line("#E69F00", (0, (5, 1.5)), "^"),
    },
}
SPARE = (
    Line("#009E73", (0, (3, 1)), "P"),
    Line("#CC79A7", (0, (7, 2)), "X"),
    Line("#999999", (0, (2, 2)), "<"),
    Line("#F0E442", "-", ">"),
    Line("#5D3A9B", (0, (1, 2)), "*"),
    Line("#7F4A0B", (0, (8, 1, 2, 1)), "h"),
)


def lines(axis: str, levels: Sequence[Any]) -> dict[Any, Line]:
    """The line of every level of an axis; unknown names take spare ones in the order of `levels`.

    Pass all levels of the experiment, not only those in the picture, and a name looks the same in all of its
    figures.
    """
    known = LINES.get(axis, {})
    unknown = [level for level in levels if str(level) not in known]
    spare = {level: SPARE[place % len(SPARE)] for place, level in enumerate(unknown)}
    return {level: known[str(level)] if str(level) in known else spare[level] for level in levels}


def house() -> AbstractContextManager[None]:
    """A context in which matplotlib draws in the house style."""
    return matplotlib.rc_context(RC)


def save(figure: Figure, stem: Path, about: Provenance, formats: Sequence[str] = FORMATS) -> list[Path]:
    """Write a figure as `stem.pdf`, `stem.svg`, `stem.png` with its provenance inside, and return the paths.

    The same figure of the same provenance gives the same bytes.

    Args:
        formats: of `FORMATS`, in any order.
    """
    paths = [stem.parent / f"{stem.name}.{kind}" for kind in formats]
    with house():
        figure.draw_without_rendering()  # lay it out once,
        figure.set_layout_engine("none")  # so that everything has the same place in every file
        for path, kind in zip(paths, formats, strict=True):
            drawn = io.BytesIO()
            figure.savefig(drawn, format=kind, metadata=for_format(about, stem.name, kind))
            write_atomically(path, drawn.getvalue())
    return paths
