"""All experiments with claims: the cheapest first, one that fails stops no other, what is done is not trained again."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sweeps.commands.papers import papers
from sweeps.errors import SweepsError
from sweeps.main import main

command: Any = import_module("sweeps.commands.papers")
COSTS = {"growth_law": 60.0, "lyapunov_slope": 5.0, "identity_power_law": 30.0}


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The command lines of training, which is not done; that of identity_power_law fails."""
    lines: list[list[str]] = []

    def run(line: list[str]) -> Any:
        lines.append(line[3:])
        return SimpleNamespace(returncode=int("experiment=identity_power_law" in line))

    monkeypatch.setattr(command.subprocess, "run", run)
    monkeypatch.setattr(command, "claims", lambda arguments: lines.append(["claims", *arguments]))
    monkeypatch.setattr(command, "_forecasts", lambda names, *_: {name: COSTS[name] for name in names})
    return lines


def test_the_cheapest_is_first_and_a_failure_stops_no_other(trained: list[list[str]], capsys: Any) -> None:
    assert papers([f"experiment={','.join(COSTS)}", "runs_dir=r", "into=x", "executor.workers=1"]) == 1
    names = ["lyapunov_slope", "identity_power_law", "growth_law"]
    expected = []
    for name in names:
        expected.append(["-m", f"experiment={name}", "runs_dir=r", "executor.workers=1"])
        expected.append(["claims", f"experiment={name}", "runs_dir=r", f"into={Path('x', name, 'result')}"])
    assert trained == expected
    printed = capsys.readouterr().out
    assert "1 experiment of 3 failed: identity_power_law" in printed
    assert "growth_law: judged" in printed and "(forecast 1 min" in printed


def test_an_interrupt_ends_all(trained: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command.subprocess, "run", lambda line: SimpleNamespace(returncode=130))
    with pytest.raises(KeyboardInterrupt):
        papers([f"experiment={','.join(COSTS)}"])
    assert not trained, "nothing was judged, nothing else begun"


def test_an_experiment_without_claims_is_named(capsys: Any) -> None:
    assert main(["papers", "experiment=growth_lwa"]) == 2
    assert "did you mean 'growth_law'? (allowed: " in capsys.readouterr().err
    with pytest.raises(SweepsError, match="'first_look' is not known"):
        papers(["experiment=first_look"])


@pytest.mark.slow
def test_the_same_command_goes_on_where_it_was(tmp_path: Path, capfd: Any) -> None:
    """Two lyapunov gains at H = 4 for real: trained, judged and written; then found done."""
    line = ["papers", "experiment=lyapunov_slope", f"runs_dir={tmp_path}", f"into={tmp_path / 'into'}", "tracker=csv",
            "arch.hidden=4", "task.length=40", "seed=range(5)", "executor.workers=1"]  # fmt: skip
    assert main(line) == 0
    assert (tmp_path / "into" / "lyapunov_slope" / "result" / "claims.csv").is_file()
    capfd.readouterr()
    assert main(line) == 0
    printed = capfd.readouterr().out
    assert "60 cells, 60 done" in printed and "Nothing to train: every cell is done." in printed
