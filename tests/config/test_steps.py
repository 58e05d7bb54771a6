"""What is known of a task's number of time steps is what the task says."""

from __future__ import annotations

import pytest

from helpers import OF_TASK, make_cell
from sweeps import tasks
from sweeps.config.steps import BEYOND, EVERY, WIDTHS, about_steps, known_steps


@pytest.mark.parametrize("name", tasks.registered())
@pytest.mark.parametrize("length", [64, 101])
def test_the_steps_of_every_task(name: str, length: int) -> None:
    settings = make_cell(f"task={name}", f"task.length={length}", *OF_TASK.get(name, ()))
    made = tasks.task_of(settings.task)
    assert known_steps(settings) == (made.length if name in BEYOND else None)
    assert name not in BEYOND or about_steps(settings) == made.length
    assert WIDTHS[name] == (made.inputs, made.outputs) and (name in EVERY) == (tasks.answers(made) == "every")


@pytest.mark.parametrize(
    ("task", "option", "values"),
    [
        ("adding", "variant", ("half", "any", "hochreiter", "pascanu")),
        ("multiplication", "variant", ("hochreiter", "pascanu")),
        ("temporal_order", "variant", ("hochreiter", "pascanu")),
        ("temporal_order", "bits", (2, 3)),
        ("parity", "delay", (0, 1, 7)),
    ],
)
def test_no_option_changes_the_steps_of_a_task_that_is_known(
    task: str, option: str, values: tuple[str | int, ...]
) -> None:
    for value in values:
        settings = make_cell(f"task={task}", "task.length=37", f"task.{option}={value}")
        assert known_steps(settings) == tasks.task_of(settings.task).length == 37


def test_a_cut_within_the_sequence_is_kept_whatever_task_length_says() -> None:
    assert make_cell("task=copy", "task.length=5", "train.truncate=20").train.truncate == 20
    assert make_cell("task=copy", "task.length=5", "train.truncate=25").train.truncate == 0
    assert make_cell("task=adding", "task.length=5", "train.truncate=5").train.truncate == 0


def test_a_cut_of_a_task_that_is_not_known_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(BEYOND, "adding")
    assert make_cell("task=adding", "task.length=5", "train.truncate=50").train.truncate == 50
