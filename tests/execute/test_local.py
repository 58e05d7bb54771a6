"""Real worker processes: a crash ends one pack, exceptions come back complete, no worker outlives a sweep."""

from __future__ import annotations

import math
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from helpers import make_cell, make_cells
from sweeps.config.places import ROOT
from sweeps.execute.executor import Ended, Message
from sweeps.execute.harness import run
from sweeps.execute.local import Local, patience_with
from sweeps.execute.machine import cores
from sweeps.execute.worker import train_pack
from sweeps.plan.cells import Cell, distinct
from sweeps.plan.packs import Pack
from sweeps.plan.plan import make_plan
from sweeps.records.paths import CellPaths, SweepPaths
from sweeps.records.summary import finished

ENDLESS = ("train.steps=100000000", "train.log_every=100", "train.eval_every=100000000")
"""Settings of a cell that trains until it is killed."""
SILENT = ("train.steps=100000000", "train.log_every=100000000", "train.eval_every=100000000")
"""Settings of a cell that sends nothing after its first step."""


def packs_of(*jobs: tuple[str, ...]) -> list[Pack]:
    return [Pack((cell,)) for cell in make_cells(*jobs)]


def csv_files(paths: CellPaths) -> list[bytes]:
    return [path.read_bytes() for path in (paths.metrics, paths.gradient_through_time, paths.parameters, paths.config)]


def kill_worker(pack: Pack) -> None:
    [pid] = [child.pid for child in multiprocessing.active_children() if child.name == pack.id]
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended but was not reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def nobody_left() -> Iterator[None]:
    yield
    assert multiprocessing.active_children() == [], "a worker outlived its sweep"


@pytest.mark.usefixtures("nobody_left")
def test_each_pack_ends_once_and_writes_what_it_writes_in_this_process(tmp_path: Path) -> None:
    cells = make_cells(*((f"seed={seed}",) for seed in range(5)))
    packs = [Pack(tuple(cells[:3])), Pack((cells[3],)), Pack((cells[4],))]
    events = list(Local(2).run(packs, tmp_path / "workers"))
    ended = [event for event in events if isinstance(event, Ended)]
    assert sorted(event.pack.id for event in ended) == sorted(pack.id for pack in packs)
    assert all(event.lost is None and event.error is None for event in ended)
    ended = [event.content["cell"] for event in events if isinstance(event, Message) and event.kind == "ended"]
    assert sorted(ended) == sorted(cell.id for cell in cells)
    for pack in packs:
        train_pack(pack, tmp_path / "here", lambda kind, content: None)
    for cell in cells:
        one, other = (SweepPaths(tmp_path / where).cell(cell.id) for where in ("workers", "here"))
        assert csv_files(one) == csv_files(other)
        assert finished(one) is not None


@pytest.mark.usefixtures("nobody_left")
def test_progress_is_told_and_reaches_the_end(tmp_path: Path) -> None:
    [pack] = packs_of(("train.steps=20",))
    shares = [
        e.content["done"] for e in Local(1).run([pack], tmp_path) if isinstance(e, Message) and e.kind == "progress"
    ]
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert shares[-1] == 1


@pytest.mark.usefixtures("nobody_left")
def test_a_killed_worker_loses_only_its_pack(tmp_path: Path) -> None:
    victim, *others = packs_of((*ENDLESS, "seed=99"), *((f"seed={seed}",) for seed in range(3)))
    ended: dict[str, Ended] = {}
    killed = False
    for event in Local(2).run([victim, *others], tmp_path):
        if isinstance(event, Ended):
            ended[event.pack.id] = event
        elif event.pack is victim and not killed and len(ended) == 1:
            kill_worker(victim)
            killed = True
    assert ended[victim.id] == Ended(victim, "killed by SIGKILL", None)
    assert finished(SweepPaths(tmp_path).cell(victim.cells[0].id)) is None
    for pack in others:
        assert ended[pack.id] == Ended(pack)
        assert finished(SweepPaths(tmp_path).cell(pack.cells[0].id)) is not None


@pytest.mark.usefixtures("nobody_left")
def test_a_worker_that_hangs_is_named_ended_and_its_cells_are_tried_again_in_halves(tmp_path: Path) -> None:
    """Stopped while it trains a pack of four: the sweep does not wait for ever, and nothing is lost."""
    plan = make_plan([make_cell("train.steps=600", f"seed={seed}") for seed in range(4)], {}, workers=1, lanes=4)
    [pack] = plan.packs
    ended: list[Ended] = []
    stopped = False

    def watch(event: Message | Ended) -> None:
        nonlocal stopped
        if isinstance(event, Ended):
            ended.append(event)
        elif not stopped:
            [worker] = multiprocessing.active_children()
            assert worker.pid is not None
            os.kill(worker.pid, signal.SIGSTOP)
            stopped = True

    result = run(plan, SweepPaths(tmp_path), Local(2, patience=4), watch)
    assert ended[0] == Ended(pack, "silent for 4 s and was ended (executor.patience)")
    assert [len(event.pack.cells) for event in ended[1:]] == [2, 2]
    assert result.failures == {}
    assert set(result.outcomes) == {cell.id for cell in plan.cells}


@pytest.mark.slow
@pytest.mark.usefixtures("nobody_left")
def test_silence_is_counted_from_the_last_word(tmp_path: Path) -> None:
    """A cell that takes much longer than the patience, but sends messages all the while, is not killed."""
    [pack] = packs_of(("train.steps=30000", "train.log_every=20", "train.eval_every=30000"))
    started = time.monotonic()
    [ended] = [event for event in Local(1, patience=1.0).run([pack], tmp_path) if isinstance(event, Ended)]
    assert time.monotonic() - started > 1.0, "too quick to show anything"
    assert ended == Ended(pack)


@pytest.mark.slow
def test_a_driver_that_was_stopped_does_not_blame_its_workers(tmp_path: Path) -> None:
    """As by Ctrl-Z: all are stopped, and all go on. Time in which the sweep itself was stopped does not count."""
    script = tmp_path / "driver.py"
    script.write_text(DRIVER.replace("Local(2)", "Local(2, patience=4)"))
    command = [sys.executable, str(script), str(ROOT / "tests"), str(tmp_path / "runs"), *ENDLESS]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as driver:
        assert driver.stdout is not None
        try:
            pids = [int(pid) for pid in driver.stdout.readline().split()]
            assert len(pids) == 2
            for number, seconds in ((signal.SIGSTOP, 5), (signal.SIGCONT, 1)):
                for pid in (driver.pid, *pids):
                    os.kill(pid, number)
                time.sleep(seconds)
            assert all(alive(pid) for pid in pids)
        finally:
            driver.kill()


@pytest.mark.parametrize(
    ("overrides", "patience"),
    [
        (("train.steps=100", "train.log_every=10"), 1800.0),
        (("arch.hidden=2000", "task.length=20000", "train.steps=1000", "train.log_every=1000"), 1e5),
    ],
)
def test_a_step_that_is_forecast_to_take_long_is_waited_for(overrides: tuple[str, ...], patience: float) -> None:
    [pack] = packs_of(("train.eval_every=1000", *overrides))
    if patience == 1800.0:
        assert patience_with(pack, patience) == patience
    else:
        assert patience_with(pack, 1800.0) > 10 * 1800.0
    assert patience_with(pack, math.inf) == math.inf


@pytest.mark.usefixtures("nobody_left")
def test_harness_and_workers_finish_a_pack_that_was_killed(tmp_path: Path) -> None:
    """Killed once in the middle; the retry, in halves, completes every cell with undisturbed numbers."""
    settings = [
        make_cell("train.steps=2000", "train.log_every=100", "train.eval_every=1000", f"seed={s}") for s in range(4)
    ]
    plan = make_plan(settings, {}, workers=1, lanes=4)
    [pack] = plan.packs
    lost: list[Ended] = []
    killed = False

    def watch(event: Message | Ended) -> None:
        nonlocal killed
        if isinstance(event, Ended):
            lost.extend([event] if event.lost else [])
        elif not killed and event.content.get("done", 0) > 0.2:
            kill_worker(pack)
            killed = True

    result = run(plan, SweepPaths(tmp_path / "killed"), Local(2), watch)
    assert [event.pack for event in lost] == [pack]
    assert result.failures == {}
    assert set(result.outcomes) == {cell.id for cell in plan.cells}
    train_pack(pack, tmp_path / "calm", lambda kind, content: None)
    for cell in plan.cells:
        assert csv_files(SweepPaths(tmp_path / "killed").cell(cell.id)) == csv_files(
            SweepPaths(tmp_path / "calm").cell(cell.id)
        )


@pytest.mark.usefixtures("nobody_left")
def test_an_exception_comes_back_with_its_traceback(tmp_path: Path) -> None:
    good = make_cell()
    [broken, fine] = distinct([replace(good, arch=replace(good.arch, name="nowhere")), good])
    ended = {
        e.pack.cells[0].id: e for e in Local(2).run([Pack((broken,)), Pack((fine,))], tmp_path) if isinstance(e, Ended)
    }
    error = ended[broken.id].error
    assert error is not None
    assert error.startswith("Traceback (most recent call last):")
    assert "in train_pack" in error
    assert error.strip().endswith("KeyError: 'nowhere'")
    assert ended[broken.id].lost is None
    assert ended[fine.id] == Ended(Pack((fine,)))


@pytest.mark.usefixtures("nobody_left")
def test_a_record_that_cannot_be_written_fails_its_cell_alone(tmp_path: Path) -> None:
    plan = make_plan([make_cell(f"seed={seed}") for seed in range(4)], {}, workers=1, lanes=4)
    blocked: Cell = plan.cells[2]
    SweepPaths(tmp_path).cell(blocked.id).metrics.mkdir(parents=True)  # a folder where a file should be
    result = run(plan, SweepPaths(tmp_path), Local(2), lambda event: None)
    assert set(result.failures) == {blocked.id}
    assert result.failures[blocked.id].strip().splitlines()[-1].startswith("IsADirectoryError")
    assert len(result.outcomes) == 3
    assert SweepPaths(tmp_path).cell(blocked.id).failure.exists()


@pytest.mark.usefixtures("nobody_left")
def test_no_more_workers_than_asked_for(tmp_path: Path) -> None:
    packs = packs_of(*((f"seed={seed}", "train.steps=200") for seed in range(6)))
    most = 0
    for _ in Local(2).run(packs, tmp_path):
        most = max(most, len(multiprocessing.active_children()))
    assert most == 2
    assert Local(0).workers == cores() >= 1


@pytest.mark.usefixtures("nobody_left")
def test_closing_the_iterator_ends_what_runs(tmp_path: Path) -> None:
    events = Local(2).run(packs_of(ENDLESS, (*ENDLESS, "seed=1")), tmp_path)
    next(events)
    assert len(multiprocessing.active_children()) == 2
    events.close()  # type: ignore[attr-defined]


@pytest.mark.usefixtures("nobody_left")
def test_ctrl_c_and_sigterm_do_not_reach_workers(tmp_path: Path) -> None:
    """A terminal or a batch system sends them to all processes: the sweep then ends its workers, none is lost."""
    events = Local(1).run(packs_of(ENDLESS), tmp_path)
    next(events)
    [worker] = multiprocessing.active_children()
    status = Path(f"/proc/{worker.pid}/status").read_text()
    events.close()  # type: ignore[attr-defined]
    [blocked] = [int(line.split()[1], base=16) for line in status.splitlines() if line.startswith("SigBlk:")]
    assert all(blocked & 1 << (number - 1) for number in (signal.SIGINT, signal.SIGTERM))


DRIVER = """
import multiprocessing, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from helpers import make_cells
from sweeps.execute.local import Local
from sweeps.plan.packs import Pack

if __name__ == "__main__":
    cells = make_cells(*(tuple(sys.argv[3:]) + (f"seed={seed}",) for seed in range(2)))
    heard = set()
    for event in Local(2).run([Pack((cell,)) for cell in cells], Path(sys.argv[2])):
        heard.add(event.pack.id)
        if len(heard) == 2:
            print(*(child.pid for child in multiprocessing.active_children()), flush=True)
            heard = {*heard, "told", "once"}
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_workers_end_when_their_driver_is_killed(tmp_path: Path, how: signal.Signals) -> None:
    """At once, not at their next message: these send one at step 0 and then never again."""
    script = tmp_path / "driver.py"
    script.write_text(DRIVER)
    command = [sys.executable, str(script), str(ROOT / "tests"), str(tmp_path / "runs"), *SILENT]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as driver:
        assert driver.stdout is not None
        pids = [int(pid) for pid in driver.stdout.readline().split()]
        try:
            assert len(pids) == 2
            assert all(alive(pid) for pid in pids)
            driver.send_signal(how)
            driver.wait()
            deadline = time.monotonic() + 10
            while any(alive(pid) for pid in pids) and time.monotonic() < deadline:
                time.sleep(0.02)
            assert not any(alive(pid) for pid in pids)
        finally:
            driver.kill()
            for pid in pids:
                if alive(pid):
                    os.kill(pid, signal.SIGKILL)
