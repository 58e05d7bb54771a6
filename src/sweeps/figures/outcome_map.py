"""The figure of outcomes: the shares diverged and solved over the whole grid as heat maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from sweeps.analysis.labels import label
from sweeps.figures.panels import TALLEST, blocks_of, legend_above
from sweeps.figures.style import PAGE, house

WIDEST, CROWDED = 18, 14
"""The most columns of one map, and the most whose labels are horizontal."""


def outcome_map(frame: pd.DataFrame) -> Figure:
    """Share diverged and share solved over the whole grid: rows init x clip, columns arch x length.

    Args:
        frame: from `outcomes.shares` over arch, init, clip and length. A combination without a run is hatched.
    """
    with house():
        inits, clips = list(frame["init"].cat.categories), list(frame["clip"].cat.categories)
        archs, lengths = list(frame["arch"].cat.categories), list(frame["length"].cat.categories)
        rows = len(inits) * len(clips)
        blocks = blocks_of(archs, max(1, min(4, WIDEST // len(lengths))))
        height = min(0.19 * max(rows, 4), TALLEST / len(blocks) - 0.6)
        figure = Figure(figsize=(PAGE, 0.3 + (0.7 + height) * len(blocks)), layout="constrained")
        axes = figure.subplots(len(blocks), 2, sharey=True, squeeze=False)
        names = [f"{label(init)} · {label(clip)}" for init in inits for clip in clips]
        for line, shown in zip(axes, blocks, strict=True):
            for ax, what, colours in zip(line, ("diverged", "solved"), ("Oranges", "Blues"), strict=True):
                table = frame.pivot_table(
                    index=["init", "clip"],
                    columns=["arch", "length"],
                    values=f"share_{what}",
                    observed=False,
                    dropna=False,
                ).reindex(
                    index=pd.MultiIndex.from_product([inits, clips]),
                    columns=pd.MultiIndex.from_product([shown, lengths]),
                )
                _heat(ax, table, colours)
                ax.set_title(f"share {what}", pad=4)
                _label_columns(ax, shown, lengths)
                for group in range(1, len(inits)):
                    ax.axhline(group * len(clips), color="white", linewidth=2.5)
            line[0].set_yticks(np.arange(rows) + 0.5, names, rotation=0)
        if (frame["n"] == 0).any():
            legend_above(figure, [Patch(facecolor="white", edgecolor="#777777", hatch="////", label="no run")])
        return figure


def _label_columns(ax: Axes, archs: Sequence[Any], lengths: Sequence[Any]) -> None:
    """Label the columns with their lengths, and below these with their architectures."""
    columns = len(archs) * len(lengths)
    texts = [f"{length:g}" for _ in archs for length in lengths]
    ax.set_xticks(np.arange(columns) + 0.5, texts, rotation=0 if columns <= CROWDED else 90)
    deep = 13.0 if columns <= CROWDED else 12.0 + 4.2 * max(map(len, texts))
    for group, arch in enumerate(archs):
        where = ((group + 0.5) * len(lengths), 0.0)
        ax.annotate(
            label(arch),
            where,
            (0, -deep),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            ha="center",
            va="top",
            fontsize=7,
        )
        ax.axvline(group * len(lengths), color="white", linewidth=2.5)
    ax.set_xlabel("sequence length (steps)", labelpad=12)


def _heat(ax: Axes, table: pd.DataFrame, colours: str) -> None:
    """Draw a heat map of shares, with the number in every field that is not 0 and hatching where no run is."""
    values = table.to_numpy(dtype=float)
    words = np.array([[_share_text(share) for share in row] for row in values])
    ax.set_facecolor("white")
    ax.patch.set(hatch="////", edgecolor="#bbbbbb")
    seaborn.heatmap(
        pd.DataFrame(values),
        ax=ax,
        vmin=0.0,
        vmax=1.0,
        cmap=colours,
        annot=words,
        fmt="",
        annot_kws={"fontsize": 6},
        cbar=False,
        linewidths=0.5,
        linecolor="#cccccc",
    )
    ax.set(xlabel="", ylabel="")
    ax.tick_params(length=0)


def _share_text(share: float) -> str:
    """A share with two decimals, such as `.25`; empty for 0 and for NaN (no run)."""
    return "1" if share == 1.0 else f"{share:.2f}".removeprefix("0") if share > 0.0 else ""
