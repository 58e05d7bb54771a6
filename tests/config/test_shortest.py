"""From a cell back to the command line: what is printed composes to the same id, and no word of it can be left out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sweeps.config.command_line import load
from sweeps.config.compose import Composer
from sweeps.config.identity import cell_id
from sweeps.config.parse import parse
from sweeps.config.schema import Settings
from sweeps.config.shortest import changed, shortest
from sweeps.errors import SweepsError

compose = Composer(load)


def made_by(*job: str) -> Settings:
    settings, problems = parse(compose(job))
    assert settings is not None, problems
    return settings


JOBS = [
    (),
    ("seed=3",),
    ("arch=lstm", "arch.forget_bias=2.5", "arch.hidden=16"),
    ("init=random", "init.fan_in=true", "init.gain=1.0000000000000002"),
    ("clip=norm", "clip.threshold=1e-07", "task=digits", "train.stop_when_solved=true"),
    ("clip=none", "clip.threshold=3"),
    ("optim=rmsprop", "experiment=first_look"),
    ("optim=sgd", "optim.momentum=0.5", "optim.lr=1e-3", "task.length=200"),
    ("experiment=first_look", "arch=gru", "clip=value", "seed=1"),
    ("experiment=first_look", "optim=sgd", "optim.lr=0.01"),
    ("executor.kernel=torch", "tracker=csv", "seed=2"),
]


@pytest.mark.parametrize("job", JOBS)
def test_what_is_printed_makes_the_same_cell_and_nothing_can_be_left_out(job: tuple[str, ...]) -> None:
    settings = made_by(*job)
    cell = cell_id(settings)
    found = shortest(settings, cell)
    assert cell_id(made_by(*found)) == cell
    assert len(found) <= len(job)
    for left_out in found:
        fewer, _ = parse(compose([text for text in found if text != left_out]))
        assert fewer is None or cell_id(fewer) != cell


def test_what_differs_from_the_defaults_has_the_names_that_are_typed() -> None:
    assert changed(made_by()) == {}
    assert changed(made_by("arch=lstm", "arch.hidden=64", "init.gain=1.2", "seed=4")) == {
        "arch": "lstm",
        "init.gain": 1.2,
        "seed": 4,
    }, "64 hidden units are the default"
    assert changed(made_by("experiment=first_look"))["train.steps"] == 1200, "of conf/, not of the experiment"


def test_a_cell_of_another_version_is_told_its_id_of_today() -> None:
    settings = made_by("seed=1")
    with pytest.raises(SweepsError, match=f"gives these settings the id {cell_id(settings)}"):
        shortest(settings, "0123456789ab")


def test_settings_that_no_choice_has_are_told() -> None:
    settings = replace(made_by(), arch=replace(made_by().arch, options={"leak": 0.5}))
    with pytest.raises(SweepsError, match="cannot be typed"):
        shortest(settings, cell_id(settings))
