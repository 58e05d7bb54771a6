"""The fast composition equals Hydra's own on every kind of override, and calls Hydra once per choice."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest
from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from omegaconf import DictConfig, OmegaConf

from helpers import compose
from sweeps.config.command_line import load
from sweeps.config.compose import Composer, is_choice, is_plain, plain
from sweeps.config.grid import expand
from sweeps.config.names import parse_override
from sweeps.config.places import CONF, choices
from sweeps.config.schema import GROUPS

ODD = [
    [],
    ["runs_dir=${experiment}/deep"],
    ["runs_dir='${oc.env:HOME}/x'", "arch=gru"],
    ["runs_dir=${arch.name}-${task.length}", "arch=lstm", "task.length=77"],
    ["experiment=first_look"],
    ["experiment=first_look", "arch=lstm", "init=identity", "clip=none", "task.length=30", "seed=1"],
    ["experiment=first_look", "optim=sgd", "task=binary_sum"],
    ["experiment=first_look", "clip=norm", "clip.threshold=2", "runs_dir=${experiment}"],
    ["experiment=digits", "arch=rnn_relu", "seed=3"],
    ["tracker.project='a b'"],
    ['tracker.project="it\'s, quoted"'],
    ["tracker.project='1e-3'", "tracker.entity='null'"],
    ["tracker.project='${seed}'"],
    ["tracker.entity="],
    ["tracker.entity=null"],
    ["optim.lr=1e-3"],
    ["optim.lr=1E-03"],
    ["optim.lr=.5"],
    ["optim.lr=1"],
    ["optim.lr=inf"],
    ["optim.lr=-inf"],
    ["optim.lr=1_000.5"],
    ["seed=123456789012"],
    ["seed=-4"],
    ["seed=1_0"],
    ["seed=0x10"],
    ["train.stop_when_solved=true"],
    ["train.stop_when_solved=FALSE"],
    ["train.stop_when_solved=yes"],
    ["task.length=int(3.7)"],
    ["task.length=str(3)"],
    ["task.length=[1,2]"],
    ["++task.length=12"],
    ["optim.lr=0.5", "optim=sgd"],
    ["seed=1", "seed=2"],
    ["clip={threshold:0.25}"],
    ["train={steps:3,batch:5}", "train.batch=7"],
    ["init=random", "init.std=2e-2", "init.fan_in=true"],
]
VALUES = {
    "arch.hidden": ["5", "128"],
    "init.gain": ["1", "1.5", "5e-1"],
    "clip.threshold": ["0.1", "1e1", "inf"],
    "task.length": ["7", "200"],
    "task.solved_at": ["0.5"],
    "optim.lr": ["1e-3", "0.1"],
    "train.steps": ["50"],
    "train.stop_when_solved": ["true", "false"],
    "seed": ["0", "7"],
    "runs_dir": ["here", "'a b'", "${experiment}"],
    "tracker.project": ["p", "'x=y'"],
}


def drawn(count: int) -> list[list[str]]:
    """Jobs drawn at random: some choices, some values, in any order."""
    rng = random.Random(3)
    jobs = []
    for _ in range(count):
        groups = rng.sample(GROUPS, rng.randint(0, 5))
        keys = rng.sample(sorted(VALUES), rng.randint(0, 6))
        job = [f"{group}={rng.choice(choices(group))}" for group in groups]
        job += [f"{key}={rng.choice(VALUES[key])}" for key in keys]
        rng.shuffle(job)
        jobs.append(job)
    return jobs


def hydra_itself(job: list[str]) -> dict[str, Any]:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = hydra_compose("config", job)
    nested = OmegaConf.to_container(config, resolve=True)
    assert isinstance(nested, dict)
    return {str(key): value for key, value in nested.items()}


def same(a: object, b: object) -> bool:
    """Equal in value and in type, all the way down: 1 is not 1.0 and not True."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return type(a) is type(b) and a == b


JOBS = [*ODD, *drawn(64)]


@pytest.mark.slow
def test_composer_equals_hydra_on_many_jobs() -> None:
    assert len(JOBS) >= 100
    for job in JOBS:
        fast, slow = compose(job), hydra_itself(job)
        assert same(fast, slow), (job, fast, slow)


def test_composer_equals_hydra_on_a_grid_with_settings_of_some_choices() -> None:
    arguments = ["init=random,he", "init.std=0.1,0.2", "arch=lstm,gru", "arch.forget_bias=0,1", "optim.lr=0.1"]
    jobs = expand({}, arguments).jobs
    assert len(jobs) == 9
    for job in jobs:
        assert same(compose(job), hydra_itself(job)), job


@pytest.mark.slow
def test_composer_equals_hydra_on_every_pair_of_choices() -> None:
    for one, other in itertools.combinations(GROUPS, 2):
        for a, b in itertools.product(choices(one), choices(other)):
            job = [f"{one}={a}", f"{other}={b}"]
            assert same(compose(job), hydra_itself(job)), job


def test_same_tells_types_apart() -> None:
    assert not same({"a": 1}, {"a": 1.0})
    assert not same({"a": True}, {"a": 1})
    assert not same({"a": 1}, {"a": 1, "b": 2})
    assert not same([1], [1, 2])


def test_hydra_is_asked_once_a_choice() -> None:
    composed: list[list[str]] = []

    def counting(overrides: list[str]) -> DictConfig:
        composed.append(overrides)
        return load(overrides)

    composer = Composer(counting)
    params = {
        "arch": "glob(*)",
        "init": "glob(*)",
        "clip": "glob(*)",
        "seed": "range(4)",
        "task.length": "5,6,7",
    }
    jobs = expand(params, ["optim.lr=1e-3"]).jobs
    assert len(jobs) >= 4 * 5 * 3 * 4 * 3
    for job in jobs:
        composer(job)
    assert len(composed) == 1 + sum(len(choices(group)) for group in ("arch", "init", "clip"))


def test_a_choice_that_changes_other_sections_is_composed_whole() -> None:
    """As a YAML file with `# @package _global_` would."""

    def entangled(overrides: list[str]) -> DictConfig:
        config = OmegaConf.create(
            {"arch": {"name": "a", "hidden": 1}, "clip": {"name": "c", "threshold": 1}, "seed": 0}
        )
        if "arch=b" in overrides:
            config.arch.name = "b"
            config.seed = 9
        if "clip=d" in overrides:
            config.clip = {"name": "d", "threshold": 10 if "arch=b" in overrides else 2}
        return config

    composer = Composer(entangled)
    for job in (["arch=b"], ["clip=d"], ["arch=b", "clip=d"], ["clip=d", "arch=b"]):
        assert composer(job) == plain(entangled(job)), job


def test_jobs_do_not_share_what_they_are_given() -> None:
    first = compose(["arch=lstm"])
    first["arch"]["hidden"] = -1
    first["seed"] = -1
    assert compose(["arch=lstm"])["arch"]["hidden"] == 64
    assert compose(["arch=lstm", "seed=4"])["seed"] == 4
    assert compose(["arch=lstm"])["seed"] == 0


@pytest.mark.parametrize(
    ("text", "plain_", "choice"),
    [
        ("seed=1", True, False),
        ("arch.hidden=5", True, False),
        ("arch=lstm", False, True),
        ("experiment=first_look", False, False),
        ("+seed=1", False, False),
        ("++seed=1", False, False),
        ("~seed", False, False),
        ("arch@x=lstm", False, False),
        ("task.length=[1]", False, False),
        ("hydra/launcher=basic", False, False),
        ("hydra.verbose=true", False, False),
    ],
)
def test_what_is_plain_and_what_is_a_choice(text: str, plain_: bool, choice: bool) -> None:
    override = parse_override(text)
    assert (is_plain(override), is_choice(override)) == (plain_, choice)
