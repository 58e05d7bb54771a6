"""What was varied and what it took: a setting that comes with a choice is no axis beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from analysis.make_records import write_cell
from sweeps.analysis.loading.load import load
from sweeps.report.document import Section
from sweeps.report.what_ran import what_ran
from sweeps.report.what_varied import what_varied


def _text(section: Section) -> str:
    return " ".join(getattr(block, "text", "") for block in section.blocks)


def _two_tasks(root: Path, **other: dict[str, Any]) -> str:
    """What is said of two tasks, each with its own threshold, and `other` settings by task."""
    for name, solved_at in (("adding", 0.9), ("binary_sum", 0.99)):
        for seed in (0, 1):
            write_cell(
                root, seed=seed, settings={"task.name": name, "task.solved_at": solved_at, **other.get(name, {})}
            )
    return _text(what_varied(load(root)))


def test_what_comes_with_a_task_goes_with_it(tmp_path: Path) -> None:
    """The numbers of two tasks are never compared, so their thresholds confound nothing."""
    text = _two_tasks(tmp_path)
    assert (
        "Settings that go with a choice: solved at a score of (adding 0.9, binary_sum 0.99); variant (adding half)."
        in text
    )
    assert "Varied along" not in text


def test_the_data_are_told_where_they_are_not_the_defaults(tmp_path: Path) -> None:
    """What the numbers are of: the user's own text, read in windows, is not the corpus of the default."""
    settings = {
        "task.name": "char_lm",
        "task.path": "/my/own.txt",
        "task.read": "windows",
        "task.corpus": "shakespeare",
    }
    for seed in (0, 1):
        write_cell(tmp_path, seed=seed, settings=settings | {"task.evaluated": 4000})
    text = _text(what_varied(load(tmp_path)))
    same = text.partition("The same in every cell: ")[2].partition(". ")[0].split(", ")
    assert {"path /my/own.txt", "read windows", "evaluated = 4000"} <= set(same) and "shakespeare" not in text


def test_a_setting_without_a_value_goes_with_no_task(tmp_path: Path) -> None:
    text = _two_tasks(tmp_path, adding={"task.path": ""})
    assert "path" not in text


def test_what_follows_the_task_without_being_of_it_is_told(tmp_path: Path) -> None:
    text = _two_tasks(tmp_path, adding={"optim.lr": 0.1}, binary_sum={"optim.lr": 0.01})
    assert "Varied along with another axis, so that their effects cannot be told apart: learning rate" in text


def test_a_study_of_seeds_alone_has_no_product_of_one_factor(tmp_path: Path) -> None:
    for seed in (0, 1, 2):
        write_cell(tmp_path, seed=seed)
    text = _text(what_varied(load(tmp_path)))
    assert " 3 cells. The same in every cell" in text and "3 = 3" not in text


@pytest.mark.parametrize(("seconds", "said"), [(0.2, "less than a second"), (3.0, "6 s"), (60.0, "2 min 00 s")])
def test_the_time_that_runs_took_has_the_unit_it_needs(tmp_path: Path, seconds: float, said: str) -> None:
    for seed in (0, 1):
        write_cell(tmp_path, seed=seed, summary={"seconds": seconds})
    assert f"The runs took {said} of computing in all." in _text(what_ran(load(tmp_path)))


def test_what_every_network_has_beyond_the_usual_is_said(tmp_path: Path) -> None:
    stack = {"stack.layers": 2, "stack.bidirectional": True, "stack.norm": "none", "train.truncate": 5}
    for seed in (0, 1):
        write_cell(tmp_path / "deep", seed=seed, settings=stack)
        write_cell(tmp_path / "plain", seed=seed)
        write_cell(tmp_path / "both", seed=seed)
        write_cell(tmp_path / "both", seed=seed, settings={"stack.layers": 2})
    deep, plain, both = (_text(what_varied(load(tmp_path / name))) for name in ("deep", "plain", "both"))
    assert ", truncation = 5, layers = 2, directions: both." in deep
    assert "layers =" not in plain and "truncation" not in plain and "layers =" not in both
