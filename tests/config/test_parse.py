"""From nested values to typed settings: names, types, numbers in any notation, every problem at once."""

from __future__ import annotations

import copy
import math
from typing import Any

import pytest

from helpers import compose, make_cell
from sweeps.config.compose import settings_of
from sweeps.config.identity import cell_id
from sweeps.config.parse import parse
from sweeps.config.schema import GROUPS, SECTIONS, as_dict


def nested(*overrides: str) -> dict[str, Any]:
    return compose(list(overrides))


def problems_of(*overrides: str) -> list[str]:
    settings, problems = parse(nested(*overrides))
    assert (settings is None) == bool(problems)
    return problems


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("task.length=abc", "task.length: given 'abc', must be an integer"),
        ("task.length=1.0", "task.length: given 1.0, must be an integer"),
        ("task.length=1e3", "task.length: given 1000.0, must be an integer"),
        ("task.length=null", "task.length: given None, must be an integer"),
        ("task.length=", "task.length: given '', must be an integer"),
        ("task.length=true", "task.length: given True, must be an integer"),
        (
            "task.length=[1,2]",
            "task.length: given [1, 2], must be an integer; an axis of a sweep is written task.length=1,2",
        ),
        ("seed='3'", "seed: given '3', must be an integer"),
        ("optim.lr=fast", "optim.lr: given 'fast', must be a number"),
        ("optim.lr=nan", "optim.lr: given nan, must be a number"),
        ("optim.lr=true", "optim.lr: given True, must be a number"),
        ("train.stop_when_solved=1", "train.stop_when_solved: given 1, must be true or false"),
        ("train.stop_when_solved=yess", "train.stop_when_solved: given 'yess', must be true or false"),
        ("runs_dir=5", "runs_dir: given 5, must be a text"),
        ("tracker.entity=null", "tracker.entity: given None, must be a text"),
        ("optim.beta1=x", "optim.beta1: given 'x', must be a number"),
    ],
)
def test_wrong_types(override: str, expected: str) -> None:
    assert problems_of(override) == [expected]


def test_options_have_the_type_of_their_yaml() -> None:
    assert problems_of("init=random", "init.fan_in=1") == ["init.fan_in: given 1, must be true or false"]
    assert problems_of("arch=lstm", "arch.forget_bias=big") == ["arch.forget_bias: given 'big', must be a number"]
    assert make_cell("arch=lstm", "arch.forget_bias=2").arch.options == {"forget_bias": 2.0}


def test_all_problems_at_once_of_every_kind() -> None:
    config = nested("task.length=0", "optim.lr=fast", "seed=1.5", "train.log_every=0")
    config["bogus"] = 1
    config["arch"]["depth"] = 2
    config["clip"]["name"] = "nrom"
    del config["train"]["batch"]
    settings, problems = parse(config)
    assert settings is None
    for start in (
        "setting: 'bogus' is not known",
        "setting of arch=rnn_tanh: 'arch.depth' is not known",
        "clip.name: 'nrom' is not known; did you mean 'norm'?",
        "train.batch: given None, must be an integer",
        "optim.lr: given 'fast', must be a number",
        "seed: given 1.5, must be an integer",
        "task.length: given 0, must be an integer of at least 1",
        "train.log_every: given 0, must be an integer of at least 1",
    ):
        assert [text for text in problems if text.startswith(start)], (start, problems)
    assert len(problems) == 8


@pytest.mark.parametrize("section", list(SECTIONS))
@pytest.mark.parametrize("hole", [None, 3, "x", []])
def test_a_section_that_is_none_is_a_problem_not_a_crash(section: str, hole: object) -> None:
    config = nested()
    config[section] = hole
    settings, problems = parse(config)
    assert settings is None
    assert problems[0].startswith(f"{section}: given {hole!r}")


@pytest.mark.parametrize("section", list(SECTIONS))
def test_every_setting_must_be_there(section: str) -> None:
    for key in nested()[section]:
        config = copy.deepcopy(nested())
        del config[section][key]
        settings, problems = parse(config)
        assert settings is None, key
        assert any(f"{section}.{key}" in text for text in problems)


@pytest.mark.parametrize("text", ["0.001", "1e-3", "1.0e-3", "1E-3", "'1e-3'", "1.e-3"])
def test_one_number_however_it_is_written_is_one_cell(text: str) -> None:
    assert make_cell(f"optim.lr={text}").optim.lr == 0.001
    assert cell_id(make_cell(f"optim.lr={text}")) == cell_id(make_cell("optim.lr=0.001"))


@pytest.mark.parametrize("text", ["1", "1.0", "1e0", "+1"])
def test_an_integer_passes_for_a_number(text: str) -> None:
    settings = make_cell(f"optim.lr={text}")
    assert type(settings.optim.lr) is float
    assert cell_id(settings) == cell_id(make_cell("optim.lr=1.0"))


def test_neighbouring_numbers_are_other_cells() -> None:
    one = make_cell("optim.lr=0.001")
    assert cell_id(one) != cell_id(make_cell(f"optim.lr={math.nextafter(0.001, 1)!r}"))


def test_clip_none_has_no_threshold_so_a_grid_over_thresholds_is_one_cell_there() -> None:
    cells = {cell_id(make_cell("clip=none", f"clip.threshold={value}")) for value in ("0.1", "1", "inf", "7e-2")}
    assert cells == {cell_id(make_cell("clip=none"))}
    assert make_cell("clip=none", "clip.threshold=3").clip.threshold == math.inf
    others = {cell_id(make_cell("clip=norm", f"clip.threshold={value}")) for value in ("0.1", "1", "inf")}
    assert len(others) == 3


def test_as_dict_is_what_the_yaml_shows_and_parses_back() -> None:
    settings = make_cell("arch=lstm", "init=random", "optim=sgd", "optim.lr=1e-3", "clip=norm")
    shown = as_dict(settings)
    assert shown["arch"] == {"name": "lstm", "hidden": 8, "forget_bias": 1.0}
    assert not any("options" in shown[group] for group in GROUPS)
    assert parse(shown) == (settings, [])


def test_problems_of_a_grid_are_counted_by_cell() -> None:
    jobs = [["task.length=0"], ["task.length=0", "seed=-1"], ["seed=2"], ["seed=x"]]
    good, broken, problems = settings_of(jobs, compose)
    assert [each.seed for each in good] == [2] and [each.seed for each in broken] == [0, -1]
    assert problems == [
        "task.length: given 0, must be an integer of at least 1 [in 2 of 4 cells]",
        "seed: given -1, must be an integer of at least 0 [in 1 of 4 cells]",
        "seed: given 'x', must be an integer [in 1 of 4 cells]",
    ]
    *_, common = settings_of([["seed=-1"], ["seed=-1", "task.length=9"]], compose)
    assert common == ["seed: given -1, must be an integer of at least 0"], "what all cells have needs no count"


def test_what_hydra_refuses_is_a_problem_of_its_cell() -> None:
    good, broken, problems = settings_of([["runs_dir=${nowhere}"], ["seed=1"], ["+task.length=3"]], compose)
    assert [each.seed for each in good] == [1] and broken == []
    assert problems == [
        "Interpolation key 'nowhere' not found [in 1 of 3 cells]",
        "Could not append to config. An item is already at 'task.length'. [in 1 of 3 cells]",
    ]


def test_a_cut_beyond_the_sequence_is_none_so_that_it_is_the_same_cell() -> None:
    never = make_cell("task.length=20")
    for beyond in (20, 21, 1000):
        cut = make_cell("task.length=20", f"train.truncate={beyond}")
        assert cut.train.truncate == 0 and cell_id(cut) == cell_id(never)
    inside = make_cell("task.length=20", "train.truncate=19")
    assert inside.train.truncate == 19 and cell_id(inside) != cell_id(never)
