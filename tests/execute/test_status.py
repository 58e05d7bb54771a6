"""The status file of a sweep: what a look while it runs may believe, and that it costs and changes nothing."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from helpers import SMALL, make_cell, summary_of
from sweeps.execute import status as module
from sweeps.execute.executor import Ended, Message
from sweeps.execute.harness import locked
from sweeps.execute.progress import Progress
from sweeps.execute.status import POINTS, StatusFile
from sweeps.launch import train
from sweeps.plan.packs import Pack
from sweeps.plan.plan import Plan, make_plan
from sweeps.records.files import write_json
from sweeps.records.lock import hold, is_held
from sweeps.records.paths import SweepPaths
from sweeps.records.status_file import look, read_status, write_status
from sweeps.terminal import terminal


def plan_of(count: int, lanes: int = 1) -> Plan:
    return make_plan([make_cell(f"seed={seed}") for seed in range(count)], {}, 1, lanes)


def progress_message(pack: Pack, done: float, loss: float = 0.5) -> Message:
    lanes = [
        {"cell": cell.id, "train_loss": loss, "eval_loss": 0.4, "eval_score": 0.6, "grad_norm": math.inf}
        for cell in pack.cells
    ]
    return Message(pack, "progress", {"done": done, "step": round(6 * done), "lanes": lanes})


class Fake:
    """Says that each pack is half done, then writes summaries; `during` is called between."""

    workers = 1

    def __init__(self, sweep: SweepPaths, seen: list[dict | None], error: BaseException | None = None) -> None:
        self.sweep, self.seen, self.error = sweep, seen, error

    def run(self, packs: Sequence[Pack], root: Path) -> Iterator[Message | Ended]:
        for pack in packs:
            yield progress_message(pack, 0.5)
            self.seen.append(read_status(self.sweep.status))
            if self.error:
                raise self.error
            for cell in pack.cells:
                self.sweep.cell(cell.id).root.mkdir(parents=True, exist_ok=True)
                write_json(self.sweep.cell(cell.id).summary, summary_of(cell.id))
                yield Message(pack, "ended", {"cell": cell.id, "outcome": "finished"})
            yield Ended(pack)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every event is written."""
    monkeypatch.setattr(module, "EVERY", 0.0)
    monkeypatch.setattr(module, "SHARE", math.inf)


@pytest.mark.usefixtures("at_once")
def test_it_says_what_trains_and_that_it_has_ended(tmp_path: Path) -> None:
    sweep, plan = SweepPaths(tmp_path), plan_of(4, lanes=2)
    seen: list[dict | None] = []
    with locked(sweep):
        train(plan, sweep, Fake(sweep, seen), terminal(file=sys.stderr))
    assert len(seen) == 2 and all(seen)
    status = seen[1]
    assert status and status["state"] == "running" and status["outcomes"] == {"finished": 2}
    [pack] = status["packs"]
    assert (pack["pack"], pack["done"], pack["step"], pack["steps"]) == (plan.packs[1].id, 0.5, 3, 6)
    assert [lane["name"] for lane in pack["lanes"]] == [cell.name for cell in plan.packs[1].cells]
    assert [(lane["train_loss"], lane["eval_score"], lane["grad_norm"]) for lane in pack["lanes"]] == [
        (0.5, 0.6, "inf")
    ] * 2
    now = look(sweep)
    assert now.state == "ended" and now.status and now.status["packs"] == []


@pytest.mark.parametrize(("error", "state"), [(KeyboardInterrupt(), "stopped"), (OSError("no room"), "failed")])
def test_it_says_how_else_a_sweep_came_to_its_end(tmp_path: Path, error: BaseException, state: str) -> None:
    sweep = SweepPaths(tmp_path)
    with pytest.raises(type(error)), locked(sweep):
        train(plan_of(1), sweep, Fake(sweep, [], error), terminal(file=sys.stderr))
    now = look(sweep)
    assert now.state == state and now.status
    assert now.status["error"] == ("no room" if state == "failed" else None)


def test_at_most_once_a_second_and_a_hundredth_of_the_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[float] = []

    class Clock:
        now = 100.0

        def monotonic(self) -> float:
            return self.now

        def time(self) -> float:
            return self.now

    def slowly(path: Path, status: dict) -> None:
        written.append(clock.now)
        clock.now += costs[0]

    clock, costs = Clock(), [0.0]
    monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(module, "write_status", slowly)
    plan = plan_of(1)
    status = StatusFile(SweepPaths(tmp_path), Progress(plan, terminal(file=sys.stderr)))
    for costs[0], least in ((0.0, 1.0), (0.02, 2.0)):
        written.clear()
        for k in range(400):
            status(progress_message(plan.packs[0], k / 400))
            clock.now += 0.1
        gaps = [b - a for a, b in pairwise(written)][1:]
        assert gaps and min(gaps) >= least - 1e-9


@pytest.mark.usefixtures("at_once")
def test_a_curve_grows_and_stays_short(tmp_path: Path) -> None:
    plan = make_plan([make_cell("train.steps=1000")], {}, 1, 1)
    [pack], [cell] = plan.packs, plan.cells
    status = StatusFile(SweepPaths(tmp_path), Progress(plan, terminal(file=sys.stderr)))
    lane = {"cell": cell.id, "eval_loss": None, "eval_score": None, "grad_norm": 1.0}
    for step in range(1000):
        status(
            Message(pack, "progress", {"done": step / 1000, "step": step, "lanes": [lane | {"train_loss": 1.0 + step}]})
        )
    found = read_status(SweepPaths(tmp_path).status)
    assert found
    steps, curve = found["packs"][0]["curve_steps"], found["packs"][0]["lanes"][0]["curve"]
    assert POINTS / 2 <= len(steps) <= POINTS and steps[0] == 0 and steps == sorted(set(steps)) and steps[-1] >= 950
    assert curve == [1.0 + step for step in steps]


def test_a_disk_that_takes_no_status_stops_nothing(tmp_path: Path) -> None:
    sweep = SweepPaths(tmp_path)
    sweep.status.mkdir()
    with locked(sweep):
        result = train(plan_of(2), sweep, Fake(sweep, []), terminal(file=sys.stderr))
    assert len(result.outcomes) == 2 and look(sweep).state is None


def test_whoever_takes_the_folder_removes_what_an_earlier_sweep_said(tmp_path: Path) -> None:
    sweep = SweepPaths(tmp_path)
    write_status(sweep.status, {"state": "running", "started": 1.0, "written": 2.0, "packs": []})
    assert look(sweep).state == "died"
    with locked(sweep):
        assert not sweep.status.exists() and look(sweep).state == "running"
    assert look(sweep).state is None


def test_looking_neither_makes_nor_takes_a_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not is_held(path) and not path.exists()
    with hold(path):
        assert is_held(path) and is_held(path)
    assert not is_held(path)
    assert not is_held(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        '{"format": 1}',
        '{"format": 2, "state": "ended", "started": 1, "written": 1, "packs": []}',
        '{"format": 1, "state": "flies", "started": 1, "written": 1, "packs": []}',
        '{"format": 1, "state": "ended", "started": "1", "written": 1, "packs": []}',
        '{"format": 1, "state": "running", "started": 1, "written": 1, "packs": [{"done": 1}]}',
        '{"format": 1, "state": "running", "started": 1, "written": 1, "packs": [7]}',
    ],
)
def test_what_is_no_status_is_none(tmp_path: Path, content: str) -> None:
    path = tmp_path / "status.json"
    path.write_text(content)
    assert read_status(path) is None


def test_a_sweep_that_was_killed_is_known_by_its_lock(tmp_path: Path) -> None:
    """A real sweep: while it trains the file is believed, after `kill -9` it is not."""
    sweep = SweepPaths(tmp_path / "runs" / "scratch")
    small = [text for text in SMALL if not text.startswith(("train.steps", "train.log_every", "train.eval_every"))]
    endless = ["train.steps=100000000", "train.log_every=100", "train.eval_every=100000000"]
    command = [sys.executable, "-m", "sweeps", "-m", *small, *endless, "seed=range(2)"]
    null = subprocess.DEVNULL
    with subprocess.Popen(command, cwd=tmp_path, stdout=null, stderr=null) as process:
        end = time.monotonic() + 60
        while not ((now := look(sweep)).status or {}).get("packs"):
            assert time.monotonic() < end and process.poll() is None, now
            time.sleep(0.05)
        assert now.state == "running" and now.status
        lane = now.status["packs"][0]["lanes"][0]
        assert lane["train_loss"] > 0 and lane["name"].startswith("rnn_tanh")
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert json.loads(sweep.status.read_text())["state"] == "running", "it had no time to say anything"
    assert look(sweep).state == "died"
