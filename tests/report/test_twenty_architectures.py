"""Reports of many architectures: an init of their own is no axis, what passes no state has no factor per step."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from matplotlib.text import Text

from analysis.make_records import write_cell
from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics.arrival import arrival
from sweeps.config.cards import card
from sweeps.config.places import choices
from sweeps.engine.architectures import architecture, registered
from sweeps.figures.catalogue import figure, roles_of
from sweeps.report.answer import answer
from sweeps.report.document import Tabular
from sweeps.report.make import records_to_report
from sweeps.report.part import part_of
from sweeps.report.what_varied import what_varied
from sweeps.tables.combinations import comparison

MANY = ("rnn_tanh", "rnn_relu", "rnn_sigmoid", "rnn_leaky", "rnn_residual", "cornn", "lstm", "gru", "janet", "mgu")


def study(root: Path, *archs: tuple[str, str], slope: float = -0.1) -> Records:
    for seed in range(2):
        for arch, init in archs:
            write_cell(root, arch=arch, init=init, seed=seed, length=60, slope=slope)
    return records_to_report(root)


def text_of(records: Records) -> str:
    section = what_varied(records)
    return " ".join(getattr(block, "text", "") for block in section.blocks)


def test_an_init_of_their_own_is_no_axis(tmp_path: Path) -> None:
    records = study(tmp_path, ("gru", "orthogonal"), ("lru", "own"), ("mingru", "own"))
    assert records.varied == ["arch"] and records.own_init == ("mingru", "lru")
    text = text_of(records)
    assert "minGRU and LRU have no recurrent matrix for an init to draw." in text and "init |" not in text
    assert roles_of("gradient_by_lag_start", records).title == "", "not orthogonal: two have no such matrix"


def test_two_inits_beside_it_are_an_axis(tmp_path: Path) -> None:
    records = study(tmp_path, ("gru", "orthogonal"), ("gru", "random"), ("lru", "own"))
    assert set(records.varied) == {"arch", "init"} and records.own_init == ()
    assert set(records.cells["init"]) == {"orthogonal", "random", "own"}


def test_the_cards_say_which_architectures_pass_a_state() -> None:
    own = {name: architecture(name).step is not None for name in registered()}
    assert {name: card("arch", name).recurrent for name in choices("arch")} == own


def test_what_passes_no_state_has_no_factor(tmp_path: Path) -> None:
    records = study(tmp_path, ("gru", "orthogonal"), ("lstm", "orthogonal"), ("attention", "own"), ("mlp_tanh", "own"))
    assert set(arrival(records)["arch"]) == {"gru", "lstm"}
    draw = figure("gradient_by_lag_start", records)
    assert draw is not None
    words = {text.get_text() for text in draw.findobj(Text)}
    assert {"GRU", "LSTM"} <= words and not {"self-attention", "tanh MLP"} & words
    said = " ".join(
        getattr(block, "text", "")
        for section in answer(part_of(None, records, comparison(records)))
        for block in section.blocks
    )
    assert "Self-attention and tanh MLP pass no state from step to step and have no gradient through time." in said
    assert "**self-attention**" not in said


@pytest.mark.parametrize("count", [3, 10])
def test_many_architectures_are_a_table_and_few_are_sentences(tmp_path: Path, count: int) -> None:
    records = study(tmp_path, *((arch, "orthogonal") for arch in MANY[:count]))
    sections = {section.title: section.blocks for section in answer(part_of(None, records, comparison(records)))}
    for title in ("Does the gradient stay alive?", "Does a gradient that arrives mean learning?"):
        tables = [block for block in sections[title] if isinstance(block, Tabular)]
        assert len(tables) == (count > 8)
        if tables:
            assert (tables[0].text.count("\n") >= count and "0.794" in tables[0].text) or "0.79" in tables[0].text


def test_many_panels_stand_beside_each_other(tmp_path: Path) -> None:
    records = study(tmp_path, *((arch, "orthogonal") for arch in MANY))
    drawn = roles_of("loss_curves", records)
    assert drawn.row is None and drawn.column == "arch"
    few = records.select(arch=["gru", "lstm"]).drop_unused_levels()
    assert roles_of("loss_curves", few).row == "arch"


def test_names_that_would_run_into_each_other_stand_upright(tmp_path: Path) -> None:
    records = study(tmp_path, *((arch, "orthogonal") for arch in registered() if card("arch", arch).recurrent))
    drawn = figure("score_by_level", records)
    assert drawn is not None
    drawn.canvas.draw()
    ticks = [text for text in drawn.axes[0].get_xticklabels() if text.get_text()]
    boxes = [text.get_window_extent() for text in ticks]
    assert len(ticks) > 15
    assert not any(a.overlaps(b) for a, b in pairwise(boxes))
