"""Tasks of finite data train in packs as alone, and their gradient through time is the float64 definition's."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.test_pack_invariance import ARCHS, read, sixteen, train_in_packs
from helpers import make_cell
from sweeps.engine.adjoint import Trace
from sweeps.engine.architectures import architecture
from sweeps.engine.setup import set_up

TASKS = {
    "mnist": ("task.length=49", "task.size=7"),
    "mnist, permuted rows": ("task.length=14", "task.size=14", "task.read=row", "task.permuted=true"),
    "regression": ("task.length=6", "task.samples=100"),
    "forecast": ("task.length=9",),
    "digits": ("task.length=64",),
}


def shape(task: str) -> tuple[str, ...]:
    return (f"task={task.partition(',')[0]}", *TASKS[task], "arch.hidden=9", "train.batch=7", "train.steps=2",
            "train.log_every=1", "train.eval_every=2")  # fmt: skip


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("arch", ARCHS)
def test_a_tiny_cell_has_the_same_bytes_alone_and_in_a_pack(arch: str, task: str, tmp_path: Path) -> None:
    cells = sixteen(arch, "adam", *shape(task))[:3]
    train_in_packs(cells, 1, tmp_path / "alone")
    train_in_packs(random.Random(1).sample(cells, 3), 3, tmp_path / "packed")
    assert read(cells, tmp_path / "alone") == read(cells, tmp_path / "packed")
    for cell in cells:
        alone, packed = (
            json.loads((tmp_path / how / cell.id / "summary.json").read_text()) for how in ("alone", "packed")
        )
        assert alone["test"] == packed["test"] and np.isfinite(alone["test"]["loss"])
        assert alone["task"] == packed["task"]


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("arch", ARCHS)
def test_the_gradient_through_time_is_autograds_of_the_time_step(arch: str, task: str, any_kernel: str) -> None:
    """||dL/dh_t|| of the last answer, in float64, of the equations in `engine.architectures`."""
    training = set_up([make_cell(f"arch={arch}", *shape(task))], any_kernel)
    network, s = training.network, training.network.sizes
    batch = training.data.next()
    trace, total = Trace(1, s.length), Trace(1, s.length)
    with torch.no_grad():
        network.through_time(batch.x, batch.y, [trace], [total] if network.every else [], batch.weights, batch.start)
    p = {name: value.double() for name, value in network.p.items()}
    x, made = batch.x.view(1, s.length, s.batch, s.inputs).double(), architecture(arch)
    state = tuple(torch.zeros(1, s.batch, s.hidden).double().requires_grad_() for _ in range(made.states))
    states = []
    for t in range(s.length):
        state = made.step_with({})(p, x[:, t], state)
        states.append(state[0])
    outputs = [h @ p["weight_out"] + p["bias_out"] for h in states]
    y = batch.y[0].view(s.length if network.every else 1, s.batch, *batch.y.shape[2:])
    losses = [_loss(network.loss_name, each[0], own) for each, own in zip(outputs[-len(y) :], y, strict=True)]
    wanted = [(losses[-1], trace), *([(sum(losses) / len(losses), total)] if network.every else [])]
    for loss, recorded in wanted:
        norms = [float(h.norm()) for h in torch.autograd.grad(loss, states, retain_graph=True)]  # type: ignore[arg-type]
        assert recorded.log10_norm()[0] == pytest.approx(np.log10(norms), abs=2e-5)


def _loss(name: str, outputs: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    if name == "mse":
        return torch.nn.functional.mse_loss(outputs, y.double())
    return torch.nn.functional.cross_entropy(outputs, y)
