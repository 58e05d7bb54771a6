"""What `make` hands on: its arguments, and the exit status of what it ran."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from sweeps.config.places import ROOT


def make(venv: Path, *words: str, sweep: int = 0, report: int = 0) -> subprocess.CompletedProcess[str]:
    """`make ...` with an environment whose python prints its arguments and ends with the given status."""
    python = venv / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\necho "$@"\ncase "$*" in *" report "*) exit {report};; esac\nexit {sweep}\n')
    python.chmod(0o755)
    (venv / ".ready").touch()
    return subprocess.run(["make", "-C", str(ROOT), f"VENV={venv}", *words], capture_output=True, text=True)


@pytest.mark.parametrize(
    ("sweep", "report", "expected"), [(0, 0, 0), (0, 3, 3), (1, 0, 1), (1, 3, 1), (2, 0, 2)], ids=str
)
def test_make_sweep_ends_as_the_sweep_did_or_else_as_the_report_did(
    tmp_path: Path, sweep: int, report: int, expected: int
) -> None:
    """Cells that failed are reported too; a sweep that was refused has nothing to report."""
    completed = make(tmp_path / "venv", "sweep", sweep=sweep, report=report)
    assert completed.returncode == (2 if expected else 0)  # of make itself
    assert (f"Error {expected}" in completed.stderr) == (expected != 0)
    assert ("-m sweeps report " in completed.stdout) == (sweep != 2)


@pytest.mark.parametrize(
    ("target", "handed_on"),
    [
        ("mirror", "mirror experiment=x runs_dir=here tracker.mode=online"),
        ("workspace", "workspace experiment=x runs_dir=here tracker.mode=online"),
        ("dashboard", "dashboard experiment=x runs_dir=here port=8000"),
        ("report", "report experiment=x runs_dir=here"),
    ],
)
def test_make_hands_on_what_a_command_takes(tmp_path: Path, target: str, handed_on: str) -> None:
    given = "ARGS=seed=1,2 runs_dir=here tracker.mode=online port=8000"
    completed = make(tmp_path / "venv", target, "EXPERIMENT=x", given)
    assert f"-m sweeps {handed_on}\n" in completed.stdout


def test_an_experiment_among_the_arguments_is_refused(tmp_path: Path) -> None:
    """It would train one and report another."""
    completed = make(tmp_path / "venv", "sweep", "ARGS=experiment=digits seed=1")
    assert completed.returncode == 2 and "write EXPERIMENT=digits in its place" in completed.stderr
    assert "-m sweeps" not in completed.stdout
