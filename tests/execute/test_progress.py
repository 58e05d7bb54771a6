"""What a sweep prints before, while and after it runs: counts, time left, plain lines without a terminal."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from rich.console import Console

from helpers import make_cell, make_cells
from sweeps.amounts import duration
from sweeps.execute import progress as module
from sweeps.execute.executor import Ended, Message
from sweeps.execute.harness import Result
from sweeps.execute.progress import Progress
from sweeps.execute.show import LISTED, show_outcomes, show_plan
from sweeps.plan.packs import Pack
from sweeps.plan.plan import Plan, make_plan
from sweeps.records.paths import SweepPaths
from sweeps.terminal import terminal


class Clock:
    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    yield clock


def plain_console() -> tuple[Console, io.StringIO]:
    out = io.StringIO()
    return terminal(file=out), out


def plan_of(count: int, lanes: int = 1) -> Plan:
    return make_plan([make_cell(f"seed={seed}") for seed in range(count)], {}, 1, lanes)


def ended(pack: Pack, *outcomes: str) -> list[Message | Ended]:
    messages = [
        Message(pack, "ended", {"cell": cell.id, "outcome": outcome})
        for cell, outcome in zip(pack.cells, outcomes, strict=True)
    ]
    return [*messages, Ended(pack)]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (45.4, "45 s"),
        (59.6, "1 min 00 s"),
        (200, "3 min 20 s"),
        (3599.7, "1 h 00 min"),
        (7500, "2 h 05 min"),
        (360000, "100 h 00 min"),
    ],
)
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_the_line_counts_cells_packs_and_time(clock: Clock) -> None:
    plan = plan_of(8)
    progress = Progress(plan, plain_console()[0])
    assert progress.status() == "0/8 cells"
    clock.now += 30
    assert progress.status() == "0/8 cells", "nothing is done: who knows how long it takes"
    progress(Message(plan.packs[0], "progress", {"done": 0.5}))
    assert progress.status() == "0/8 cells · 1 running in 1 pack · 7 min 30 s left"
    for pack, outcome in zip(plan.packs, ("solved", "finished", "finished", "diverged"), strict=False):
        for event in ended(pack, outcome):
            progress(event)
    assert progress.status() == "4/8 cells · 1 solved · 2 finished · 1 diverged · 30 s left"
    for pack in plan.packs[4:]:
        for event in ended(pack, "finished"):
            progress(event)
    assert progress.status() == "8/8 cells · 1 solved · 6 finished · 1 diverged · 0 s left"
    assert progress.share == 1


def test_time_left_follows_the_work_not_the_count_of_cells(clock: Clock) -> None:
    """Three quick cells of four are not three quarters of the work."""
    size = ("arch.hidden=256", "train.batch=128", "train.steps=100")
    quick_ones = (make_cell(*size, "task.length=4", f"seed={seed}") for seed in range(3))
    cells = [make_cell(*size, "task.length=400"), *quick_ones]
    plan = make_plan(cells, {}, 1, lanes=1)
    long, *quick = plan.packs
    progress = Progress(plan, plain_console()[0])
    clock.now += 10
    for pack in quick:
        for event in ended(pack, "finished"):
            progress(event)
    assert 0.02 < progress.share < 0.04
    progress(Message(long, "progress", {"done": 0.5}))
    assert 0.5 < progress.share < 0.55


def test_a_lost_pack_is_told_at_once_and_its_work_is_still_to_do(clock: Clock) -> None:
    console, out = plain_console()
    plan = plan_of(4, lanes=4)
    [pack] = plan.packs
    progress = Progress(plan, console)
    progress(Message(pack, "progress", {"done": 0.9}))
    progress(Ended(pack, "killed by SIGKILL"))
    assert out.getvalue() == f"pack {pack.id} of 4 cells: killed by SIGKILL\n"
    assert progress.share == 0
    progress(Ended(pack, None, "Traceback (most recent call last):\n  File x\nValueError: [bad] " + 90 * "y"))
    assert out.getvalue().splitlines()[1:] == [f"pack {pack.id} of 4 cells: ValueError: [bad] " + 90 * "y"]


def test_without_a_terminal_a_plain_line_now_and_then(clock: Clock) -> None:
    console, out = plain_console()
    plan = plan_of(100)
    with Progress(plan, console) as progress:
        for pack in plan.packs:
            clock.now += 1
            for event in ended(pack, "finished"):
                progress(event)
    lines = out.getvalue().splitlines()
    assert len(lines) == 100 // module.EVERY
    assert "\x1b" not in out.getvalue()
    assert "\r" not in out.getvalue()
    assert lines[0].startswith("10/100 cells · 10 finished · 1 min ")
    assert [int(line.partition("/")[0]) for line in lines] == list(range(10, 101, 10))


def test_in_a_terminal_a_live_line_that_vanishes() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=120)
    plan = plan_of(2)
    with Progress(plan, console) as progress:
        for event in ended(plan.packs[0], "finished"):
            progress(event)
        progress(Ended(plan.packs[1], "killed by SIGKILL"))
    assert "1/2 cells" in out.getvalue()
    assert "killed by SIGKILL" in out.getvalue()
    assert "\x1b[?25h" in out.getvalue(), "the cursor is back"


def test_the_plan_is_told_by_shape(tmp_path: str) -> None:
    console, out = plain_console()
    jobs = [make_cell(f"arch={arch}", f"seed={seed}") for arch in ("rnn_tanh", "gru") for seed in range(3)]
    first = make_cells(("arch=gru", "seed=0"))[0]
    plan = make_plan([*jobs, jobs[0]], {first.id: 0.5}, workers=2)
    show_plan(plan, SweepPaths(tmp_path), console)  # type: ignore[arg-type]
    rows = [line.split() for line in out.getvalue().splitlines()]
    assert ["rnn_tanh", "6", "3", "0"] in [row[:4] for row in rows]
    assert ["gru", "6", "3", "1"] in [row[:4] for row in rows]
    assert (
        f"6 cells, 1 more named twice: 1 done, 5 to train in {len(plan.packs)} packs on 2 workers, about"
        in out.getvalue()
    )


def test_the_digest_names_what_failed_and_why_and_is_not_endless(tmp_path: str) -> None:
    console, out = plain_console()
    plan = plan_of(20)
    outcomes = {cell.id: "finished" for cell in plan.cells[:3]}
    failures = {
        cell.id: f"Traceback (most recent call last):\n  ...\nValueError: [no] {cell.settings.seed}\nnor yes"
        for cell in plan.cells[3:]
    }
    show_outcomes(plan, Result(outcomes, failures), console)
    lines = out.getvalue().splitlines()
    assert lines[0] == "3 of 20 cells done: 3 finished"
    assert lines[1] == "17 failed (the same command tries them again):"
    fourth = plan.cells[3]
    assert lines[2:4] == [f"  {fourth.id}  {fourth.name}: ValueError: [no] 3", "    nor yes"]
    assert lines[2 + 2 * LISTED] == f"  and {17 - LISTED} more; see failure.json in their folders"
    assert len(lines) == 3 + 2 * LISTED


def test_running_cells_are_those_of_running_packs_that_have_not_ended(clock: Clock) -> None:
    plan = plan_of(8, lanes=4)
    first, second = plan.packs
    progress = Progress(plan, plain_console()[0])
    progress(Message(first, "ended", {"cell": "x", "outcome": "diverged"}))  # at its very first step
    progress(Message(first, "progress", {"done": 0.1}))
    progress(Message(second, "progress", {"done": 0.1}))
    progress(Message(second, "ended", {"cell": "y", "outcome": "solved"}))
    progress(Message(second, "ended", {"cell": "z", "outcome": "solved"}))
    assert "· 5 running in 2 packs" in progress.status()
    progress(Ended(first, None))
    assert "· 2 running in 1 pack" in progress.status()


def test_what_a_checkpoint_has_is_no_work_of_this_sweep() -> None:
    """Half of every cell was trained before: when three quarters are done, half of what was left is."""
    console, out = plain_console()
    settings = [
        make_cell(f"seed={seed}", "train.steps=100", "train.log_every=50", "train.eval_every=50") for seed in (0, 1)
    ]
    begun = {cell.id: 50 for cell in make_plan(settings, {}, 1).cells}
    plan = make_plan(settings, {}, 1, begun=begun)
    [pack] = plan.packs
    progress = Progress(plan, console)
    progress(Message(pack, "note", {"text": "going on from update 50 of 100"}))
    assert out.getvalue() == f"pack {pack.id} of 2 cells: going on from update 50 of 100\n" and not progress.running
    progress(Message(pack, "progress", {"done": 0.5}))
    assert progress.share == 0
    progress(Message(pack, "progress", {"done": 0.75}))
    assert progress.share == pytest.approx(0.5)
    show_plan(plan, SweepPaths.at("runs", "scratch"), console)
    assert "2 cells: 0 done, 2 to train (2 from a checkpoint) in 1 pack" in out.getvalue()
