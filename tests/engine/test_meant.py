"""An initialisation that means nothing for an architecture makes no second cell, and the plan says what is left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from helpers import SMALL, compose, make_cell
from sweeps.check import checked
from sweeps.config.grid import expand
from sweeps.config.identity import cell_id
from sweeps.config.same_cells import without_idle
from sweeps.config.schema import Settings
from sweeps.engine import meant
from sweeps.engine.architectures import Architecture, Parameter, State, base
from sweeps.engine.setup import set_up
from sweeps.errors import ConfigError

NO_GATES = "init=chrono sets the biases of gates that keep a state, and arch=rnn_tanh has none"


def grid(*axes: str) -> tuple[list[Settings], str]:
    """The cells that a plan has, and what it says of those left out."""
    jobs = expand({key: value for key, _, value in (text.partition("=") for text in SMALL)}, axes).jobs
    return without_idle(jobs, checked(jobs, compose))


def diagonal_step(p: Mapping[str, Tensor], x: Tensor, state: State) -> State:
    return (p["rate"].unsqueeze(1) * state[0] + x @ p["weight_ih"],)


def diagonal_parameters(inputs: int, hidden: int) -> dict[str, Parameter]:
    return {"weight_ih": Parameter((inputs, hidden), "input"), "rate": Parameter((hidden,), values={"": 0.9})}


@pytest.fixture
def without_matrix(monkeypatch: pytest.MonkeyPatch) -> None:
    """`rnn_relu` has no recurrent matrix that an initialisation draws."""
    monkeypatch.setitem(base._REGISTRY, "rnn_relu", Architecture(diagonal_parameters, diagonal_step))


@pytest.mark.usefixtures("without_matrix")
def test_an_architecture_without_a_matrix_has_one_cell_for_all_inits() -> None:
    cells, said = grid("arch=rnn_tanh,rnn_relu", "init=random,orthogonal,chrono", "init.gain=0.5,1")
    assert [(each.arch.name, each.init.name) for each in cells[-1:]] == [("rnn_relu", "own")]
    assert len(cells) == 5  # of rnn_tanh: random and orthogonal with two gains, chrono as orthogonal
    assert said == (
        f"{NO_GATES}: such points are those of init=orthogonal; arch=rnn_relu has no recurrent matrix for an init to "
        "draw: such points are those of init=own, trained once, so that 7 of the 12 points of the grid are skipped."
    )
    [own], _ = grid("arch=rnn_relu", "init=own", "executor.kernel=reference")
    assert cell_id(own) == cell_id(cells[-1])
    set_up([own])


@pytest.mark.usefixtures("without_matrix")
def test_scales_of_what_such_an_architecture_draws_are_cells_of_their_own() -> None:
    cells, said = grid("arch=rnn_relu", "init=own", "init.input_scale=0.5,1")
    assert (len(cells), said) == (2, "")


def test_the_init_of_its_own_is_not_for_those_that_have_a_matrix() -> None:
    cells, said = grid("arch=lstm", "init=orthogonal,own")
    assert [each.init.name for each in cells] == ["orthogonal"]
    assert said == (
        "init=own is of architectures without a recurrent matrix for an init to draw, and arch=lstm has one: such "
        "points are those of init=orthogonal, trained once, so that 1 of the 2 points of the grid is skipped."
    )


def test_gate_blocks_that_an_architecture_lacks() -> None:
    with pytest.raises(ConfigError, match=r"given 'n', must be all or some of the gate blocks of arch=lstm .*i, f, o"):
        grid("arch=lstm", "init=diagonal", "init.blocks=n")
    assert len(grid("arch=lstm,gru", "init=diagonal", "init.blocks=g+n")[0]) == 2


def test_cells_that_chrono_and_critical_would_make_twice_have_the_same_numbers() -> None:
    """The network of the cell that stands for another is drawn the same where it is drawn as asked for."""
    for asked in (
        ("arch=rnn_tanh", "init=chrono", "init.gain=0.7"),
        ("arch=rnn_tanh", "init=chrono", "init.matrix=random"),
        ("arch=lstm", "init=chrono", "arch.forget_bias=3"),
    ):
        cell = make_cell(*asked)
        instead = meant.meant(cell, {"forget_bias": 1.0})
        assert cell_id(instead) != cell_id(cell)
        assert torch.equal(set_up([cell]).network.p.flat, set_up([instead]).network.p.flat), asked
    assert meant.meant(make_cell("arch=gru", "init=critical"), {}).init.name == "orthogonal"


def test_options_that_chrono_replaces_are_said_to_be() -> None:
    cells, said = grid("arch=lstm", "init=chrono", "arch.forget_bias=0,1,2")
    assert len(cells) == 1
    assert said == (
        "init=chrono sets the biases of gates in place of arch.forget_bias: such points are those of "
        "arch.forget_bias=1.0, trained once, so that 2 of the 3 points of the grid are skipped."
    )


def test_an_option_that_says_more_than_what_gates_start_at_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    lstm = base.architecture("lstm")

    def parameters(inputs: int, hidden: int, forget_bias: float) -> dict[str, Parameter]:
        made = lstm.parameters(inputs, hidden, forget_bias)
        return {**made, "bias": replace(made["bias"], values={"f": forget_bias, "g": forget_bias})}

    monkeypatch.setitem(base._REGISTRY, "lstm", replace(lstm, parameters=parameters))
    cell = make_cell("arch=lstm", "init=chrono", "arch.forget_bias=3")
    assert meant.meant(cell, {"forget_bias": 1.0}) == cell
