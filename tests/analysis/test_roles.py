"""What a study varied is what its figures show: every axis of planted records has a role in them."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from matplotlib.text import Text

from analysis.make_records import write_cell
from sweeps import load
from sweeps.analysis.labels import UNSET
from sweeps.analysis.loading.records import Records
from sweeps.analysis.roles import BY_LAG, BY_LEVEL, NORM_BY_LEVEL, OVER_TRAINING, Kind, level_text, map_axes, roles
from sweeps.analysis.statistics.outcomes import shares
from sweeps.errors import SweepsError
from sweeps.figures import curves
from sweeps.figures.catalogue import FIGURES, figure, roles_of
from sweeps.tables.compare import compare


def study(root: Path, seeds: int = 1, **axes: tuple[Any, ...]) -> Records:
    """Records of a grid; an axis is one of `write_cell`, or a setting with `__` for its dot."""
    for levels in itertools.product(*axes.values()):
        named = dict(zip(axes, levels, strict=True))
        dotted = {name.replace("__", "."): value for name, value in named.items() if "__" in name}
        plain = {name: value for name, value in named.items() if "__" not in name}
        for seed in range(seeds):
            write_cell(root, seed=seed, settings=dotted, **plain)
    return load(root)


def test_an_axis_has_one_role(tmp_path: Path) -> None:
    records = study(tmp_path, arch=("rnn_tanh", "gru"), length=(5, 9))
    with pytest.raises(SweepsError, match="colour=arch: x=arch is drawn already; an axis has one role in a figure"):
        roles(records, BY_LEVEL, {"x": "arch", "colour": "arch"})


def test_no_clipping_lies_beyond_the_thresholds_in_the_leading_figure(tmp_path: Path) -> None:
    """Clipping goes with much of the score here, and the threshold tells it: one x axis, no panel of its own."""
    for arch, seed in itertools.product(("lstm", "gru"), range(3)):
        write_cell(tmp_path, arch=arch, seed=seed, clip="none", best_score=0.1, settings={"clip.threshold": math.inf})
        for threshold in (0.1, 1.0, 10.0):
            score = 0.8 - threshold / 100
            write_cell(
                tmp_path, arch=arch, seed=seed, clip="norm", best_score=score, settings={"clip.threshold": threshold}
            )
    records = load(tmp_path)
    drawn = roles_of("score_by_level", records)
    assert (drawn.x, drawn.column, drawn.colour) == ("threshold", None, "arch")
    shown = figure("score_by_level", records)
    assert shown is not None and len(shown.axes) == 1
    assert [tick.get_text() for tick in shown.axes[0].get_xticklabels()] == ["0.1", "1", "10", "none"]
    assert roles_of("score_by_level", records, {"column": "clip"}).column == "clip", "as it was asked for"


def test_thresholds_beside_no_clipping_are_all_drawn(tmp_path: Path) -> None:
    """The unclipped is one more line, not the only clipping whose gradient is shown; several kinds are panels."""
    one, two = tmp_path / "one", tmp_path / "two"
    for root, kinds in ((one, ("norm",)), (two, ("norm", "value"))):
        write_cell(root, clip="none", settings={"clip.threshold": math.inf})
        for kind, threshold in itertools.product(kinds, (0.1, 1.0, 10.0)):
            write_cell(root, clip=kind, settings={"clip.threshold": threshold})
    drawn = roles(load(one), BY_LAG)
    assert (drawn.colour, drawn.fixed.get("clip"), drawn.pooled) == ("threshold", None, ())
    assert "clip" not in drawn.drawn, "the threshold tells it: inf is none"
    several = roles(load(two), BY_LAG)
    assert several.colour == "threshold" and "clip" in several.drawn
    for records in (load(one), load(two)):
        for name in ("gradient_by_lag_start", "gradient_by_lag_end", "gradient_norm_by_level", "clipping"):
            drawn_figure = figure(name, records)
            assert drawn_figure is not None
            texts = [text.get_text() for ax in drawn_figure.axes for text in ax.texts]
            assert not any("no run" in text for text in texts), name


def test_a_figure_of_one_of_two_tasks_names_it(tmp_path: Path) -> None:
    records = study(tmp_path, arch=("rnn_tanh", "gru"), task__name=("adding", "binary_sum"))
    for task, part in records.by_task():
        drawn = figure("gradient_by_lag_start", part)
        assert drawn is not None and drawn.get_supxlabel() == f"task: {task}"
    [(_, alone)] = study(tmp_path / "one", arch=("rnn_tanh", "gru")).by_task()
    drawn = figure("gradient_by_lag_start", alone)
    assert drawn is not None and drawn.get_supxlabel() == ""


def test_the_default_study_keeps_its_figures(tmp_path: Path) -> None:
    records = study(
        tmp_path, arch=("rnn_tanh", "gru"), init=("random", "identity"), clip=("none", "norm"), length=(5, 9)
    )
    lag, level = roles(records, BY_LAG), roles(records, BY_LEVEL)
    assert (lag.column, lag.colour, lag.row, dict(lag.fixed)) == ("arch", "init", None, {"length": 9, "clip": "none"})
    assert (level.x, level.column, level.row, level.colour, level.pooled) == ("length", "arch", "clip", "init", ())
    training = roles(records, OVER_TRAINING)
    assert (training.row, training.column, training.colour) == ("arch", "init", "clip")
    assert map_axes(records) == (["init", "clip"], ["arch", "length"])


@pytest.mark.parametrize(
    ("axes", "kind", "expected"),
    [
        ({"init__gain": (0.8, 1.0, 1.2)}, BY_LAG, {"colour": "gain"}),
        ({"init__gain": (0.8, 1.0, 1.2)}, BY_LEVEL, {"x": "gain"}),
        ({"init__gain": (0.8, 1.0, 1.2)}, NORM_BY_LEVEL, {"x": "gain"}),
        ({"init__gain": (0.8, 1.2), "init": ("random", "identity")}, BY_LAG, {"colour": "gain", "column": "init"}),
        ({"init__gain": (0.8, 1.2), "arch": ("lstm", "gru")}, BY_LAG, {"colour": "gain", "column": "arch"}),
        (
            {"init__gain": (0.8, 1.2), "arch": ("lstm", "gru"), "init": ("random", "identity")},
            BY_LAG,
            {"colour": "gain", "column": "arch", "row": "init"},
        ),
        ({"arch__forget_bias": (0.0, 2.0), "arch": ("lstm",)}, BY_LEVEL, {"x": "arch.forget_bias"}),
        ({"init": ("random", "identity")}, BY_LEVEL, {"x": "init"}),
        ({"length": (5, 9)}, BY_LEVEL, {"x": "length"}),
        ({"optim__lr": (0.1, 0.01), "init": ("random", "identity")}, OVER_TRAINING, {"colour": "lr", "column": "init"}),
    ],
)
def test_what_varied_has_a_role(tmp_path: Path, axes: dict[str, Any], kind: Any, expected: dict[str, str]) -> None:
    found = roles(study(tmp_path, **axes), kind)
    assert {slot: getattr(found, slot) for slot in ("x", "colour", "column", "row") if getattr(found, slot)} == expected
    assert found.pooled == ()


def test_a_role_is_given_by_any_name_of_an_axis_and_a_wrong_one_is_refused(tmp_path: Path) -> None:
    records = study(tmp_path, init__gain=(0.8, 1.2), init=("random", "identity"))
    assert roles(records, BY_LAG, {"row": "init.gain"}).row == roles(records, BY_LAG, {"row": "gain"}).row == "gain"
    assert roles(records, BY_LAG, {"colour": "init", "column": "init.gain"}).colour == "init"
    with pytest.raises(SweepsError, match=r"did you mean 'init\.gain'|did you mean 'gain'"):
        roles(records, BY_LAG, {"row": "gian"})
    with pytest.raises(SweepsError, match=r"role: 'hue' is not known \(allowed: colour, panel, row\)"):
        roles(records, BY_LAG, {"hue": "gain"})
    with pytest.raises(SweepsError, match="row=gain: panel=gain is drawn already"):
        roles(records, BY_LAG, {"column": "gain", "row": "gain"})


def test_settings_have_all_their_names_in_select_and_tables(tmp_path: Path) -> None:
    records = study(tmp_path, seeds=2, arch=("lstm",), arch__forget_bias=(0.0, 2.0), init__gain=(0.8, 1.2))
    for name in ("init.gain", "gain"):
        assert len(records.select(**{name: 0.8}).cells) == 4
        assert compare(records, (name, "forget_bias")).frame.columns[:2].tolist() == ["gain", "arch.forget_bias"]
    assert len(records.select(forget_bias=2.0).cells) == len(records.select(**{"arch.forget_bias": 2.0}).cells) == 4


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("axes", [{"init__gain": (0.5, 1.0, 2.0)}, {"clip__threshold": (0.1, 1.0), "clip": ("norm",)},
                                  {"optim__lr": tuple(10.0 ** -k for k in range(12))}])  # fmt: skip
def test_every_figure_of_a_study_of_one_number_shows_that_number(
    tmp_path: Path, name: str, axes: dict[str, Any]
) -> None:
    records = study(tmp_path, steps=(40,), log_every=(20,), length=(5,), outcome=("solved",), end=(20,), **axes)
    drawn = figure(name, records)
    assert drawn is not None or name in ("clipping", "gradient_and_learning", "trainability_map")
    if drawn is None or name in ("clipping", "gradient_and_learning"):
        return
    drawn.draw_without_rendering()
    axis = next(iter(axes)).rpartition("__")[2].replace("lr", "learning rate")
    words = [text.get_text() for legend in drawn.legends for text in legend.get_texts()]
    words += [word for ax in drawn.axes for word in (ax.get_title(), ax.get_xlabel(), ax.get_ylabel())]
    assert any(axis in word for word in words), words


def partly(root: Path) -> Records:
    """A forget bias that LSTMs have and tanh networks, which come first, lack."""
    for seed in range(2):
        write_cell(root, arch="rnn_tanh", length=60, seed=seed, slope=-0.3, outcome="solved")
        for bias in (0.0, 2.0):
            settings = {"arch.forget_bias": bias}
            write_cell(root, arch="lstm", length=60, seed=seed, settings=settings, slope=-0.1 - bias / 10)
    return load(root)


def test_a_setting_that_one_architecture_lacks_is_drawn_as_a_level_of_its_own(tmp_path: Path) -> None:
    records = partly(tmp_path)
    found = roles(records, BY_LAG)
    assert (found.column, found.colour) == ("arch", "arch.forget_bias")
    frame = curves.gradient_by_lag(records, found, at="start")
    lines = {(row["arch"], str(row["arch.forget_bias"])) for row in frame.to_dict("records")}
    assert lines == {("rnn_tanh", UNSET), ("lstm", "0.0"), ("lstm", "2.0")}
    assert (frame["n"] == 2).all(), "nothing is pooled with what lacks the setting"
    assert level_text("arch.forget_bias", UNSET) == "no forget bias"
    table = shares(records.with_unset(["arch.forget_bias"]), ["arch.forget_bias", "arch"])
    assert len(table) == 3 and (table["n"] == 2).all(), "no empty field for a forget bias of the tanh network"


def test_two_axes_of_numbers_are_both_sides_of_the_map(tmp_path: Path) -> None:
    records = study(tmp_path, init__gain=(0.5, 1.0, 2.0), length=(5, 9), arch=("gru", "lstm"))
    assert map_axes(records) == (["length"], ["arch", "gain"])
    assert map_axes(study(tmp_path / "one", length=(5, 9), arch=("gru", "lstm"))) == (["init"], ["arch", "length"])


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_shows_such_a_study(tmp_path: Path, name: str) -> None:
    records = partly(tmp_path)
    drawing = figure(name, records)
    assert (drawing is None) == (name in ("clipping", "trainability_map"))
    texts = [text.get_text() for text in drawing.findobj(Text)] if drawing else []
    assert "nan" not in " ".join(texts)
    if name in ("gradient_by_lag_start", "loss_curves"):
        legend = [text.get_text() for text in drawing.legends[0].get_texts()]  # type: ignore[union-attr]
        assert {"forget bias = 0", "forget bias = 2", "no forget bias"} <= set(legend)
        assert not [text for text in texts if text.startswith("no run")]


def test_names_that_are_unset_in_the_first_cell_are_names(tmp_path: Path) -> None:
    """They make room as colours for numbers, as any other names do."""
    for arch, name in (("rnn_tanh", None), ("lstm", "a"), ("lstm", "b")):
        for gain in (0.8, 1.2):
            settings = {"init.gain": gain} | ({"arch.peephole": name} if name else {})
            write_cell(tmp_path, arch=arch, settings=settings)
    kind = Kind({"colour": "arch.peephole", "column": None, "row": "arch"})
    records = load(tmp_path)
    assert pd.isna(records.cells["arch.peephole"].iloc[0]) and "arch.peephole" in records.axes
    found = roles(records, kind)
    assert (found.colour, found.column, found.row) == ("gain", "arch.peephole", "arch")
