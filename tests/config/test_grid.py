"""A grid is the product of its axes, in a defined order; the command line replaces an experiment's axis."""

from __future__ import annotations

import math

import pytest

from sweeps.config.grid import expand
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
