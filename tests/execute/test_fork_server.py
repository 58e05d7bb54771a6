"""The server that workers are forked from: its start cannot be cut short, and it can be replaced."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import repeat
from multiprocessing import forkserver
from pathlib import Path

import pytest

from helpers import make_cells
from sweeps.config.places import ROOT
from sweeps.errors import SweepsError
from sweeps.execute import fork_server as server
from sweeps.execute.executor import Ended, Message
from sweeps.execute.local import Local
from sweeps.plan.packs import Pack
from sweeps.records.paths import SweepPaths
from sweeps.records.summary import finished


@pytest.fixture
def nobody_left() -> Iterator[None]:
    yield
    assert multiprocessing.active_children() == [], "a worker outlived its sweep"


def kill_server() -> None:
    pid = forkserver._forkserver._forkserver_pid  # type: ignore[attr-defined]
    os.kill(pid, signal.SIGKILL)


def test_a_signal_that_another_thread_takes_waits_until_the_server_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python raises it in the main thread, whose mask does not help: it would cut the start short."""
    done = threading.Event()
    other = threading.Thread(target=done.wait)
    other.start()
    finished = []

    def start() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        for _ in range(100):
            time.sleep(0.001)
        finished.append(True)

    monkeypatch.setattr(server.forkserver, "ensure_running", start)
    try:
        with pytest.raises(KeyboardInterrupt):
            server.server_running()
    finally:
        done.set()
        other.join()
    assert finished


@pytest.mark.usefixtures("nobody_left")
def test_a_killed_server_is_replaced_and_its_workers_go_on(tmp_path: Path) -> None:
    """Twice: while a worker trains, and again before the next is started. No pack is lost, no cell is trained twice."""
    steps = ("train.steps=400", "train.log_every=20", "train.eval_every=200")
    cells = make_cells(*((*steps, f"seed={seed}") for seed in range(4)))
    killed, ended, cells_ended = 0, [], []
    for event in Local(2).run([Pack((cell,)) for cell in cells], tmp_path):
        if isinstance(event, Ended):
            ended.append(event)
        elif isinstance(event, Message) and event.kind == "ended":
            cells_ended.append(event.content["cell"])
        if killed < 2 and killed <= len(ended):
            kill_server()
            killed += 1
    assert killed == 2
    assert sorted(each.pack.cells[0].id for each in ended) == sorted(cells_ended) == sorted(cell.id for cell in cells)
    assert all(each.lost is None and each.error is None for each in ended)
    assert all(finished(SweepPaths(tmp_path).cell(cell.id)) is not None for cell in cells)


@pytest.mark.usefixtures("nobody_left")
def test_servers_that_keep_dying_are_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "PAUSE", 0.0)
    start = forkserver.ensure_running

    def and_die() -> None:
        start()
        kill_server()

    for module in (server.forkserver, forkserver._forkserver):
        monkeypatch.setattr(module, "ensure_running", and_die)
    [cell] = make_cells(())
    with pytest.raises(SweepsError, match="no worker could be started: 5 fork servers in a row have died"):
        list(Local(1).run([Pack((cell,))], tmp_path))
    assert finished(SweepPaths(tmp_path).cell(cell.id)) is None


def test_a_limit_on_open_files_is_raised_or_told() -> None:
    """In a process of its own, whose hard limit cannot be raised again."""
    code = (
        "import resource, sys\nfrom sweeps.execute.fork_server import room_for\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (20, 64))\nroom_for(2)\n"
        "print(resource.getrlimit(resource.RLIMIT_NOFILE))\nroom_for(50)\n"
    )
    completed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert completed.stdout == "(32, 64)\n"
    assert completed.stderr.endswith(
        "SweepsError: 50 workers need 224 open files, 64 are allowed here; raise it (ulimit -n) or set"
        " executor.workers lower\n"
    )


@pytest.mark.usefixtures("nobody_left")
def test_the_room_that_is_asked_for_is_enough(tmp_path: Path) -> None:
    script = (
        "import resource, sys\nfrom pathlib import Path\nsys.path.insert(0, sys.argv[1])\n"
        "from helpers import make_cells\nfrom sweeps.execute.local import Local\nfrom sweeps.plan.packs import Pack\n"
        "if __name__ == '__main__':\n"
        "    cells = make_cells(*((f'seed={seed}',) for seed in range(6)))\n"
        "    resource.setrlimit(resource.RLIMIT_NOFILE, (16, 40))\n"
        "    ended = [e for e in Local(4).run([Pack((c,)) for c in cells], Path(sys.argv[2])) if hasattr(e, 'lost')]\n"
        "    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 40\n"
        "    print(len(ended), sum(e.lost is None for e in ended))\n"
    )
    (tmp_path / "driver.py").write_text(script)
    command = [sys.executable, str(tmp_path / "driver.py"), str(ROOT / "tests"), str(tmp_path / "runs")]
    completed = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (completed.stdout, completed.stderr) == ("6 6\n", "")


def test_it_ends_with_the_command_that_needed_no_worker(tmp_path: Path) -> None:
    """All that a plan needs is known long before the server has imported torch, so that nobody waits for it."""
    process = sweep("task=digits", "task.length=10,11", f"runs_dir={tmp_path}")
    assert process.wait(60) == 2
    assert left(process.pid, 0.5) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("signal_", "status"), [(None, 0), (signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)]
)
def test_no_process_outlives_a_sweep(signal_: signal.Signals | None, status: int, tmp_path: Path) -> None:
    """It ends by itself, or by a signal while two packs train; after SIGKILL nobody ends the others but themselves."""
    steps = 20 if signal_ is None else 100_000
    process = sweep(
        "seed=range(2)", f"train.steps={steps}", "executor.lanes=1", "train.checkpoint=1e-9", f"runs_dir={tmp_path}"
    )
    try:
        if signal_ is not None:
            ends = time.monotonic() + 60
            while not list(tmp_path.rglob("checkpoint.npz")) and time.monotonic() < ends:
                time.sleep(0.02)
            assert len(left(process.pid, 0)) >= 3, "the sweep, the fork server and a worker"
            process.send_signal(signal_)
        assert process.wait(60) == status
        assert left(process.pid, 10 if signal_ == signal.SIGKILL else 0.5) == []
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def sweep(*arguments: str) -> subprocess.Popen:
    """A sweep that has begun, in a session of its own."""
    command = [sys.executable, "-m", "sweeps", "-m", *arguments, "tracker=csv"]
    nowhere = subprocess.DEVNULL
    return subprocess.Popen(command, cwd=ROOT, start_new_session=True, stdout=nowhere, stderr=nowhere)


def left(session: int, within: float) -> list[str]:
    """What the processes of a session run that have not ended within some seconds; returns as soon as all have."""
    ends = time.monotonic() + within
    while found := [text for text in map(_command, Path("/proc").glob("[0-9]*"), repeat(session)) if text]:
        if time.monotonic() > ends:
            break
        time.sleep(0.02)
    return found


def _command(process: Path, session: int) -> str | None:
    """What a process runs, from /proc/PID; None for one of another session and for one that has ended."""
    with suppress(OSError):
        state, _, _, of, *_ = (process / "stat").read_text().rpartition(")")[2].split()
        if state != "Z" and int(of) == session:
            return (process / "cmdline").read_text().replace("\0", " ")
    return None
