"""What a report tells to type: it reaches the records where they are."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from analysis.make_records import write_cell
from sweeps import load
from sweeps.records.paths import SweepPaths
from sweeps.report.make import make_report
from sweeps.report.reproduce import overrides, reproduce
from sweeps.report.runs import runs


def texts(root: Path, folder: object) -> tuple[str, str]:
    """The section on how to reproduce, and that on runs without pages, of one cell."""
    write_cell(root, settings={"runs_dir": folder})
    (root / "multirun.yaml").write_text(f"hydra: {{overrides: {{task: [seed=0, 'runs_dir={folder}']}}}}\n")
    records = load(root, cache=False)
    sections = (reproduce(records), runs(records, [], root / "report" / "runs.csv", root / "report"))
    how, alone = ("\n".join(str(vars(block)) for block in section.blocks) for section in sections)
    return how, alone


@pytest.mark.parametrize(("folder", "typed"), [("/data/mine", "runs_dir=/data/mine"), ("a b", "'runs_dir=a b'")])
def test_another_folder_is_part_of_every_command(tmp_path: Path, folder: str, typed: str) -> None:
    how, alone = texts(tmp_path / "x", folder)
    how, alone = (text.replace("\\'", "'") for text in (how, alone))
    assert f"sweeps -m seed=0 {typed}\\n" in how and f"sweeps report experiment=x {typed}\\n" in how
    assert f"show cell=ID page=run.html {typed}`" in alone and f"report experiment=x pages=true {typed}`" in alone


def test_the_usual_folder_is_not_told(tmp_path: Path) -> None:
    assert not any("runs_dir=" in text for text in texts(tmp_path / "x", "runs"))


def test_a_figure_without_pages_says_the_whole_command_that_shows_a_run(tmp_path: Path) -> None:
    """The `runs_dir` included, without which the command finds no record."""
    for seed in (0, 1):
        write_cell(tmp_path / "x", seed=seed, settings={"runs_dir": "/elsewhere/runs"})
    page = make_report(SweepPaths(tmp_path / "x"), pages=False).html.read_text()
    assert '"show":"python -m sweeps show runs_dir=/elsewhere/runs"' in page


def test_a_setting_of_one_value_is_told_as_it_was_typed(tmp_path: Path) -> None:
    """The sweep itself notes down `choice(4000)` of a setting that not all tasks have; a list stays one."""
    typed = ["task.evaluated=choice(4000)", "seed=choice(1,2)", "task.corpus=choice('a)b')", "optim.lr=0.1"]
    (tmp_path / "multirun.yaml").write_text(yaml.safe_dump({"hydra": {"overrides": {"task": typed}}}))
    assert overrides(tmp_path) == ["task.evaluated=4000", *typed[1:]]
