"""A grid is the product of its axes, in a defined order; the command line replaces an experiment's axis."""

from __future__ import annotations

import math

import pytest

from sweeps.config.grid import expand
from sweeps.config.names import how_many, parse_override, values
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
    assert expand(params, arguments) == expected


def test_the_last_axis_varies_fastest_and_the_count_is_the_product() -> None:
    jobs = expand({"arch": "lstm,gru", "task.length": "10,20,30"}, ["seed=range(4)", "clip=none"])
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
    assert expand({}, arguments) == [list(job) for job in theirs]


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
    assert len(expand({}, ["seed=range(6)", "plan.max_cells=6"], 5)) == 6
    assert len(expand({}, ["seed=range(6)"], 6)) == 6


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
