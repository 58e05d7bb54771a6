"""A grid is the product of its axes, in a defined order; the command line replaces an experiment's axis."""

from __future__ import annotations

import math

import pytest

from helpers import compose
from sweeps.config.compose import settings_of
from sweeps.config.grid import expand
from sweeps.config.identity import cell_id
from sweeps.config.names import how_many, parse_override, values
from sweeps.config.places import defaults
from sweeps.errors import ConfigError


@pytest.mark.parametrize(
    ("params", "arguments", "expected"),
    [
        ({}, [], [[]]),
        ({}, ["seed=1"], [["seed=1"]]),
        ({"seed": "1,2"}, [], [["seed=1"], ["seed=2"]]),
        ({"seed": 5}, [], [["seed=5"]]),
        ({"seed": "range(3)"}, ["seed=7"], [["seed=7"]]),
        (
            {"arch": "lstm,gru"},
            ["seed=1,2"],
            [[f"arch={a}", f"seed={s}"] for a in ("lstm", "gru") for s in (1, 2)],
        ),
        ({}, ["tracker.project='a,b',c"], [["tracker.project='a,b'"], ["tracker.project=c"]]),
        ({"optim.lr": 0.001}, [], [["optim.lr=0.001"]]),
    ],
)
def test_expand(params: dict[str, object], arguments: list[str], expected: list[list[str]]) -> None:
    assert expand(params, arguments).jobs == expected


def test_the_last_axis_varies_fastest_and_the_count_is_the_product() -> None:
    jobs = expand({"arch": "lstm,gru", "task.length": "10,20,30"}, ["seed=range(4)", "clip=none"]).jobs
    assert len(jobs) == math.prod((2, 3, 4, 1)) == len({tuple(job) for job in jobs})
    assert jobs[0] == ["arch=lstm", "task.length=10", "seed=0", "clip=none"]
    assert jobs[1] == ["arch=lstm", "task.length=10", "seed=1", "clip=none"]
    assert jobs[4] == ["arch=lstm", "task.length=20", "seed=0", "clip=none"]


def test_hydra_expands_alike() -> None:
    """The order is that of Hydra's basic sweeper, so `hydra/sweeper=basic` names the same jobs."""
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
    from hydra.core.override_parser.overrides_parser import OverridesParser

    arguments = ["arch=lstm,gru", "seed=range(3)", "optim.lr=1e-3,0.1", "tracker.project='a b'"]
    parsed = OverridesParser.create().parse_overrides(arguments)
    [theirs] = BasicSweeper.split_arguments(parsed, max_batch_size=None)
    assert expand({}, arguments).jobs == [list(job) for job in theirs]


@pytest.mark.parametrize("text", ["lstm", "seed=interval(0,1)", "seed=range(0)"])
def test_what_has_no_values_is_an_error(text: str) -> None:
    with pytest.raises(ConfigError, match="write key="):
        expand({}, ["arch=lstm", text])


@pytest.mark.parametrize(
    ("params", "arguments", "limit", "message"),
    [
        ({}, ["seed=range(6)"], 5, "the grid has 6 cells (seed 6), plan.max_cells allows 5; write plan.max_cells=6"),
        (
            {},
            ["seed=range(3)", "arch=lstm,gru", "clip=none"],
            5,
            "has 6 cells (seed 3 x arch 2), plan.max_cells allows 5",
        ),
        ({"seed": "range(6)"}, ["plan.max_cells=5"], 20_000, "has 6 cells (seed 6), plan.max_cells allows 5"),
        ({}, ["seed=range(1000000000000)"], 20_000, "has 1,000,000,000,000 cells"),
        ({}, ["optim.lr=range(0,1,1e-9)"], 20_000, "has 1,000,000,000 cells"),
        (
            {},
            ["seed=1,2", "plan.max_cells=many"],
            20_000,
            "plan.max_cells: given many, must be an integer of at least 1",
        ),
    ],
)
def test_more_cells_than_allowed_are_counted_and_refused(
    params: dict[str, object], arguments: list[str], limit: int, message: str
) -> None:
    with pytest.raises(ConfigError) as error:
        expand(params, arguments, limit)
    assert message in str(error.value)


def test_a_limit_may_be_raised() -> None:
    assert len(expand({}, ["seed=range(6)", "plan.max_cells=6"], 5).jobs) == 6
    assert len(expand({}, ["seed=range(6)"], 6).jobs) == 6


@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        (["seed=1,2", "seed=3,4"], "seed"),
        (["arch=lstm", "seed=1", "arch=lstm"], "arch"),
        (["++seed=1", "seed=2"], "seed"),
    ],
)
def test_a_key_given_twice_is_refused(arguments: list[str], key: str) -> None:
    with pytest.raises(ConfigError, match=f"{key}: given 2 times"):
        expand({"seed": "1,2"}, arguments)


@pytest.mark.parametrize(
    "text", ["seed=range(7)", "seed=range(1,9,3)", "seed=range(9,0,-2)", "optim.lr=range(0,1,0.3)", "arch=lstm,gru"]
)
def test_counting_agrees_with_listing(text: str) -> None:
    override = parse_override(text)
    assert how_many(override) == len(values(override))


def point_keys(job: list[str]) -> set[str]:
    return {text.partition("=")[0] for text in job}


def test_a_setting_of_one_choice_makes_the_cells_that_exist() -> None:
    grid = expand({}, ["arch=lstm,rnn_tanh", "arch.forget_bias=0,1,2", "seed=0,1,2"])
    of_lstm = [f"arch=lstm arch.forget_bias={bias} seed={seed}" for bias in range(3) for seed in range(3)]
    assert [" ".join(job) for job in grid.jobs] == of_lstm + [f"arch=rnn_tanh seed={seed}" for seed in range(3)]
    assert "arch.forget_bias is a setting of lstm alone" in grid.skipped
    assert "6 of the 18 points of the grid are skipped" in grid.skipped


@pytest.mark.parametrize(
    ("arguments", "cells"),
    [
        (["arch=rnn_tanh,rnn_relu,gru,lstm", "arch.forget_bias=0,1"], 4 + 1),
        (["arch=gru,lstm", "arch.forget_bias=2"], 2),
        (["arch.forget_bias=0,1", "arch=gru,lstm"], 3),
        (["init=random,orthogonal,he", "init.std=1,2", "init.fan_in=true,false"], 4 + 2),
        (["init=random,orthogonal", "init.std=1,2", "optim=sgd,adam", "optim.momentum=0,0.9", "seed=0,1"], 3 * 3 * 2),
        (["optim=sgd,adam,rmsprop", "optim.beta1=0.8,0.9", "optim.momentum=0,0.9,0.99"], 3 + 2 + 1),
        (["init=random,orthogonal", "init.std=1,2", "init.gain=1,2"], 2 * 2 + 2),
    ],
)
def test_the_cells_are_counted_before_they_are_made_and_each_is_whole(arguments: list[str], cells: int) -> None:
    """A job has exactly the settings of its choices, no two are the same, and the limit counts these."""
    jobs = expand({}, arguments, cells).jobs
    assert len(jobs) == len({tuple(job) for job in jobs}) == cells
    settings, _, problems = settings_of(jobs, compose)
    assert problems == [] and len({cell_id(each) for each in settings}) == cells
    for job in jobs:
        chosen = dict(text.split("=") for text in job)
        for key in {parse_override(text).key_or_group for text in arguments}:
            group, _, name = key.partition(".")
            assert (key in chosen) == (not name or name in defaults(group, chosen[group]))
    with pytest.raises(ConfigError, match=f"the grid has {cells} cells"):
        expand({}, arguments, cells - 1)


def test_a_setting_that_no_choice_of_the_grid_has_stays_where_it_is_an_error() -> None:
    grid = expand({}, ["arch=gru,rnn_tanh", "arch.forget_bias=0,1"])
    assert len(grid.jobs) == 4 and all("arch.forget_bias" in point_keys(job) for job in grid.jobs)
    assert grid.skipped == ""
    assert "'arch.forget_bias' is not known" in settings_of(grid.jobs, compose)[-1][0]


def test_a_grid_without_such_a_setting_says_nothing() -> None:
    assert expand({}, ["arch=lstm", "arch.forget_bias=0,1"]).skipped == ""
    assert expand({"init": "random,he"}, ["seed=0,0"]).skipped == "", "named twice is not skipped"


def test_without_clipping_a_threshold_is_no_setting() -> None:
    grid = expand({}, ["clip=none,norm", "clip.threshold=0.1,1,10", "seed=0,1"])
    assert len(grid.jobs) == 8
    assert all(("clip.threshold" in point_keys(job)) == ("clip=norm" in job) for job in grid.jobs)
    assert grid.skipped == (
        "clip.threshold is a setting of norm alone: the other choices are trained once, without it, so that 4 of the "
        "12 points of the grid are skipped."
    )
    every = settings_of([[f"clip={c}", f"clip.threshold={t}"] for c in ("none", "norm") for t in (0.1, 1, 10)], compose)
    ids = {cell_id(each) for each in settings_of(grid.jobs, compose)[0] if each.seed == 0}
    assert ids == {cell_id(each) for each in every[0]}, "the same cells as before"
