"""What a study varied is what its figures show: every axis of planted records has a role in them."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from analysis.make_records import write_cell
from sweeps import load
from sweeps.analysis.loading.records import Records
from sweeps.analysis.roles import BY_LAG, BY_LEVEL, NORM_BY_LEVEL, OVER_TRAINING, map_axes, roles
from sweeps.errors import SweepsError
from sweeps.figures.catalogue import FIGURES, figure
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
    with pytest.raises(SweepsError, match="role: 'hue' is not known"):
        roles(records, BY_LAG, {"hue": "gain"})


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
    records = study(tmp_path, steps=(40,), log_every=(20,), length=(5,), **axes)
    drawn = figure(name, records)
    assert drawn is not None or name in ("clipping", "gradient_and_learning")
    if drawn is None or name in ("clipping", "gradient_and_learning"):
        return
    drawn.draw_without_rendering()
    axis = next(iter(axes)).rpartition("__")[2].replace("lr", "learning rate")
    words = [text.get_text() for legend in drawn.legends for text in legend.get_texts()]
    words += [word for ax in drawn.axes for word in (ax.get_title(), ax.get_xlabel(), ax.get_ylabel())]
    assert any(axis in word for word in words), words
