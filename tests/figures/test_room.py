"""Every figure of studies of many shapes fits: the layout holds, nothing that is written covers or leaves anything."""

from __future__ import annotations

import itertools
import math
import warnings
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from analysis.planted import planted
from sweeps.analysis.loading.records import Records
from sweeps.figures.catalogue import FIGURES, figure
from sweeps.figures.panels import PAPER, PHONE, Grid, Room, drawn_for

RATES = [float(f"{10 ** (-5 + 5 * place / 29):.5g}") for place in range(30)]
STUDIES: dict[str, dict[str, list[Any]]] = {
    "one level": {"arch": ["gru"]},
    "two levels": {"arch": ["gru", "lstm"]},
    "thresholds": {"clip": ["none", "norm", "value"], "clip__threshold": [0.1, 1.0, 10.0, math.inf]},
    "twelve rates": {"arch": ["gru", "lstm", "rnn_tanh"], "init": ["orthogonal", "xavier"], "optim__lr": RATES[::3]},
    "thirty rates": {"arch": ["gru", "lstm"], "optim__lr": RATES},
    "thirty gains": {"init__gain": [round(0.1 * place, 1) for place in range(1, 31)]},
    "thirty lengths": {"arch": ["gru", "lstm"], "length": list(range(10, 310, 10))},
    "five axes": {
        "arch": ["gru", "lstm", "rnn_tanh"],
        "init": ["orthogonal", "xavier"],
        "clip": ["none", "norm"],
        "optim__lr": [0.001, 0.01],
        "length": [10, 50],
    },
}


@pytest.fixture(scope="module", params=STUDIES)
def study(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Records:
    def rule(run: Mapping[str, Any]) -> Any:
        """A score of no meaning; high rates diverge. An infinite threshold is that of no clipping."""
        if "clip__threshold" in run and math.isinf(run["clip__threshold"]) != (run["clip"] == "none"):
            return None
        rng = np.random.default_rng(zlib.crc32(repr(run).encode()))
        return "diverged" if run.get("optim__lr", 0.0) > 0.3 or run["seed"] else float(rng.uniform(0.1, 0.95))

    return planted(tmp_path_factory.mktemp("study"), rule, seeds=2, **STUDIES[request.param])


def written(drawn: Grid) -> Iterator[tuple[str, Bbox]]:
    """What is written outside the data, and where, in pixels."""
    for legend in drawn.legends:
        yield "legend", legend.get_window_extent()
    for ax in drawn.axes:
        if not ax.axison:
            continue
        ticks = [(axis, tick.label1) for axis in (ax.xaxis, ax.yaxis) for tick in axis.get_major_ticks()]
        low, high = sorted(ax.get_xlim()), sorted(ax.get_ylim())
        texts: list[Text] = [ax.title, ax.xaxis.label, ax.yaxis.label]
        for axis, text in ticks:
            place = text.get_position()[0 if axis is ax.xaxis else 1]
            ends = low if axis is ax.xaxis else high
            if ends[0] <= place <= ends[1]:
                texts.append(text)
        for text in texts:
            if text.get_visible() and text.get_text().strip():
                yield text.get_text(), text.get_window_extent()


@pytest.mark.parametrize("room", [PAPER, PHONE], ids=["paper", "phone"])
@pytest.mark.parametrize("name", FIGURES)
def test_what_is_written_stays_on_the_page_and_apart(study: Records, name: str, room: Room) -> None:
    with drawn_for(room), warnings.catch_warnings():
        warnings.simplefilter("error")
        if (drawn := figure(name, study)) is None:
            assert name in ("clipping", "share_solved", "gradient_and_learning", "trainability_map")
            return
        FigureCanvasAgg(drawn).draw()
    page = drawn.bbox
    texts = [(text, box) for text, box in written(drawn) if box.width > 0]
    assert len(texts) > 2
    for text, box in texts:
        assert page.x0 - 1 <= box.x0 and box.x1 <= page.x1 + 1 and page.y0 - 1 <= box.y0 and box.y1 <= page.y1 + 1, text
    for (one, here), (other, there) in itertools.combinations(texts, 2):
        if (shared := Bbox.intersection(here, there)) is not None:
            assert shared.width < 1.5 or shared.height < 1.5, f"{one!r} covers {other!r}"
    for ax in drawn.axes:
        if ax.axison:
            assert ax.bbox.width > 0.1 * page.width and ax.bbox.height > 25, "the layout has collapsed"
