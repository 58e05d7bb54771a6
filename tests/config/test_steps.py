"""What is known of a task's number of time steps is what the task says."""

from __future__ import annotations

import pytest

from helpers import make_cell
from sweeps import tasks
from sweeps.config.steps import BEYOND, EVERY, WIDTHS, about_steps, known_steps


@pytest.mark.parametrize("name", tasks.registered())
@pytest.mark.parametrize("length", [64, 101])
def test_the_steps_of_every_task(name: str, length: int) -> None:
    settings = make_cell(f"task={name}", f"task.length={length}")
    made = tasks.task_of(settings.task)
    assert name in BEYOND and known_steps(settings) == about_steps(settings) == made.length
    assert WIDTHS[name] == (made.inputs, made.outputs) and (name in EVERY) == (tasks.answers(made) == "every")


def test_a_cut_within_the_sequence_is_kept_whatever_task_length_says() -> None:
    assert make_cell("task=copy", "task.length=5", "train.truncate=20").train.truncate == 20
    assert make_cell("task=copy", "task.length=5", "train.truncate=25").train.truncate == 0
    assert make_cell("task=adding", "task.length=5", "train.truncate=5").train.truncate == 0


def test_a_cut_of_a_task_that_is_not_known_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(BEYOND, "adding")
    assert make_cell("task=adding", "task.length=5", "train.truncate=50").train.truncate == 50
