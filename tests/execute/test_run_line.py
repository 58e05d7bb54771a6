"""The line of a single run: what it says, how often, and that it is seen in a terminal only."""

from __future__ import annotations

import io
import math
import os
import pty
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

from helpers import SMALL, make_cells
from sweeps.execute import run_line as module
from sweeps.execute.run_line import RunLine
from sweeps.terminal import terminal


class Clock:
    now = 1000.0

    def monotonic(self) -> float:
        return self.now


def content(step: int, **measured: float | None) -> dict:
    lane = {"cell": "x", "train_loss": 0.5, "eval_loss": 0.25, "eval_score": 0.75, "grad_norm": 1.0} | measured
    return {"done": step / 6, "step": step, "lanes": [lane]}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def test_the_line_tells_step_time_and_numbers_and_vanishes(clock: Clock) -> None:
    [cell] = make_cells(())
    out = io.StringIO()
    with RunLine(cell, Console(file=out, force_terminal=True, width=120)) as line:
        assert "importing torch" in out.getvalue()
        line("progress", content(0, eval_loss=None, eval_score=None, grad_norm=math.inf))
        assert line.text == "0/6 · loss 0.5 · gradient inf", "no time is known, nothing was evaluated"
        clock.now += 10
        line("progress", content(2))
        assert line.text == "2/6 · 20 s left · loss 0.5 · eval 0.25, score 0.75 · gradient 1"
        clock.now += module.PAUSE / 2
        line("progress", content(3))
        assert line.text.startswith("2/6"), "not more often than the pause"
        line("ended", {"cell": cell.id, "outcome": "finished"})
    assert out.getvalue().endswith("\x1b[2K")


def test_without_a_terminal_nothing_is_said() -> None:
    [cell] = make_cells(())
    out = io.StringIO()
    with RunLine(cell, terminal(file=out)) as line:
        line("progress", content(2))
    assert out.getvalue() == ""


def test_a_run_in_a_terminal_says_something_soon_and_leaves_the_last_lines(tmp_path: Path) -> None:
    main, worker = pty.openpty()
    command = [sys.executable, "-m", "sweeps", *SMALL, "train.steps=40"]
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "200"}
    started = time.monotonic()
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=worker, stderr=worker) as process:
        os.close(worker)
        first = os.read(main, 1 << 16)
        seconds = time.monotonic() - started
        said = first
        while process.poll() is None or not said.endswith(b"\r\n"):
            try:
                said += os.read(main, 1 << 16)
            except OSError:  # the terminal is closed
                break
    os.close(main)
    assert process.returncode == 0 and first.startswith(b"Reading the settings")
    assert seconds < 10, "far below what torch needs on a busy machine"
    text = said.decode()
    order = ["Reading", "importing torch", "compiles its kernels", "0/40", "finished at step 40", "Record: "]
    places = [text.find(part) for part in order]
    assert places == sorted(places) and -1 not in places, text


def test_a_wrong_setting_in_a_terminal_is_one_clear_error(tmp_path: Path) -> None:
    main, worker = pty.openpty()
    command = [sys.executable, "-m", "sweeps", "arch.hidden=abc"]
    environment = os.environ | {"TERM": "xterm"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, stdout=worker, stderr=subprocess.PIPE, text=True)
    os.close(worker)
    shown = os.read(main, 1 << 16)
    os.close(main)
    assert done.returncode == 2 and "arch.hidden" in done.stderr
    assert shown == b"Reading the settings ...\r\x1b[2K"
