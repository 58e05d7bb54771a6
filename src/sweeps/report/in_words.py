"""Every run in words, as a page calls it under the pointer: its levels, its seed, how it ended, what it reached."""

from __future__ import annotations

import pandas as pd

from sweeps.analysis.labels import level_text
from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics.outcomes import diverged, solved
from sweeps.analysis.text import number


def in_words(records: Records) -> dict[str, str]:
    """By id: `GRU, gain = 1.2, seed 3: solved, best accuracy 0.97`; the axes are those that varied."""
    cells, axes = records.cells, records.varied
    tasks = ["task"] if "task" in records.extra_axes else []
    parts = [cells[axis].map(lambda level, axis=axis: level_text(axis, level), na_action=None) for axis in axes]
    parts += [cells[task].astype(str) for task in tasks]
    texts = pd.concat([*parts, cells["seed"].map("seed {:g}".format)], axis=1).astype(str)
    once = [", ".join(dict.fromkeys(row)) for row in texts.itertuples(index=False)]  # no clipping, so no threshold
    levels = pd.Series(once, cells.index, dtype=str)
    ended = pd.Series("not solved", cells.index).mask(solved(cells), "solved").mask(diverged(cells), "diverged")
    ended = ended.mask(solved(cells) & diverged(cells), "solved, then diverged")
    best = cells["best_score"].map(
        lambda score: "" if pd.isna(score) else f", best {records.score_name} {number(score)}"
    )
    return dict(zip(cells["cell"].astype(str), levels + ": " + ended + best, strict=True))
