"""Packs hold each cell once, cells of one shape, not too many lanes; no worker idles while another has two packs."""

from __future__ import annotations

import itertools
import math
import random
from dataclasses import replace

import pytest

from helpers import make_cell, make_cells
from sweeps.config.cards import card
from sweeps.config.identity import decides
from sweeps.config.schema import Settings, as_dict
from sweeps.plan.cells import Cell, distinct
from sweeps.plan.forecast import core_seconds
from sweeps.plan.packs import GPU_MEMORY, GPU_MOST, MOST, VARIES, Pack, lanes_that_pay, make_packs, shape

ARCHS, INITS, CLIPS = ("rnn_tanh", "lstm"), ("orthogonal", "identity"), ("none", "norm")


def grid(seeds: int = 3, lengths: tuple[int, ...] = (6, 9)) -> list[Cell]:
    jobs = itertools.product(ARCHS, INITS, CLIPS, lengths, range(seeds))
    return make_cells(
        *((f"arch={a}", f"init={i}", f"clip={c}", f"task.length={t}", f"seed={s}") for a, i, c, t, s in jobs)
    )


CELLS = grid()


@pytest.mark.parametrize("workers", [1, 2, 3, 7, 64])
@pytest.mark.parametrize("lanes", [0, 1, 2, 5, 1000])
@pytest.mark.parametrize("count", [1, 2, 5, 17, len(CELLS)])
def test_laws(workers: int, lanes: int, count: int) -> None:
    cells = random.Random(count).sample(CELLS, count)
    packs = make_packs(cells, workers, lanes)
    assert sorted(cell.id for pack in packs for cell in pack.cells) == sorted(cell.id for cell in cells), "each once"
    fair = math.ceil(count / workers)
    for pack in packs:
        assert len({shape(cell.settings) for cell in pack.cells}) == 1, "one shape"
        assert 1 <= len(pack.cells) <= min(lanes or lanes_that_pay(pack.cells[0].settings), fair)
    work = [sum(core_seconds(cell.settings) for cell in pack.cells) for pack in packs]
    assert work == sorted(work, reverse=True), "the longest first, so that none is left alone at the end"


@pytest.mark.parametrize("workers", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7, 8])
def test_no_worker_is_idle_while_another_has_more_to_do(workers: int, count: int) -> None:
    """Of one shape: the last worker ends when it would if the cells were dealt out one by one."""
    cells = make_cells(*((f"seed={seed}",) for seed in range(count)))
    packs = make_packs(cells, workers)
    if count <= workers:
        assert [len(pack.cells) for pack in packs] == [1] * count
    assert max(len(pack.cells) for pack in packs) <= math.ceil(count / workers)


def test_packs_of_a_shape_are_even_and_as_few_as_may_be() -> None:
    cells = make_cells(*((f"seed={seed}",) for seed in range(50)))
    packs = make_packs(cells, workers=2, lanes=12)
    sizes = [len(pack.cells) for pack in packs]
    assert len(packs) == math.ceil(50 / 12)
    assert max(sizes) - min(sizes) <= 1


def test_packs_do_not_depend_on_chance() -> None:
    assert make_packs(CELLS, 2) == make_packs(CELLS, 2)
    assert make_packs([], 2) == []


def leaves(settings: Settings) -> dict[str, object]:
    return {
        f"{key}.{name}" if name else key: value
        for key, node in as_dict(settings).items()
        for name, value in (node.items() if isinstance(node, dict) else [("", node)])
    }


VARYING = {
    "seed": "seed=5",
    "init.name": "init=identity",
    "init.gain": "init.gain=1.5",
    "init.input_scale": "init.input_scale=0.5",
    "init.readout_scale": "init.readout_scale=0.5",
    "clip.name": "clip=value",
    "clip.threshold": "clip.threshold=0.5",
    "optim.lr": "optim.lr=0.5",
    "optim.beta1": "optim.beta1=0.5",
    "optim.beta2": "optim.beta2=0.5",
    "optim.eps": "optim.eps=1e-3",
    "schedule.name": "schedule=plateau",
    "schedule.warmup": "schedule.warmup=3",
    "penalty.name": "penalty=l2",
    "train.patience": "train.patience=3",
    "arch.forget_bias": "arch.forget_bias=3",
    "tracker.name": "tracker=wandb",
    "tracker.project": "tracker.project=other",
    "tracker.entity": "tracker.entity=other",
    "tracker.mode": "tracker.mode=auto",
    "train.checkpoint": "train.checkpoint=1",
    "train.save": "train.save=final",
    "executor.workers": "executor.workers=3",
    "executor.lanes": "executor.lanes=3",
    "executor.patience": "executor.patience=60",
    "plan.max_cells": "plan.max_cells=7",
    "runs_dir": "runs_dir=other",
    "probe": "probe=gates",
}
FIXED = {
    "arch.name": "arch=gru",
    "arch.hidden": "arch.hidden=9",
    "task.name": "task=binary_sum",
    "task.length": "task.length=7",
    "task.solved_at": "task.solved_at=0.5",
    "task.variant": "task.variant=any",
    "optim.name": "optim=sgd",
    "train.steps": "train.steps=8",
    "train.batch": "train.batch=9",
    "train.log_every": "train.log_every=1",
    "train.eval_every": "train.eval_every=4",
    "train.eval_size": "train.eval_size=17",
    "train.stop_when_solved": "train.stop_when_solved=true",
    "train.accumulate": "train.accumulate=2",
    "train.truncate": "train.truncate=5",
    "train.skip_nonfinite": "train.skip_nonfinite=true",
    "stack.layers": "stack.layers=3",
    "stack.bidirectional": "stack.bidirectional=true",
    "stack.start": "stack.start=learned",
    "stack.start_scale": "stack.start_scale=0.5",
    "stack.readout": "stack.readout=mean",
    "stack.norm": "stack.norm=layer",
    "stack.dropout": "stack.dropout=0.1",
    "stack.input_dropout": "stack.input_dropout=0.1",
    "stack.output_dropout": "stack.output_dropout=0.1",
    "stack.residual": "stack.residual=true",
    "stack.embedding": "stack.embedding=4",
    "stack.kind": "stack.kind=encoder_decoder",
    "stack.attention": "stack.attention=dot",
    "executor.kernel": "executor.kernel=torch",
    "executor.device": "executor.device=cuda",
}
BASE = ("stack.layers=2", "stack.start=random", "arch=lstm", "clip=norm")


@pytest.mark.parametrize("override", VARYING.values())
def test_what_may_vary_in_a_pack(override: str) -> None:
    changed = make_cell(*BASE, override)
    assert changed != make_cell(*BASE)
    assert shape(changed) == shape(make_cell(*BASE))


@pytest.mark.parametrize("override", FIXED.values())
def test_what_may_not(override: str) -> None:
    assert shape(make_cell(*BASE, override)) != shape(make_cell(*BASE))


def test_every_setting_is_on_one_of_the_two_lists() -> None:
    """A new setting must be put on one of them; `experiment` and the executor's name have one value here."""
    assert set(leaves(make_cell(*BASE))) - {"experiment", "executor.name"} == set(VARYING) | set(FIXED)
    assert VARIES == ("seed", "init", "clip", "optim.*", "schedule", "penalty", "train.patience")
    assert card("arch", "lstm").per_lane == ("forget_bias",)
    alone = {"seed", "arch.forget_bias", "train.patience"}
    allowed = {key for key in VARYING if decides(key)}
    groups = ("init.", "clip.", "optim.", "schedule.", "penalty.")
    assert alone <= allowed and all(key.startswith(groups) for key in allowed - alone)


def test_cells_that_pack_are_those_that_train_together_in_the_engine() -> None:
    """Whatever `shape` lets into one pack, the engine must be able to set up."""
    from sweeps.engine.setup import set_up

    others = [make_cell(*BASE, VARYING[key]) for key in VARYING]
    training = set_up([make_cell(*BASE), *others, make_cell(*BASE, "init=random", "init.std=0.5")])
    assert len(training.positions) == len(VARYING) + 2


def test_few_lanes_pay_for_wide_networks() -> None:
    assert lanes_that_pay(make_cell("arch.hidden=4")) == MOST
    assert lanes_that_pay(make_cell("arch=lstm", "arch.hidden=2048")) == 1
    widths = [lanes_that_pay(make_cell(f"arch.hidden={h}", "train.batch=32")) for h in (16, 32, 64, 128, 256, 512)]
    assert widths == sorted(widths, reverse=True)
    assert lanes_that_pay(make_cell("arch=lstm", "arch.hidden=128")) < lanes_that_pay(make_cell("arch.hidden=128"))


@pytest.mark.parametrize("count", [1, 2, 3, 16])
def test_a_split_keeps_every_cell_and_ends(count: int) -> None:
    pack = Pack(tuple(CELLS[:count]))
    parts = pack.split()
    assert tuple(cell for part in parts for cell in part.cells) == pack.cells
    assert len(parts) == min(2, count)
    assert count == 1 or all(len(part.cells) < count for part in parts)


def test_a_pack_is_named_after_its_first_cell_and_size() -> None:
    assert Pack(tuple(CELLS[:3])).id == f"{CELLS[0].id}x3"
    ids = [pack.id for pack in make_packs(CELLS, 2, lanes=2)]
    assert len(set(ids)) == len(ids)


def test_distinct_keeps_the_first_of_equals_in_order() -> None:
    one, two = make_cell("seed=1"), make_cell("seed=2")
    elsewhere = replace(one, runs_dir="other")
    cells = distinct([two, one, elsewhere, two])
    assert [cell.settings for cell in cells] == [two, one]
    assert cells[0].name == "rnn_tanh orthogonal clip=none T=6 seed=2"


def test_a_gpu_takes_hundreds_of_lanes_while_their_states_fit() -> None:
    cuda = ("executor.device=cuda", "arch.hidden=64", "train.batch=32")
    assert lanes_that_pay(make_cell(*cuda, "task.length=200")) == GPU_MOST
    long = make_cell(*cuda, "task.length=20000")
    assert 1 < lanes_that_pay(long) * 20000 * 4 * 32 * 64 * 4 <= GPU_MEMORY
