"""What the page says of the process of a sweep: it runs, has ended, was stopped or is gone; and it writes nothing."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from sweeps.dashboard.live import live
from sweeps.dashboard.serve import serve
from sweeps.records.lock import hold
from sweeps.records.paths import SweepPaths
from sweeps.records.plan_file import write_plan
from sweeps.records.status_file import write_status

MISSING = ("f" * 12, "e" * 12)
LANES = [
    {
        "cell": cell,
        "name": f"gru orthogonal clip=none T=50 seed={seed}",
        "outcome": None,
        "train_loss": loss,
        "eval_loss": 0.2,
        "eval_score": 0.5,
        "grad_norm": 1.5,
        "curve": [1.0, 0.5, loss],
    }
    for seed, (cell, loss) in enumerate(zip(MISSING, (0.25, "nan"), strict=True))
]
PACK = {
    "pack": f"{MISSING[0]}x2",
    "done": 0.5,
    "step": 20,
    "steps": 40,
    "seconds_left": 100.0,
    "curve_steps": [0, 10, 20],
    "lanes": LANES,
}


def say(sweep: SweepPaths, state: str, **more: Any) -> None:
    now = time.time()
    status = {"state": state, "started": now - 60, "written": now - 10, "seconds_left": 200.0, "packs": [PACK]}
    write_status(sweep.status, status | more)


def answer(sweep: SweepPaths) -> dict[str, Any]:
    """What the page is told, as JSON."""
    with ExitStack() as stack:
        command = [sys.executable, "-c", "import time; time.sleep(60)"]
        address = stack.enter_context(serve(stack.enter_context(live(sweep, command))))
        there = HTTPConnection("127.0.0.1", urlsplit(address).port or 0)
        there.request("GET", "/status")
        found: dict[str, Any] = json.loads(there.getresponse().read())
        there.close()
    return found


@pytest.fixture
def begun(sweep: SweepPaths) -> SweepPaths:
    """Four cells are done, two are missing."""
    done = [cell.root.name for cell in sweep.cells()]
    write_plan(sweep.plan, {cell: {"seed": 0} for cell in [*done, *MISSING]})
    return sweep


def test_a_sweep_that_runs(begun: SweepPaths) -> None:
    with hold(begun.lock):
        say(begun, "running")
        found = answer(begun)
    assert (found["state"], found["says"], found["waiting"]) == ("running", "", 0)
    assert 185 <= found["seconds_left"] <= 190, "ten seconds have passed since it was said"
    [pack] = found["packs"]
    assert 85 <= pack["seconds_left"] <= 90
    assert pack["lanes"] == LANES and pack["curve_steps"] == [0, 10, 20]


def test_a_sweep_that_was_killed(begun: SweepPaths) -> None:
    """The same file, and the lock is free."""
    begun.lock.touch()
    say(begun, "running")
    found = answer(begun)
    assert (found["state"], found["packs"], found["seconds_left"]) == ("died", [], None)
    assert "is gone" in found["says"] and "2 of 6 cells are missing" in found["says"]


@pytest.mark.parametrize(
    ("state", "words"),
    [("ended", "has ended. 2 of 6"), ("stopped", "was stopped at"), ("failed", "with an error at")],
)
def test_a_sweep_that_is_over(begun: SweepPaths, state: str, words: str) -> None:
    say(begun, state, error="no room", packs=[])
    found = answer(begun)
    assert (found["state"], found["packs"]) == (state, []) and words in found["says"]
    assert ("no room" in found["says"]) == (state == "failed")


def test_without_a_status_file_the_lock_and_the_plan_tell(begun: SweepPaths) -> None:
    assert "No sweep runs here. 2 of 6" in answer(begun)["says"]
    with hold(begun.lock):
        assert "does not say what it trains" in answer(begun)["says"]
    write_plan(begun.plan, {cell.root.name: {"seed": 0} for cell in begun.cells()})
    assert answer(begun)["says"] == "Every cell is done."


def test_why_cells_failed(begun: SweepPaths) -> None:
    trace = "Traceback (most recent call last):\n  File x\nValueError: no"
    for cell, content in zip(MISSING, ({"name": "gru seed=0", "reason": trace}, {"reason": 7}), strict=True):
        begun.cell(cell).root.mkdir()
        begun.cell(cell).failure.write_text(json.dumps(content))
    found = answer(begun)
    assert found["failed"] == 2
    assert {"reason": "ValueError: no", "cells": 1, "names": ["gru seed=0"]} in found["failures"]


def test_looking_changes_no_byte_and_adds_no_file(begun: SweepPaths) -> None:
    def everything() -> dict[Path, str]:
        paths = (path for path in begun.root.rglob("*") if path.is_file())
        return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}

    say(begun, "running")
    before = everything()
    assert answer(begun)["state"] == "died"
    assert everything() == before and not begun.lock.exists()
