"""Points of a grid whose architecture cannot have their task."""

import pytest

import sweeps
from sweeps.config.command_line import load
from sweeps.config.compose import Composer
from sweeps.config.grid import expand
from sweeps.errors import ConfigError
from sweeps.misfits import without_misfits

SMALL = ("arch.hidden=4", "task.length=5")


def pairs(*axes: str) -> list[tuple[str, str]]:
    return [(cell.arch.name, cell.task.name) for cell in sweeps.compose(*axes, *SMALL)]


def test_a_grid_has_the_points_that_can_be_trained() -> None:
    found = pairs("arch=rnn_tanh,mlp_tanh,attention", "task=adding,copy")
    assert found == [
        ("rnn_tanh", "adding"),
        ("rnn_tanh", "copy"),
        ("mlp_tanh", "adding"),
        ("attention", "adding"),
        ("attention", "copy"),
    ]


@pytest.mark.parametrize(
    "axes", [("arch=mlp_tanh,mlp_relu", "task=adding,copy"), ("arch=rnn_tanh,mlp_tanh", "task=copy")]
)
def test_a_task_or_an_architecture_without_a_point_is_refused(axes: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match="which reads a sequence at once, must be another for task=copy"):
        sweeps.compose(*axes, *SMALL)


def test_the_sentence_names_each_pair_and_counts_the_points() -> None:
    grid = expand({}, ["arch=lstm,mlp_tanh,mlp_relu,attention", "task=adding,copy,char_lm", "seed=range(2)"])
    found = without_misfits(grid, Composer(load))
    assert len(found.jobs) == 24 - 4 - 6
    assert found.skipped == (
        "task=copy has an answer at every time step, which arch=mlp_tanh,mlp_relu cannot have; "
        "task=char_lm has an answer at every time step, which arch=mlp_tanh,mlp_relu cannot have; "
        "task=char_lm is a stream, whose batches go on from a state, which arch=attention cannot have: "
        "10 of the 24 points of the grid are skipped."
    )
