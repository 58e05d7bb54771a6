"""Sizes beyond the machine's memory are refused with a message; sizes measured to fit are accepted."""

from __future__ import annotations

import pytest

from helpers import make_cell
from sweeps.check import task_problems
from sweeps.plan.memory import inputs_too_large, memory, readable, too_large

MACHINE = 64 * 10**9


@pytest.mark.parametrize(
    ("overrides", "named"),
    [
        (["arch.hidden=1000000"], "arch.hidden=1000000: a cell would take about 16 TB of memory"),
        (["arch=lstm", "arch.hidden=100000"], "arch.hidden=100000: "),
        (["arch.hidden=100000", "stack.layers=3"], "arch.hidden=100000, stack.layers=3: "),
        (["task.length=999999999999"], "task.length=999999999999, train.batch=8, arch.hidden=8: "),
        (["train.batch=1000000000"], "task.length=6, train.batch=1000000000, arch.hidden=8: "),
        (["train.eval_size=1000000000000"], "task.length=6, train.eval_size=1000000000000: "),
        (["train.steps=10000000000000"], "task.length=6, train.steps=10000000000000, train.log_every=2: "),
    ],
)
def test_impossible_sizes_are_named_with_the_estimate(overrides: list[str], named: str) -> None:
    message = too_large(make_cell(*overrides), MACHINE)
    assert message is not None
    assert message.startswith(named)
    assert message.endswith("this machine has 64 GB")


@pytest.mark.parametrize(
    "overrides",
    [
        [],
        ["arch=lstm", "arch.hidden=2000", "task.length=5000", "train.batch=32"],
        ["task.length=1000000"],
        ["task=digits", "task.length=64", "train.eval_size=1000000000000"],  # its evaluation set is what it is
        ["train.steps=10000000000000", "train.stop_when_solved=true"],
    ],
)
def test_what_can_be_trained_is_let_through(overrides: list[str]) -> None:
    assert too_large(make_cell(*overrides), MACHINE) is None


@pytest.mark.parametrize("setting", ["task.symbols=1000000000", "task.values=1000000000"])
def test_inputs_beyond_the_memory_are_refused_before_any_are_made(setting: str) -> None:
    """Steps and symbols that only the task can tell: 2 x 10^9 more of the one, 10^9 of the other."""
    [problem] = task_problems([make_cell("task=memorization", setting)])
    assert problem.startswith("task=memorization: task.length=6, ") and f"{setting}" in problem
    assert "of memory, this machine has " in problem


def test_inputs_are_those_of_a_batch_and_of_the_evaluation_set() -> None:
    cell = make_cell("train.batch=8", "train.eval_size=12")
    assert inputs_too_large(cell, 100, 5, 4 * 100 * 5 * 20) is None
    assert "20 sequences of 100 steps of 5 inputs" in (inputs_too_large(cell, 100, 5, 4 * 100 * 5 * 20 - 1) or "")
    finite = make_cell("task=digits", "task.length=64", "train.batch=8", "train.eval_size=12")
    assert inputs_too_large(finite, 64, 1, 4 * 64 * 8) is None


@pytest.mark.parametrize(("arch", "measured"), [("rnn_tanh", 175e6), ("lstm", 1136e6), ("gru", 816e6)])
def test_the_estimate_is_below_what_was_measured_and_near(arch: str, measured: float) -> None:
    """Resident memory of a run of H = 128, T = 10,000, B = 32, beyond that of T = 2."""
    cell = make_cell(f"arch={arch}", "arch.hidden=128", "task.length=10000", "train.batch=32", "train.eval_size=2")
    assert 0.75 * measured < sum(memory(cell).values()) < measured


def test_readable() -> None:
    assert [readable(size) for size in (0, 999, 1500, 25.3e9, 4e30)] == [
        "0 bytes",
        "999 bytes",
        "1.5 kB",
        "25.3 GB",
        "4e+12 EB",
    ]
