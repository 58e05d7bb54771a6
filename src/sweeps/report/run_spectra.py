"""The figures of a run's page that show the spectra of its recurrent matrices over training."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from sweeps.report.run_drawn import STEP, Columns, Drawn, curves, level, line, rounded

COLOURS = (0, 1, 2, 4)
"""Of the recurrent matrices, as classes of `page/run.css`; 3 is grey."""
PARTS = ("encoder", "decoder")
MOST_LAYERS = 4
"""Layers and directions whose spectra are drawn, of an encoder and of a decoder each."""


def spectra_figures(names: np.ndarray, spectra: Columns) -> list[Drawn]:
    """A figure for each layer and direction, the lowest first, and each part of an encoder-decoder, the encoder first;
    of more than `MOST_LAYERS` for some at equal distances.

    Args:
        names: of the recurrent matrix that each row is of, "" for any other row.
    """
    groups: dict[tuple[int, bool], dict[str, list[str]]] = {}
    for name in sorted({*names} - {""}):
        groups.setdefault(_layer_of(name), {}).setdefault(_part_of(name), []).append(name)
    order = sorted(groups)
    places = np.unique(np.linspace(0, len(order) - 1, min(len(order), MOST_LAYERS)).round().astype(int))
    figures = []
    for layer, backwards in (order[place] for place in places):
        parts = groups[layer, backwards]
        title = "Spectra of the recurrent matrices"
        if order[-1][0] > 0:
            end = {0: " (the lowest)", order[-1][0]: " (the highest)"}.get(layer, "")
            title += f" of layer {layer}{end}"
        title += ", reading backwards" if backwards else ""
        for part in (each for each in PARTS if each in parts):
            whose = f", {part}" if len(parts) > 1 else ""
            figures.append(_spectra_of(parts[part], names, spectra, title + whose))
    return figures


def _layer_of(name: str) -> tuple[int, bool]:
    """The layer of a recurrent matrix, and whether it reads backwards: (2, False) of `weight_hh_l2.f`."""
    found = re.match(r"weight_hh(?:_decoder)?(?:_l(\d+))?(_reverse)?", name)
    return (int(found[1] or 0), found[2] is not None) if found else (0, False)


def _part_of(name: str) -> str:
    return PARTS[name.startswith("weight_hh_decoder")]


def _spectra_of(matrices: Sequence[str], names: np.ndarray, spectra: Columns, title: str) -> Drawn:
    """Args: matrices: the names of those that are drawn; names, spectra: as for `spectra_figures`."""
    lines = []
    for place, name in enumerate(matrices):
        of = f" of {name.partition('.')[2] or name}" if len(matrices) > 1 else ""
        for column, what, style in (("spectral_radius", "ρ", ""), ("sigma_max", "σ_{max}", "dashed")):
            rows = (names == name) & ~np.isnan(spectra[column])
            values = rounded(spectra[column][rows])
            lines.append(line(f"{what}{of}", COLOURS[place % 4], spectra["step"][rows], values, style))
    numbers = curves(STEP, "ρ, σ_{max}", lines, [level("1", 1.0)], within=[0.0])
    caption = "Solid: the spectral radius ρ. Dashed: the largest singular value. "
    caption += "Above 1 a linear recurrence would let something grow."
    return Drawn(title, caption, numbers)
