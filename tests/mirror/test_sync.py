"""Sync sends every run completely and once, whatever happens, and reports what was sent and what was not.

The unmodified client talks to a stand-in for the server on 127.0.0.1; a request to any other address fails.
"""

from __future__ import annotations

import os
import pty
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import pytest

from mirror.logged import read
from mirror.mirrored import KEY, add_cell, assert_equals_csv, cell_id, damage, folders, log_of, run, timeless
from mirror.standin import DROP, StandIn, stand_in
from sweeps.errors import SweepsError
from sweeps.mirror.client import SENT
from sweeps.mirror.sync import BATCH, sync
from sweeps.records.paths import SweepPaths

OTHER_KEY = "9" * 40
COMMAND = [sys.executable, "-m", "sweeps"]


@pytest.fixture
def account(server: StandIn, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """A key for the stand-in."""
    use(server, monkeypatch)
    return server


def use(server: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_BASE_URL", server.url)
    monkeypatch.setenv("WANDB_API_KEY", KEY)


def add_cells(sweep: SweepPaths, count: int, rows: int = 20) -> list[str]:
    """Make records of cells, every other one diverged, and mirror them offline; returns the run ids."""
    cells = [add_cell(sweep, index, rows=rows, diverged=index % 2 == 1) for index in range(count)]
    run(sweep)
    return [f"{cell}-n3" for cell in cells]


def cell_of(run_id: str) -> str:
    return run_id.partition("-")[0]


def state(server: StandIn) -> dict[str, Any]:
    """What the server holds, without times; of the summary not the client's own `_step`, which is in the history."""
    return {
        run_id: (
            timeless(there.history),
            timeless([{key: value for key, value in there.summary.items() if key != "_step"}]),
            {key: value for key, value in there.config.items() if key != "_wandb"},
            {key: there.meta[key] for key in ("groupName", "jobType", "displayName", "project")},
            sorted(name for name in there.uploads if name.startswith("media/")),
            there.exit,
        )
        for run_id, there in server.runs.items()
    }


def assert_arrived(server: StandIn, sweep: SweepPaths, runs: list[str]) -> None:
    """Every run is on the server, complete, as in the CSV records and as in the offline file."""
    assert sorted(server.runs) == sorted(runs)
    logs = {log.name: log for log in sweep.mirror.rglob("run-*.wandb")}
    for run_id in runs:
        log, there = logs[f"run-{run_id}.wandb"], server.runs[run_id]
        logged = read(log)
        assert_equals_csv(sweep, cell_of(run_id), there.history, uploaded=True)
        assert_equals_csv(sweep, cell_of(run_id), logged.history)
        assert there.lines_received == len(there.history)  # nothing twice
        assert there.exit == 0
        picture = there.history[-1]["gradient/through_time"]["path"]
        assert there.uploads[picture] == (log.parent / "files" / picture).read_bytes()
        assert there.summary["outcome"] == logged.summary["outcome"]
        assert {key: value["value"] for key, value in there.config.items() if key != "_wandb"} == {
            key: value for key, value in logged.config.items() if key != "_wandb"
        }


@pytest.mark.parametrize("appends", [True, False])
def test_what_arrives_equals_the_csv_and_nothing_is_sent_twice(
    sweep: SweepPaths, monkeypatch: pytest.MonkeyPatch, appends: bool
) -> None:
    with stand_in(appends=appends) as server:
        use(server, monkeypatch)
        runs = add_cells(sweep, 4)
        result = sync(sweep)
        assert (sorted(result.sent), result.already, result.failed, result.damaged) == (runs, [], {}, {})
        assert_arrived(server, sweep, runs)
        assert server.keys == {KEY}
        assert not any("otel" in name or "telemetry" in name for name in server.requests)
        server.requests.clear()
        result = sync(sweep)
        assert (result.sent, sorted(result.already), server.requests) == ([], runs, [])
        more = [f"{add_cell(sweep, 77, rows=20)}-n3"]
        run(sweep)
        assert sync(sweep).sent == more
        assert_arrived(server, sweep, runs + more)


@pytest.mark.slow
def test_three_hundred_cells_arrive_bit_for_bit(sweep: SweepPaths, account: StandIn) -> None:
    runs = add_cells(sweep, 300, rows=40)
    assert sorted(sync(sweep).sent) == sorted(runs)
    assert len(runs) > 2 * BATCH
    assert_arrived(account, sweep, runs)


def test_the_run_is_found_and_grouped_on_the_server(sweep: SweepPaths, account: StandIn) -> None:
    (run_id,) = add_cells(sweep, 1)
    sync(sweep)
    meta = account.runs[run_id].meta
    assert (meta["project"], meta["groupName"], meta["jobType"]) == ("tests", "first_look", "lstm")
    assert meta["displayName"] == "lstm orthogonal norm T8 s0"
    assert meta["tags"] == ["first_look", "lstm", "solved"]


def test_a_mirror_that_was_lost_or_made_elsewhere_sends_nothing_twice(
    sweep: SweepPaths, account: StandIn, tmp_path: Path
) -> None:
    runs = add_cells(sweep, 3)
    sync(sweep)
    before = state(account)
    shutil.rmtree(sweep.mirror)
    run(sweep)
    assert sorted(sync(sweep).sent) == sorted(runs)
    assert_arrived(account, sweep, runs)
    assert state(account) == before
    elsewhere = SweepPaths(tmp_path / "other machine" / "first_look")
    shutil.copytree(sweep.root, elsewhere.root)
    account.requests.clear()
    assert (sorted(sync(elsewhere).already), account.requests) == (sorted(runs), [])


TROUBLE: dict[str, tuple[str, Callable[[], Any]]] = {
    "refused": ("file_stream", lambda: repeat(409)),
    "drops before a row": ("file_stream", lambda: repeat(DROP)),
    "drops in the middle": ("file_stream", lambda: chain([None] * 4, repeat(DROP))),
    "no place for files": ("CreateRunFiles", lambda: repeat(500)),
    "files get lost": ("upload", lambda: repeat(500)),
    "no run is made": ("UpsertBucket", lambda: repeat(500)),
}


QUICK = ("refused",)


@pytest.mark.parametrize(
    "trouble", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in TROUBLE]
)
def test_what_did_not_arrive_is_reported_and_the_next_sync_sends_it(
    sweep: SweepPaths, account: StandIn, trouble: str
) -> None:
    """In each of these cases the client exits with status 0, and in most it makes its marker of success."""
    name, fault = TROUBLE[trouble]
    runs = add_cells(sweep, 3)
    account.faults[name] = fault()
    result = sync(sweep)
    assert result.failed and not result.failed.keys() & set(result.sent)
    for run_id in result.sent:
        assert_equals_csv(sweep, cell_of(run_id), account.runs[run_id].history, uploaded=True)
    assert all(reason and KEY not in reason for reason in result.failed.values())
    account.faults.clear()
    again = sync(sweep)
    assert sorted(again.sent + again.already) == sorted(runs) and not again.failed
    assert_arrived(account, sweep, runs)


@pytest.mark.slow
def test_one_run_is_one_run_in_words(sweep: SweepPaths, account: StandIn) -> None:
    add_cells(sweep, 1)
    said: list[str] = []
    sync(sweep, said.append)
    assert said == ["1 run sent"]


@pytest.mark.slow
def test_a_request_that_fails_is_repeated(sweep: SweepPaths, account: StandIn) -> None:
    runs = add_cells(sweep, 2)
    account.faults = {name: iter([500, 429]) for name in ("UpsertBucket", "file_stream", "CreateRunFiles", "upload")}
    assert sorted(sync(sweep).sent) == sorted(runs)
    assert_arrived(account, sweep, runs)


@pytest.mark.slow
def test_a_server_that_goes_away_in_the_middle_ends_the_sync(sweep: SweepPaths, account: StandIn) -> None:
    runs = add_cells(sweep, 3)

    def away(count: int, name: str) -> None:
        if name == "CreateRunFiles":
            account.faults = {each: repeat(DROP) for each in {*account.requests, "Viewer"}}

    account.on_request = away
    with pytest.raises(SweepsError, match=r"server http://127.0.0.1:\d+ cannot be used.*\d runs? sent; sync again"):
        sync(sweep)
    account.on_request, account.faults = lambda count, name: None, {}
    again = sync(sweep)
    assert sorted(again.sent + again.already) == sorted(runs)
    assert_arrived(account, sweep, runs)


def test_a_damaged_offline_file_is_skipped_and_named_and_made_again(sweep: SweepPaths, account: StandIn) -> None:
    runs = add_cells(sweep, 6)
    damages = ["empty", "header only", "half", "another header"]
    for how, run_id in zip(damages, runs, strict=False):
        damage(log_of(sweep, cell_of(run_id)), how)
    result = sync(sweep)
    assert sorted(result.damaged) == sorted(runs[:4]) and sorted(result.sent) == sorted(runs[4:])
    assert all(result.damaged.values())
    assert sorted(account.runs) == sorted(runs[4:])
    run(sweep)
    assert sorted(sync(sweep).sent) == sorted(runs)[:4]
    assert_arrived(account, sweep, runs)


def test_the_marker_of_the_client_alone_is_not_trusted(sweep: SweepPaths, account: StandIn) -> None:
    (run_id,) = add_cells(sweep, 1)
    log = log_of(sweep, cell_of(run_id))
    log.with_name(log.name + ".synced").touch()
    assert sync(sweep).sent == [run_id]
    assert log.with_name(log.name + SENT).exists()
    assert_arrived(account, sweep, [run_id])


# -- at the command line ------------------------------------------------------------------------------------------


def command(sweep: SweepPaths, *words: str) -> tuple[int, str]:
    """Exit status and output of `python -m sweeps ...`."""
    where = [f"experiment={sweep.root.name}", f"runs_dir={sweep.root.parent}"]
    done = subprocess.run([*COMMAND, *words, *where], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


def assert_no_key(sweep: SweepPaths, output: str, *keys: str) -> None:
    home = Path(os.environ["HOME"])
    for file in chain(sweep.root.rglob("*"), home.rglob("*")):
        if file.is_file() and not file.is_symlink():
            assert not any(key.encode() in file.read_bytes() for key in keys), file
    assert not any(key in output for key in keys)


@pytest.mark.parametrize(
    ("key", "reachable", "sentence"),
    [
        (None, True, "There is no W&B key for"),
        pytest.param("tooshortsecret", True, "The W&B key cannot be used", marks=pytest.mark.slow),
        (OTHER_KEY, True, "refuses the key"),
        pytest.param(KEY, False, "cannot be used: ", marks=pytest.mark.slow),
    ],
    ids=["no key", "malformed key", "wrong key", "no network"],
)
def test_what_stops_everything_is_one_sentence(
    sweep: SweepPaths,
    server: StandIn,
    monkeypatch: pytest.MonkeyPatch,
    key: str | None,
    reachable: bool,
    sentence: str,
) -> None:
    add_cells(sweep, 1)
    server.accepted = KEY
    if reachable:
        monkeypatch.setenv("WANDB_BASE_URL", server.url)
    if key:
        monkeypatch.setenv("WANDB_API_KEY", key)
    status, output = command(sweep, "sync")
    assert status == 2
    assert sentence in output and output.count("\n") == 1, output
    assert_no_key(sweep, output, *([key] if key else []))
    assert not server.runs


@pytest.mark.slow
def test_the_command_prints_what_it_did(sweep: SweepPaths, account: StandIn) -> None:
    status, said = command(sweep, "sync")
    assert status == 2 and "has no records yet" in said
    runs = add_cells(sweep, 3)
    damage(log_of(sweep, cell_of(runs[1])), "half")
    status, said = command(sweep, "sync")
    assert status == 1
    assert "2 runs sent now, 0 before" in said and f"{runs[1]}: its offline file is damaged" in said
    assert "python -m sweeps mirror experiment=first_look" in said
    assert command(sweep, "mirror")[0] == 0
    status, said = command(sweep, "sync")
    assert status == 0 and "1 run sent now, 2 before" in said
    account.faults["file_stream"] = repeat(409)
    add_cell(sweep, 50, rows=20)
    command(sweep, "mirror")
    status, said = command(sweep, "sync")
    assert status == 1 and "409" in said and "1 run did not arrive complete" in said
    assert_no_key(sweep, said, KEY)


def test_nothing_mirrored_is_an_error(sweep: SweepPaths, account: StandIn) -> None:
    add_cell(sweep, 1)
    status, output = command(sweep, "sync")
    assert status == 2 and "python -m sweeps mirror experiment=first_look" in output


@pytest.mark.parametrize(
    "words",
    [
        ["mirror", "tracker.mode=online"],
        pytest.param(["mirror", "tracker.mode=auto"], marks=pytest.mark.slow),
        pytest.param(["sync"], marks=pytest.mark.slow),
    ],
)
def test_no_prompt_in_a_terminal(sweep: SweepPaths, words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """With a terminal and without a key the client itself would ask, and wait for ever."""
    add_cells(sweep, 1)
    add_cell(sweep, 2)
    where = [f"experiment={sweep.root.name}", f"runs_dir={sweep.root.parent}"]
    ours, theirs = pty.openpty()
    monkeypatch.setenv("TERM", "xterm")  # the client does not ask a dumb terminal
    process = subprocess.Popen([*COMMAND, *words, *where], stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    try:
        assert process.wait(timeout=60) == (2 if words == ["sync"] else 0)
        output = os.read(ours, 65536).decode()
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    assert "Enter your choice" not in output and "(1)" not in output
    assert len(folders(sweep)) == (1 if words == ["sync"] else 2)


# -- online -------------------------------------------------------------------------------------------------------


def test_an_online_mirror_is_the_same_run(sweep: SweepPaths, account: StandIn) -> None:
    runs = add_cells(sweep, 2)
    shutil.rmtree(sweep.mirror)
    result = run(sweep, mode="online")
    assert (result.mode, len(result.mirrored), result.failed) == ("online", 2, {})
    assert_arrived(account, sweep, runs)
    account.requests.clear()
    assert (len(sync(sweep).already), account.requests) == (2, [])
    assert len(run(sweep, mode="online").already) == 2


def test_an_upload_that_fails_takes_the_online_mirror_offline(sweep: SweepPaths, account: StandIn) -> None:
    cells = [add_cell(sweep, index, rows=20) for index in range(3)]
    account.faults["file_stream"] = repeat(409)
    result = run(sweep, mode="online")
    assert (result.mode, result.mirrored) == ("offline", cells[1:])
    assert "409" in result.failed[cells[0]] and "sweeps sync" in result.failed[cells[0]]
    account.faults.clear()
    assert sorted(sync(sweep).sent) == [f"{cell}-n3" for cell in cells]
    assert_arrived(account, sweep, [f"{cell}-n3" for cell in cells])


# -- kill ---------------------------------------------------------------------------------------------------------

KILLED = 4  # runs of the sweep that is killed
REQUESTS = 3 + 7 * KILLED  # of an undisturbed sync, at least: who we are, then 7 or more for a run with its picture


def sync_killed_at(sweep: SweepPaths, server: StandIn, count: int) -> bool:
    """Run `sync` and kill -9 it at its `count`-th request, before that is answered; returns whether it got there."""
    where = [f"experiment={sweep.root.name}", f"runs_dir={sweep.root.parent}"]
    process = subprocess.Popen([*COMMAND, "sync", *where], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    start = len(server.requests)

    def kill(so_far: int, name: str) -> None:
        if so_far == start + count:
            process.send_signal(signal.SIGKILL)

    server.on_request = kill
    status = process.wait(timeout=60)
    server.on_request = lambda count, name: None
    return status == -signal.SIGKILL


POINTS = [1 + round(k * (REQUESTS - 1) / 19) for k in range(20)]


@pytest.fixture
def undisturbed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Any]:
    """What a server holds after one sync, without a kill, of the sweep that is killed below; computed once."""
    if not _undisturbed:
        with monkeypatch.context() as patch, stand_in() as server:
            use(server, patch)
            sweep = SweepPaths(tmp_path / "undisturbed" / "first_look")
            add_cells(sweep, KILLED)
            sync(sweep)
            _undisturbed.update(state(server))
    return _undisturbed


_undisturbed: dict[str, Any] = {}


@pytest.mark.parametrize(
    "point", [POINTS[9], *(pytest.param(p, marks=pytest.mark.slow) for p in POINTS if p != POINTS[9])]
)
def test_kill_in_the_middle_of_a_sync_duplicates_and_loses_nothing(
    sweep: SweepPaths, account: StandIn, monkeypatch: pytest.MonkeyPatch, point: int, undisturbed: dict[str, Any]
) -> None:
    runs = add_cells(sweep, KILLED)
    assert sync_killed_at(sweep, account, point)
    if point % 2:
        sync_killed_at(sweep, account, 7)  # and once more, while it sends the rest
    result = sync(sweep)
    assert sorted(result.sent + result.already) == sorted(runs) and not result.failed
    assert_arrived(account, sweep, runs)
    assert state(account) == undisturbed


def test_two_syncs_never_run_together(sweep: SweepPaths, account: StandIn) -> None:
    from sweeps.mirror.folder import hold_mirror

    add_cells(sweep, 1)
    with hold_mirror(sweep), pytest.raises(SweepsError, match="Another process is mirroring or sending"):
        sync(sweep)
    assert cell_id(0) in sync(sweep).sent[0]
