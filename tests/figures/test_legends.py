"""A legend, a note or a caption that leaves something out says how much."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from analysis.make_records import write_cell
from sweeps import load
from sweeps.analysis.loading.records import Records
from sweeps.figures.catalogue import figure
from sweeps.figures.gradient import MOST_REMARKS
from sweeps.report.captions import captions

LEVELS = tuple(round(0.5 + 0.1 * at, 1) for at in range(14))


def study(root: Path, *, levels: tuple[float, ...] = LEVELS, slope: float = -0.1) -> Records:
    for gain in levels:
        for arch in ("lstm", "gru"):
            more: dict[str, Any] = {"steps": 40, "log_every": 40, "eval_every": 40}
            more |= {"best_score": gain / 4, "settings": {"init.gain": gain}}
            write_cell(root, arch=arch, length=60, slope=slope, **more)
    return load(root)


@pytest.mark.parametrize("name", ["loss_curves", "gradient_and_learning"])
def test_a_legend_says_how_many_numbers_it_leaves_out(tmp_path: Path, name: str) -> None:
    drawn = figure(name, study(tmp_path), {"gain": "colour"})
    assert drawn is not None
    texts = {text.get_text() for text in drawn.legends[0].get_texts()}
    assert {"gain = 0.5", "1.8", "and 5 more between"} <= texts and len(texts & {f"{level:g}" for level in LEVELS}) == 8


def test_a_legend_that_names_all_numbers_says_nothing_of_more(tmp_path: Path) -> None:
    drawn = figure("gradient_and_learning", study(tmp_path, levels=LEVELS[:9]))
    assert drawn is not None
    assert not any("more" in text.get_text() for text in drawn.legends[0].get_texts())


def test_a_note_says_how_many_remarks_it_leaves_out(tmp_path: Path) -> None:
    drawn = figure("gradient_by_lag_start", study(tmp_path, slope=2.0), colour="gain", panel="arch")
    assert drawn is not None
    [text, *_] = [text.get_text().split("\n") for text in drawn.axes[0].texts]
    assert len(text) == MOST_REMARKS and text[-1] == "and 9 more"


def test_a_caption_says_how_many_panels_it_leaves_out(tmp_path: Path) -> None:
    said = captions(study(tmp_path), {"gain": "panel", "arch": "colour"})["gradient_by_lag_start"]
    assert "gain = 1: " in said and "and 8 more panels." in said, said
