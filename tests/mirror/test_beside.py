"""The mirror's process ends with its sweep, whatever ends the sweep, and leaves no temporary folder."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mirror.conftest import no_account
from mirror.mirrored import add_cell
from sweeps.config.schema import Tracker
from sweeps.mirror import beside as tracking
from sweeps.mirror.beside import Mirror
from sweeps.records.paths import SweepPaths
from sweeps.terminal import terminal

__all__ = ["no_account"]

WANDB = Tracker("wandb", "tests", "", "offline")


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder for temporary files of the processes that are started, empty; its name is short enough for sockets."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        monkeypatch.setenv("TMPDIR", folder)
        yield Path(folder)


def until(holds: Callable[[], object]) -> None:
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def mirror_of(sweep: SweepPaths) -> tuple[Mirror, io.StringIO]:
    """A mirror and the stream that it prints to."""
    output = io.StringIO()
    return Mirror(WANDB, sweep, terminal(file=output)), output


def process_of(mirror: Mirror) -> subprocess.Popen[str]:
    assert mirror._process is not None
    return mirror._process


def test_a_sweep_that_is_stopped_has_its_mirror_tidy_up(tmp_path: Path, temporary: Path) -> None:
    sweep = SweepPaths(tmp_path / "runs" / "first_look")
    add_cell(sweep, 1)
    mirror, output = mirror_of(sweep)
    with pytest.raises(KeyboardInterrupt), mirror:
        until(
            lambda: list(sweep.mirror.rglob("*.wandb"))
        )  # the client is at work: its folders are made and known to it
        assert list(temporary.iterdir())
        raise KeyboardInterrupt
    assert process_of(mirror).returncode == 143
    assert list(temporary.iterdir()) == []
    assert output.getvalue() == ""


@pytest.fixture
def deaf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Replace the mirror's process by one that ignores SIGTERM and the end of its input; returns its first file."""
    runs = tmp_path / "runs.deaf"
    script = tmp_path / "python"
    script.write_text(f"#!{sys.executable}\nimport signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
                      f"open({str(runs)!r}, 'w')\ntime.sleep(60)\n")  # fmt: skip
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))
    monkeypatch.setattr(tracking, "GRACE", 0.2)
    return runs


def test_a_mirror_that_does_not_end_is_killed(tmp_path: Path, deaf: Path) -> None:
    mirror, _ = mirror_of(SweepPaths(tmp_path / "runs"))
    with pytest.raises(RuntimeError), mirror:
        until(deaf.exists)
        raise RuntimeError
    assert process_of(mirror).returncode == -9


def test_a_mirror_that_takes_for_ever_is_ended_and_that_is_printed(
    tmp_path: Path, deaf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracking, "PATIENCE", 0.2)
    mirror, output = mirror_of(SweepPaths(tmp_path / "first_look"))
    with mirror:
        until(deaf.exists)
    assert process_of(mirror).returncode == -9
    assert output.getvalue().startswith(
        "W&B mirror: not finished; `python -m sweeps mirror experiment=first_look` goes"
    )


def test_ctrl_c_does_not_reach_the_mirror_but_through_the_sweep(tmp_path: Path, deaf: Path) -> None:
    """A terminal sends SIGINT to the sweep's process group; the mirror must end by the sweep's SIGTERM alone."""
    mirror, _ = mirror_of(SweepPaths(tmp_path / "runs"))
    with pytest.raises(RuntimeError), mirror:
        assert os.getpgid(process_of(mirror).pid) != os.getpgrp()
        raise RuntimeError
