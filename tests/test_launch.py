"""What a sweep has written before it trains."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import pytest

from helpers import SMALL
from sweeps import launch
from sweeps.config.command_line import load
from sweeps.records.paths import SweepPaths


def test_what_was_asked_for_is_on_disk_before_anything_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*given: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(launch, "run", stopped)
    jobs = [[*SMALL, f"runs_dir={tmp_path}", f"seed={seed}"] for seed in range(2)]
    with pytest.raises(KeyboardInterrupt):
        launch.launch(jobs, load, "seed: 0,1\n")
    sweep = SweepPaths(tmp_path / "scratch")
    assert sweep.multirun.read_text() == "seed: 0,1\n"
    assert len(sweep.plan.read_text().splitlines()) == 1 + 2


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    launch.launch([[*SMALL, f"runs_dir={tmp_path}"]], load, "seed: 0\n", dry_run=True)
    assert list(tmp_path.iterdir()) == []
