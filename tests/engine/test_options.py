"""Own options of a choice reach its code, or are refused before training."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from helpers import make_cell
from sweeps.check import option_problems, problems_with
from sweeps.config.cards import Card
from sweeps.config.schema import Settings
from sweeps.engine.architectures import State, base
from sweeps.engine.clip import CLIPS, GIVEN
from sweeps.engine.init import INITS
from sweeps.engine.optim import OPTIMIZERS
from sweeps.engine.options import KNOWN
from sweeps.engine.penalty import PENALTIES
from sweeps.engine.recurrences import Sizes, build, choice
from sweeps.engine.recurrences.apart import Apart
from sweeps.engine.recurrences.autograd import Autograd
from sweeps.engine.train import train
from sweeps.plan.packs import shape
from sweeps.signatures import named


def leaky_step(p: Mapping[str, Tensor], x: Tensor, state: State, leak: float) -> State:
    (h,) = state
    return ((1 - leak) * h + leak * base.drive(p, x, h).tanh(),)


def without(p: Mapping[str, Tensor], x: Tensor, state: State) -> State:
    return leaky_step(p, x, state, leak=0.1)


def parameters(inputs: int, hidden: int) -> dict[str, base.Parameter]:
    return base.gated(inputs, hidden, ["h"])


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> dict[str, base.Architecture]:
    """The registry of architectures, put back afterwards; `rnn_tanh` is the leaky network."""
    leaky = base.Architecture(parameters, leaky_step)
    monkeypatch.setattr(base, "_REGISTRY", {**base._REGISTRY, "rnn_tanh": leaky})
    monkeypatch.setattr(choice, "_FAST", {})
    return base._REGISTRY


def with_options(group: str, **options: Any) -> Settings:
    """A small cell of which a choice has these options, as its YAML would."""
    cell = make_cell()
    return replace(cell, **{group: replace(getattr(cell, group), options=options)})


def traces(cell: Settings) -> np.ndarray:
    return np.array([m.log10_norm for row in train([cell], lambda *given: None) for m in row])


def test_an_option_reaches_the_recurrence_and_changes_what_is_recorded(
    registry: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With leak 1 it is the tanh network, by another route; every leak has numbers and packs of its own."""
    cells = [with_options("arch", leak=leak) for leak in (0.1, 0.5, 1.0)]
    assert problems_with(cells) == [] and len({shape(cell) for cell in cells}) == 3
    recorded = [traces(cell) for cell in cells]
    assert not np.allclose(recorded[0], recorded[1]) and not np.allclose(recorded[1], recorded[2])
    monkeypatch.undo()
    assert recorded[2] == pytest.approx(traces(make_cell("executor.kernel=torch")), abs=1e-4)


def test_a_smaller_pack_keeps_the_options(registry: dict[str, Any]) -> None:
    from sweeps.engine.setup import set_up

    cell = with_options("arch", leak=0.25)
    training = set_up([cell, replace(cell, seed=1)])
    assert training.end([0])
    recurrence = training.network.layers[0].directions[0].recurrence
    assert isinstance(recurrence, Apart)
    [recurrence] = recurrence.lanes
    assert isinstance(recurrence, Autograd) and isinstance(recurrence.step, partial)
    assert recurrence.step.keywords == {"leak": 0.25}


def test_an_option_that_the_recurrence_does_not_take_is_refused(registry: dict[str, Any]) -> None:
    [problem] = option_problems([with_options("arch", leak=0.1, lek=0.2), with_options("arch", leak=0.3, lek=0.2)])
    assert "conf/arch/rnn_tanh.yaml" in problem and "'lek' is not known; did you mean 'leak'?" in problem
    [problem] = option_problems([make_cell()])
    assert problem.startswith("arch.leak: the code of arch=rnn_tanh needs this option")
    [problem] = option_problems([with_options("arch", forget_bias=1.0, leak=0.1)])
    assert "'forget_bias' is not known" in problem, "it has no forget gate"
    registry["rnn_tanh"] = base.Architecture(parameters, without)
    [problem] = option_problems([with_options("arch", leak=0.1)])
    assert problem == (
        "arch.leak: conf/arch/rnn_tanh.yaml has this option, but the code of arch=rnn_tanh takes none of its own"
    )


def test_an_option_that_the_recurrence_needs_is_asked_for(registry: dict[str, Any]) -> None:
    registry["rnn_tanh"] = base.Architecture(parameters, lambda p, x, state, leak, rate: leaky_step(p, x, state, leak))
    [problem] = option_problems([with_options("arch", leak=0.1)])
    assert problem == "arch.rate: the code of arch=rnn_tanh needs this option; add it to conf/arch/rnn_tanh.yaml"


def test_an_option_of_the_recurrence_cannot_differ_between_lanes(
    registry: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sweeps.check.card", lambda group, name: Card(per_lane=("leak",)))
    [problem] = option_problems([with_options("arch", leak=0.1)])
    assert problem.startswith("arch.leak: conf/cards.yaml names it under per_lane")


@pytest.mark.parametrize("group", ["init", "clip", "optim", "task"])
def test_an_option_of_any_group_that_its_code_ignores_is_refused(group: str) -> None:
    cell = with_options(group, **getattr(make_cell(), group).options, warmth=1.0)
    [problem] = problems_with([cell])
    assert f"conf/{group}/" in problem and "warmth" in problem


def test_an_option_that_an_optimiser_or_an_init_needs_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    [problem] = option_problems([with_options("optim", beta1=0.9, beta2=0.99)])
    assert problem == "optim.eps: the code of optim=adam needs this option; add it to conf/optim/adam.yaml"
    monkeypatch.setitem(INITS, "orthogonal", lambda rng, n, gain, angle: np.eye(n))
    [problem] = option_problems([make_cell()])
    assert problem.startswith("init.angle: the code of init=orthogonal needs this option")


def test_the_options_that_are_known_without_torch_are_those_of_the_classes() -> None:
    of_optim = {("optim", name): set(made.options) for name, made in OPTIMIZERS.items()}
    of_penalty = {("penalty", name): set(named(penalty, 1)) - {"passed"} for name, penalty in PENALTIES.items()}
    of_clip = {("clip", name): set(named(clip, 3)) - {*GIVEN} for name, clip in CLIPS.items()}
    assert of_optim | of_penalty | of_clip | {("penalty", "none"): set()} == KNOWN
    for made in OPTIMIZERS.values():
        used = {"lr": 0.1, **dict.fromkeys(made.options, 0.5)}
        made(torch.ones(1, 2), [used]).step(torch.ones(1, 2), torch.ones(1, 2))
        for option in made.options:
            with pytest.raises(KeyError):
                less = {key: value for key, value in used.items() if key != option}
                made(torch.ones(1, 2), [less]).step(torch.ones(1, 2), torch.ones(1, 2))


def test_the_choices_that_ship_are_checked_without_torch() -> None:
    code = (
        "import sys; from helpers import make_cell; from sweeps.check import problems_with\n"
        "names = 'arch=lstm', 'arch=gru', 'init=random', 'optim=sgd', 'optim=rmsprop', 'clip=norm',\\\n"
        "        'task=binary_sum', 'optim=adamw', 'schedule=plateau', 'schedule.warmup=2', 'penalty=l2'\n"
        "assert problems_with([make_cell(name) for name in names]) == []\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": "tests", "PATH": ""})


def test_a_fast_recurrence_gets_every_option_of_the_time_step(
    registry: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that does not take an option must fail, not compute something else."""
    sizes = Sizes(1, 2, 1, 1, 1)
    given: dict[str, Any] = {}
    monkeypatch.setitem(choice._FAST, "rnn_tanh", {"torch": lambda sizes, **options: given.update(options) or sizes})
    assert build("rnn_tanh", sizes, "torch", {"leak": 0.5}) is sizes and given == {"leak": 0.5}
    monkeypatch.setitem(choice._FAST, "rnn_tanh", {"torch": lambda sizes: sizes})
    with pytest.raises(TypeError, match="leak"):
        build("rnn_tanh", sizes, "torch", {"leak": 0.5})
