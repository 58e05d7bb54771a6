"""A plan drops duplicates, skips cells that are done, and forecasts the time of the others."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace

import pytest

from helpers import make_cell, make_cells
from sweeps.config.cards import card
from sweeps.config.identity import cell_id
from sweeps.plan.forecast import PER_CELL, PER_UPDATE, RATE, core_seconds, correction
from sweeps.plan.plan import make_plan

GRID = [make_cell(f"arch={arch}", f"seed={seed}") for arch in ("rnn_tanh", "gru") for seed in range(5)]
IDS = [cell_id(each) for each in GRID]


def test_duplicates_are_trained_once() -> None:
    plan = make_plan([*GRID, *GRID[:3]], {}, workers=2)
    assert plan.jobs == 13
    assert [cell.id for cell in plan.cells] == IDS, "in the order of the grid"
    assert sorted(cell.id for pack in plan.packs for cell in pack.cells) == sorted(IDS)


@pytest.mark.parametrize("count", [0, 1, 4, 10])
def test_what_is_done_is_skipped(count: int) -> None:
    plan = make_plan(GRID, dict.fromkeys(IDS[:count], 1.0), workers=2)
    assert [cell.id for cell in plan.done] == IDS[:count]
    assert [cell.id for cell in plan.to_train] == IDS[count:]
    assert sorted(cell.id for pack in plan.packs for cell in pack.cells) == sorted(IDS[count:])


def test_records_of_other_cells_do_not_matter() -> None:
    assert make_plan(GRID, {"feedfeedfeed": 1.0}, workers=2) == make_plan(GRID, {}, workers=2)


def test_a_finished_sweep_has_nothing_to_do() -> None:
    plan = make_plan(GRID, dict.fromkeys(IDS, 1.0), workers=2)
    assert (plan.packs, plan.to_train, plan.forecast) == ([], [], 0.0)


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_the_forecast_is_that_of_packs_going_to_the_first_free_worker(workers: int) -> None:
    plan = make_plan(GRID, {}, workers)
    work = sum(core_seconds(each) for each in GRID)
    assert work / workers <= plan.forecast * (1 + 1e-12)
    assert plan.forecast <= work * (1 + 1e-12)
    if workers == 1:
        assert plan.forecast == pytest.approx(work)


def test_the_forecast_learns_from_finished_cells() -> None:
    """Cells that took three times what was forecast triple the forecast of the rest."""
    done = {key: 3 * core_seconds(each) for key, each in zip(IDS[:4], GRID[:4], strict=True)}
    plan = make_plan(GRID, done, workers=1)
    assert plan.correction == pytest.approx(3)
    assert plan.forecast == pytest.approx(3 * sum(core_seconds(each) for each in GRID[4:]))


def test_correction_is_a_median_and_1_without_evidence() -> None:
    cell = GRID[0]
    assert correction([]) == 1.0
    assert correction([(cell, 0.0)]) == 1.0, "a record without a time says nothing"
    assert correction((cell, factor * core_seconds(cell)) for factor in (2, 2, 2, 500)) == pytest.approx(2)


LARGE = ("arch.hidden=64", "task.length=100", "train.batch=32", "train.steps=1000")


@pytest.mark.parametrize(
    "override",
    ["task.length=200", "train.steps=2000", "arch.hidden=128", "train.batch=64", "arch=lstm", "stack.layers=2"],
)
def test_more_work_is_forecast_to_take_longer(override: str) -> None:
    assert core_seconds(make_cell(*LARGE, override)) > 1.3 * core_seconds(make_cell(*LARGE))
    assert core_seconds(make_cell(override)) > core_seconds(make_cell()), "of tiny cells, too"


def test_inputs_and_answers_count() -> None:
    """Ten inputs and an answer of nine numbers at every time step, beside two inputs and one answer of one number."""
    h, b, steps = 64, 32, 1000
    one, copy = (
        core_seconds(make_cell(*LARGE, f"task={task}", f"task.length={length}", "train.eval_size=2"))
        for task, length in (("adding", 100), ("copy", 80))
    )
    more = 3 * b * steps * (100 * 8 * 2 * h + 100 * 2 * h * 9 - 2 * h)
    assert (copy - one) * RATE == pytest.approx(more, rel=0.1)


def test_time_grows_with_length_and_steps_in_proportion() -> None:
    """Beside what a cell and an update cost at any size."""

    def work(length: int, steps: int) -> float:
        cell = make_cell(f"task.length={length}", f"train.steps={steps}", "train.eval_every=100")
        return core_seconds(cell) - PER_CELL - steps * PER_UPDATE

    for length, steps in ((100, 1000), (50, 2000)):
        assert work(length, steps) == pytest.approx(2 * work(50, 1000), rel=1e-3), "but for one readout a sequence"


def test_two_thousand_tiny_cells_are_no_work_of_a_moment() -> None:
    """Their operations are some milliseconds; setting them up and recording them is what takes time."""
    plan = make_plan([make_cell(f"seed={seed}") for seed in range(2000)], {}, workers=2)
    assert 5 < plan.forecast < 60


def test_ten_thousand_cells_are_planned_in_a_moment() -> None:
    """In proportion to the count: ten times the cells may take some twenty times as long, not a hundred."""

    def planned(count: int) -> float:
        base = [replace(make_cell(f"arch={arch}"), seed=0) for arch in ("rnn_tanh", "lstm", "gru")]
        grid = [replace(base[k % 3], seed=k) for k in range(count)]
        started = time.perf_counter()
        plan = make_plan(grid, {}, workers=2)
        assert sum(len(pack.cells) for pack in plan.packs) == count
        assert plan.forecast > 0
        return time.perf_counter() - started

    small, large = planned(1_000), planned(10_000)
    print(f"planned 1,000 cells in {small:.2f} s, 10,000 in {large:.2f} s")
    assert large < 40 * small + 1


def test_cells_that_have_begun_are_packed_with_those_of_their_update_and_less_of_them_is_left() -> None:
    cells = make_cells(
        *((f"seed={seed}", "train.steps=100", "train.log_every=10", "train.eval_every=10") for seed in range(6))
    )
    begun = {cells[0].id: 75, cells[1].id: 75, cells[4].id: 50, cells[2].id: 75}
    settings = [cell.settings for cell in cells]
    fresh, plan = make_plan(settings, {}, workers=1), make_plan(settings, {}, workers=1, begun=begun)
    assert [len(pack.cells) for pack in fresh.packs] == [6]
    packed = [{begun.get(cell.id, 0) for cell in pack.cells} for pack in plan.packs]
    assert sorted(packed, key=max) == [{0}, {50}, {75}]
    assert sum(len(pack.cells) for pack in plan.packs) == 6
    assert plan.forecast == pytest.approx(fresh.forecast * (2 + 0.5 + 3 * 0.25) / 6)


def test_the_names_of_a_sweep_tell_its_cells_apart() -> None:
    """By every axis there is, whatever it is; what comes with a choice, the threshold of a clipping, adds nothing."""
    axes = itertools.product(("adding", "binary_sum"), ("none", "norm"), (0.01, 0.1), (0, 1))
    settings = [make_cell(f"task={t}", f"clip={c}", f"optim.lr={lr}", f"seed={s}") for t, c, lr, s in axes]
    names = [cell.name for cell in make_plan(settings, {}, workers=1).cells]
    assert len(set(names)) == len(names) == 16
    assert names[0] == "rnn_tanh orthogonal clip=none T=6 task=adding lr=0.01 seed=0"
    assert make_plan(settings[:2], {}, workers=1).cells[1].name == "rnn_tanh orthogonal clip=none T=6 seed=1"


def test_steps_that_are_called_one_by_one_cost_their_time_at_any_size() -> None:
    """MGU runs by its definition: its card says the microseconds of a time step."""
    small = make_cell("arch=mgu", "arch.hidden=2", "task.length=100", "train.steps=50", "train.eval_every=50")
    per_step = card("arch", "mgu").per_step * 1e-6
    assert per_step > 0 and card("arch", "lstm").per_step == 0
    assert core_seconds(small) > 50 * 100 * per_step
    twice = replace(small, stack=replace(small.stack, layers=2))
    assert core_seconds(twice) - core_seconds(small) > 50 * 100 * per_step
