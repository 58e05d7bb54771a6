"""Every task with every architecture: its gradient through time is that of its definition, its records are its own.

Whatever is registered is here: a task that is added is tested without a line more. Its sequences are as short as it
allows. The definition is a loop over torch.nn's cells or those of `other_cells`, or a layer of `whole_layers`, in
float64, differentiated by autograd.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.other_cells import OTHERS
from engine.torch_cells import cell_of
from engine.whole_layers import WHOLE
from helpers import make_cell, make_cells
from sweeps import tasks
from sweeps.check import task_problems
from sweeps.config.places import defaults
from sweeps.config.schema import Settings
from sweeps.engine.architectures import architecture, registered
from sweeps.engine.setup import set_up
from sweeps.engine.train import prepare_process
from sweeps.engine.update import Update
from sweeps.execute.worker import train_pack
from sweeps.plan.packs import Pack

VARIANTS = (
    ("adding", "task.variant=any"),
    ("adding", "task.variant=hochreiter"),
    ("adding", "task.variant=pascanu"),
    ("multiplication", "task.variant=hochreiter"),
    ("temporal_order", "task.variant=hochreiter", "task.bits=3"),
    ("parity", "task.delay=0"),
)
"""Options that make another task of one; only their records are compared."""
FILES = ("metrics.csv", "gradient_through_time.csv", "parameters.csv", "config.yaml")


FINITE = {
    "digits": ("train.batch=64",),
    "mnist": ("task.size=7", "train.batch=64"),
    "char_lm": ("task.evaluated=100",),
}
"""Of tasks whose evaluation set is what it is: what makes it small, or its batches few."""


DIVERGE = [("lstm_layernorm", "mnist"), ("rnn_layernorm", "mnist")]
"""Images begin with blank pixels: sums without spread, whose normalisation multiplies the gradient a thousandfold."""


@cache
def shortest(task: str) -> tuple[str, ...]:
    """`task.length=T`, the first of some that the task allows, and what makes its evaluation cheap."""
    for length in (12, 26, 49, 64, defaults("task", task)["length"]):
        options = (*FINITE.get(task, ()), f"task.length={length}")
        try:
            tasks.task_of(make_cell(f"task={task}", *options).task)
        except ValueError:
            continue
        return options
    raise AssertionError(f"the default length of task={task} is refused")


def cell(arch: str, task: str, *more: str) -> Settings:
    return make_cell(f"arch={arch}", f"task={task}", *shortest(task), "init=xavier", *more)


def defined(
    p: dict[str, Tensor], arch: str, task: tasks.Task, x: Tensor, y: Tensor, w: Tensor, ends: Tensor, vector: Tensor
) -> dict[str, Tensor]:
    """The loss of one lane, and ||dL/dh_t|| [T] for it, by the last answer of each sequence and by all.

    Of architectures that torch.nn lacks the gradient of the loss, too, by parameter.

    Args:
        x: [T, B, I].
        y: targets [S, B] or [S, B, O], S being T where every time step has an answer, else 1.
        w: what each answer counts, [S, B].
        ends: the last time step of each sequence, [B].
        vector: [B, C], what the start state is made from, where the network has a map of it.
    """
    if arch in WHOLE:
        own = make_cell(f"arch={arch}").arch
        states = [*WHOLE[arch](p, x, **own.options)]
        ends = torch.full_like(ends, len(x) - 1) if architecture(arch).at_once else ends
    else:
        states = one_after_the_other(p, arch, x, vector)
    of_all = torch.stack(states)
    read = of_all if tasks.answers(task) == "every" else of_all[ends, torch.arange(len(ends))][None]
    outputs = read @ p["weight_out"] + p["bias_out"]
    if task.loss == "mse":
        each = (outputs - y).square().mean(-1)
    else:
        each = torch.nn.functional.cross_entropy(outputs.transpose(1, 2), y, reduction="none")
    total = (each * w).sum() / w.sum()
    final = [max(t for t in range(len(w)) if w[t, b] > 0) for b in range(w.shape[1])]
    last = torch.stack([each[t, b] for b, t in enumerate(final)]).mean()

    def norms(loss: Tensor) -> Tensor:
        found = torch.autograd.grad(loss, states, retain_graph=True, allow_unused=True)
        return torch.stack([loss.new_zeros(()) if each is None else each.norm() for each in found])

    found = {"loss": total.detach(), "last": norms(last), "total": norms(total)}
    if arch in OTHERS or arch in WHOLE:
        found |= dict(zip(p, torch.autograd.grad(total, [*p.values()]), strict=True))
    return found


def one_after_the_other(p: dict[str, Tensor], arch: str, x: Tensor, vector: Tensor) -> list[Tensor]:
    """h_t `[B, H]` of a recurrence for each t."""
    step, _ = cell_of(arch, p)
    state: Tensor | tuple[Tensor, ...] | None = None
    if "start_from" in p:
        made = (vector @ p["start_from"]).chunk(architecture(arch).states, -1)
        state = made if len(made) > 1 else made[0]
    states: list[Tensor] = []
    for x_t in x:
        state = step(x_t, state)
        states.append(state[0] if isinstance(state, tuple) else state)
    return states


def refused(arch: str, task: str) -> bool:
    """Whether a layer that is no recurrence is told that it cannot have a task; a recurrence can have each."""
    found = task_problems([cell(arch, task)])
    assert not found or arch in WHOLE, found
    return bool(found)


ARCHS, TASKS = ("rnn_tanh", "lstm"), ("adding", "copy")
"""With these everything is tried each time; every architecture with every task where there is more time."""


def pairs(named: Sequence[tuple[str, ...]]) -> list[Any]:
    """Every architecture with every task; those of neither `ARCHS` nor `TASKS` are slow."""
    return [
        pytest.param(
            arch, task, id=" ".join((arch, *task)), marks=[] if arch in ARCHS or task[0] in TASKS else pytest.mark.slow
        )
        for arch in registered()
        for task in named
    ]


EACH = [(name,) for name in tasks.registered()]


@pytest.mark.parametrize(("arch", "named"), pairs(EACH))
def test_the_gradient_through_time_is_that_of_the_definition(arch: str, named: tuple[str]) -> None:
    prepare_process()
    [task] = named
    if refused(arch, task):
        return
    training = set_up([cell(arch, task, f"seed={seed}", "init.gain=0.8") for seed in (0, 1)])
    network, made = training.network, training.task
    draw = torch.Generator().manual_seed(1)
    for name in sorted({"bias", "bias_out"} & {*network.p}):  # which begin at 0
        network.p[name].copy_(torch.randn(network.p[name].shape, generator=draw) * 0.3)
    if arch == "rnn_orthogonal":  # modrelu is not continuous at 0 where the bias is positive: roundings would decide
        network.p["bias"].abs_().neg_()
    with torch.no_grad():
        update = Update(training)
        losses, _ = update.backward(traced=True)
        last, total = update.log10_norm()
    data, size = training.data.batch, network.sizes.batch
    for lane in range(2):
        own = {name: value[lane].double().clone().requires_grad_() for name, value in network.p.items()}
        x = data.x[lane].double().unflatten(0, (-1, size))
        y = data.y[lane].unflatten(0, (-1, size))
        weights = torch.ones(y.shape[:2]) if data.weights is None else data.weights[lane].unflatten(0, (-1, size))
        lengths = torch.full((size,), len(x)) if data.lengths is None else data.lengths[lane]
        vector = torch.empty(0) if data.start is None else data.start[lane].double()
        target = y.double() if made.loss == "mse" else y
        want = defined(own, arch, made, x, target, weights.double(), lengths - 1, vector)
        assert losses[lane] == pytest.approx(float(want["loss"]), rel=1e-5)
        exact = 1e-3 if "layernorm" in arch else 1e-4  # a normalisation magnifies the roundings of small sums
        np.testing.assert_allclose(10 ** last[lane, 0], want["last"].numpy(), rtol=exact, atol=1e-30)
        for name in own.keys() & want.keys():
            scale = max(float(want[name].abs().max()), 1e-3)
            np.testing.assert_allclose(network.grads[name][lane], want[name], rtol=0, atol=exact * scale, err_msg=name)
        assert (total is not None) == (tasks.answers(made) == "every")
        if total is not None:
            np.testing.assert_allclose(10 ** total[lane, 0], want["total"].numpy(), rtol=exact, atol=1e-30)


@pytest.mark.parametrize(("arch", "task"), pairs([*EACH, *VARIANTS]))
def test_a_tiny_cell_trains_alone_and_in_a_pack_with_the_same_bytes(
    arch: str, task: tuple[str, ...], tmp_path: Path
) -> None:
    name, *options = task
    if refused(arch, name):
        return
    shape = (
        f"arch={arch}",
        f"task={name}",
        *shortest(name),
        *options,
        "train.steps=4",
        "train.eval_every=4",
        "train.eval_size=20",
    )
    lanes = (("clip=norm", "seed=1"), ("init=random", "seed=0"), ("clip=value", "clip.threshold=0.01", "seed=2"))
    cells = make_cells(*((*shape, *lane) for lane in lanes))
    for way, pack in (("alone", cells[:1]), ("pack", cells[::-1])):
        train_pack(Pack(tuple(pack)), tmp_path / way, lambda kind, content: None)
    alone, packed = (tmp_path / way / cells[0].id for way in ("alone", "pack"))
    for file in FILES:
        assert (alone / file).read_bytes() == (packed / file).read_bytes(), file
    rows = (alone / "metrics.csv").read_text().splitlines()
    if (arch, name) not in DIVERGE:
        assert len(rows) == 1 + 3, "a row for updates 0, 2 and 4"
