"""Every choice on disk works, and every name in the code has its YAML: conf/ and experiments/ are complete."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from helpers import compose, make_cell
from sweeps import tasks
from sweeps.check import task_problems
from sweeps.config.command_line import load
from sweeps.config.compose import settings_of
from sweeps.config.grid import expand
from sweeps.config.places import CONF, EXPERIMENTS, choices
from sweeps.config.rules import RULES, check
from sweeps.config.schema import GROUPS
from sweeps.engine import architectures
from sweeps.engine.clip import CLIPS
from sweeps.engine.init import INITS
from sweeps.engine.optim import OPTIMIZERS
from sweeps.engine.penalty import PENALTIES
from sweeps.engine.schedule import SCHEDULES
from sweeps.misfits import without_misfits

FILES = sorted(CONF.glob("*/*.yaml"))
STUDIES = sorted(EXPERIMENTS.glob("*/sweep.yaml"))


def test_there_are_as_many_files_as_the_project_promises() -> None:
    assert len(FILES) >= 21
    assert {path.parent.name for path in FILES} == set(GROUPS), "a folder under conf/ is no group, or a group has none"
    assert "first_look" in [path.parent.name for path in STUDIES]


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}={path.stem}")
def test_every_choice_composes_and_is_valid(path) -> None:  # type: ignore[no-untyped-def]
    group, name = path.parent.name, path.stem
    [settings], _, problems = settings_of([[f"{group}={name}"]], compose)
    assert problems == []
    assert getattr(settings, group).name == name, "a file and the name in it differ"
    assert check(settings) == []
    assert task_problems([settings]) == []


@pytest.mark.parametrize(
    ("group", "names"),
    [
        ("arch", architectures.registered()),
        ("init", INITS),
        ("clip", CLIPS),
        ("optim", OPTIMIZERS),
        ("schedule", SCHEDULES),
        ("penalty", [*PENALTIES]),
        ("task", tasks.registered()),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_code_and_yaml_name_the_same_things(group: str, names: Iterable[str]) -> None:
    assert sorted(names) == choices(group)


@pytest.mark.parametrize(
    ("group", "promised"),
    [
        ("arch", {"rnn_tanh", "rnn_relu", "lstm", "gru"}),
        ("init", {"random", "xavier", "he", "orthogonal", "identity"}),
        ("clip", {"none", "norm", "value"}),
        ("optim", {"sgd", "rmsprop", "adam", "adamw"}),
        ("schedule", {"constant", "cosine", "step", "plateau", "inverse_sqrt"}),
        ("task", {"adding", "digits", "binary_sum"}),
        ("tracker", {"csv", "wandb"}),
        ("executor", {"local"}),
    ],
)
def test_the_choices_of_the_contract_exist(group: str, promised: set[str]) -> None:
    assert promised <= set(choices(group))


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.parent.name)
def test_every_cell_of_every_experiment_is_valid(path) -> None:  # type: ignore[no-untyped-def]
    from hydra import compose as hydra_compose
    from hydra import initialize_config_dir

    name = path.parent.name
    with initialize_config_dir(str(CONF), version_base="1.3"):
        master = hydra_compose("config", [f"experiment={name}"], return_hydra_config=True)
    assert master.experiment == name, "an experiment's records lie in a folder of its name"
    assert master.hydra.mode.name == "MULTIRUN"
    jobs = without_misfits(expand(master.hydra.sweeper.params, [f"experiment={name}"]), compose).jobs
    assert len(jobs) > 1
    good, _, problems = settings_of(jobs, compose)
    assert problems == []
    assert len(good) == len(jobs)
    assert task_problems(good) == []
    assert {each.experiment for each in good} == {name}


def test_first_look_asks_what_the_issue_promises() -> None:
    from hydra import compose as hydra_compose
    from hydra import initialize_config_dir

    with initialize_config_dir(str(CONF), version_base="1.3"):
        params = hydra_compose("config", ["experiment=first_look"], return_hydra_config=True).hydra.sweeper.params
    cells, *_ = settings_of(expand(params, ["experiment=first_look"]).jobs, compose)
    assert {c.arch.name for c in cells} == {"rnn_tanh", "rnn_relu", "lstm", "gru"}
    assert len({c.init.name for c in cells}) >= 4
    assert {c.clip.name for c in cells} == {"none", "norm", "value"}
    assert len({c.task.length for c in cells}) >= 3
    assert len({c.seed for c in cells}) >= 2
    assert len(cells) == len({(c.arch, c.init, c.clip, c.task, c.seed).__repr__() for c in cells})


def test_defaults_of_the_contract() -> None:
    nested = compose([])
    assert nested["runs_dir"] == "runs"
    assert nested["tracker"]["name"] == "wandb", "both records are on by default"
    assert nested["tracker"]["mode"] == "offline", "no account and no network"
    assert "hydra" not in nested


def test_every_rule_is_about_a_setting_that_exists() -> None:
    from sweeps.config.keys import known_keys

    assert set(RULES) <= known_keys()


def test_hydra_composes_no_folder_of_its_own() -> None:
    """A command that fails must not leave a folder behind."""
    from hydra import compose as hydra_compose
    from hydra import initialize_config_dir

    with initialize_config_dir(str(CONF), version_base="1.3"):
        hydra = hydra_compose("config", [], return_hydra_config=True).hydra
    assert hydra.output_subdir is None
    assert hydra.run.dir == "."
    assert hydra.launcher._target_.endswith("PackedLauncher")
    assert hydra.sweeper._target_.endswith("GridSweeper")
    assert load([]).runs_dir == "runs"
    assert make_cell().tracker.name == "csv"
