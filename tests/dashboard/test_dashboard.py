"""The page of a sweep follows its records, from none on, and is served to this machine alone."""

from __future__ import annotations

import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from analysis.make_records import write_cell
from sweeps.dashboard.cells import count
from sweeps.dashboard.live import Live, live
from sweeps.dashboard.serve import port_of, serve
from sweeps.errors import SweepsError
from sweeps.main import main
from sweeps.records.paths import SweepPaths
from sweeps.records.plan_file import write_plan

WRITES = """
import pathlib, sys
folder = pathlib.Path(sys.argv[-1].removeprefix("into="))
cells = pathlib.Path(sys.argv[1]).glob("*/summary.json")
folder.mkdir(exist_ok=True)
(folder / "report.html").write_text(f"{len(list(cells))} cells")
"""
"""In place of the report, which takes seconds: writes the number of cells."""


@pytest.fixture
def empty(tmp_path: Path) -> SweepPaths:
    return SweepPaths(tmp_path / "runs" / "small")


def follow(stack: ExitStack, sweep: SweepPaths, code: str = WRITES, pause: float = 0.0) -> Live:
    return stack.enter_context(live(sweep, [sys.executable, "-c", code, str(sweep.root)], pause))


def wait(live: Live, ready: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    end = time.monotonic() + 20
    while not ready(status := live.status()):
        assert time.monotonic() < end, status
        time.sleep(0.05)
    return status


def get(address: str, path: str, host: str | None = None) -> tuple[int, bytes]:
    there = HTTPConnection("127.0.0.1", urlsplit(address).port or 0)
    there.request("GET", path, headers={"Host": host} if host else {})
    answer = there.getresponse()
    body = answer.read()
    there.close()
    return answer.status, body


def test_a_sweep_without_a_cell_has_a_page_and_no_report(empty: SweepPaths) -> None:
    with ExitStack() as stack:
        shown = follow(stack, empty)
        address = stack.enter_context(serve(shown))
        assert get(address, "/")[0] == 200
        status = json.loads(get(address, "/status")[1])
        assert (status["done"], status["version"], status["making"]) == (0, 0, False)
        assert get(address, "/report/report.html")[0] == 404
        write_cell(empty.root)
        assert wait(shown, lambda status: status["version"])["cells"] == 1
        assert get(address, "/report/report.html") == (200, b"1 cells")


def test_the_report_is_made_again_when_cells_finish(empty: SweepPaths) -> None:
    write_cell(empty.root)
    with ExitStack() as stack:
        shown = follow(stack, empty)
        first = wait(shown, lambda status: status["version"] == 1)
        assert not first["making"] and not shown.status()["making"]  # nothing changed
        write_cell(empty.root, seed=1)
        second = wait(shown, lambda status: status["version"] == 2)
        assert (second["cells"], second["done"]) == (2, 2)
        assert shown.folder and (shown.folder / "report.html").read_text() == "2 cells"
        assert not empty.report.root.exists()
    assert not shown.folder.exists()


def test_not_more_often_than_the_pause(empty: SweepPaths) -> None:
    write_cell(empty.root)
    with ExitStack() as stack:
        shown = follow(stack, empty, pause=3600.0)
        wait(shown, lambda status: status["version"] == 1)
        write_cell(empty.root, seed=1)
        assert not shown.status()["making"]


def test_a_report_newer_than_the_records_is_not_made_again(empty: SweepPaths) -> None:
    write_cell(empty.root)
    empty.report.root.mkdir()
    page = empty.report.root / "report.html"
    page.write_text("by hand")
    with ExitStack() as stack:
        shown = follow(stack, empty)
        assert shown.status()["version"] == 1 and shown.folder == empty.report.root and not shown.status()["making"]
    assert page.exists()
    os.utime(page, (0, 0))
    with ExitStack() as stack:
        assert follow(stack, empty).status()["making"]


def test_a_report_that_cannot_be_made_is_shown_and_tried_again(empty: SweepPaths) -> None:
    write_cell(empty.root)
    fails = "import pathlib, sys\nif len(list(pathlib.Path(sys.argv[1]).glob('*/summary.json'))) < 2: sys.exit('bad')\n"
    with ExitStack() as stack:
        shown = follow(stack, empty, fails + WRITES)
        assert wait(shown, lambda status: status["problem"])["problem"] == "bad"
        assert not shown.status()["making"]
        write_cell(empty.root, seed=1)
        assert wait(shown, lambda status: status["version"])["problem"] is None


def test_what_is_being_made_ends_with_the_dashboard(empty: SweepPaths) -> None:
    write_cell(empty.root)
    with ExitStack() as stack:
        shown = follow(stack, empty, "import time; time.sleep(3600)")
        assert shown.status()["making"]
        process = shown._making
        assert process is not None and os.getpriority(os.PRIO_PROCESS, process.pid) == 19
    assert process.returncode == -signal.SIGKILL


def test_progress_counts_what_was_requested_and_what_failed(sweep: SweepPaths) -> None:
    done = [cell.root.name for cell in sweep.cells()]
    write_plan(sweep.plan, {cell: {"seed": 0} for cell in [*done, "f" * 12, "e" * 12]})
    failed = sweep.cell("f" * 12)
    failed.root.mkdir()
    failed.failure.write_text("{}")
    (sweep.root / "ffffffffffff.tmp").mkdir()
    with ExitStack() as stack:
        status = follow(stack, sweep).status()
    assert (status["done"], status["planned"], status["failed"]) == (4, 6, 1)
    assert 0 <= status["seconds_since"] < 60
    assert count(SweepPaths(sweep.root / "none")).done == 0


def test_only_this_machine_and_only_the_report(sweep: SweepPaths) -> None:
    with ExitStack() as stack:
        shown = follow(stack, sweep)
        address = stack.enter_context(serve(shown))
        wait(shown, lambda status: status["version"])
        assert urlsplit(address).hostname == "127.0.0.1"
        assert get(address, "/status", "localhost:99")[0] == 200
        assert get(address, "/status", "example.invalid:80")[0] == 403
        assert get(address, "/report/")[0] == 404
        assert get(address, "/report/../report.log")[0] == 404
        assert get(address, "/report/%2e%2e/report.log")[0] == 404
        assert get(address, "/elsewhere")[0] == 404
        with pytest.raises(SweepsError, match="port"), serve(shown, urlsplit(address).port or 0):
            pass


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/report//evil.com/%2e%2e/figures", 404),
        ("//evil.com/%2e%2e/report/figures", 404),
        ("/report/figures", 404),
        ("/report/figures/", 404),
        ("/report/..//report.log", 404),
        ("/report//etc/passwd", 404),
        ("/report/%2fetc%2fpasswd", 404),
        ("/report/out.txt", 404),
        ("/report/pipe", 404),
        ("/report/circle", 404),
        ("/report/" + "a" * 5000, 404),
        ("/report/%ff%fe", 404),
        ("/report/report.html?x=%00", 200),
        ("/report/figures/one.svg", 200),
        ("/report/figures/../report.html", 200),
        ("/%00", 400),
        ("/report/%00", 400),
        ("/report/report.html%00.png", 400),
        ("http://evil.com/status", 404),
    ],
)
def test_nothing_leads_off_this_host_or_out_of_the_report(
    empty: SweepPaths, path: str, status: int, capfd: pytest.CaptureFixture[str]
) -> None:
    (empty.report.root / "figures").mkdir(parents=True)
    (empty.report.root / "report.html").write_text("the report")
    (empty.report.root / "figures" / "one.svg").write_text("<svg/>")
    (empty.report.root / "out.txt").symlink_to("/etc/passwd")
    (empty.report.root / "circle").symlink_to("circle")
    os.mkfifo(empty.report.root / "pipe")
    with ExitStack() as stack:
        address = stack.enter_context(serve(follow(stack, empty)))
        there = HTTPConnection("127.0.0.1", urlsplit(address).port or 0, timeout=5)
        there.putrequest("GET", path, skip_host=True)
        there.putheader("Host", f"localhost:{there.port}")
        there.endheaders()
        answer = there.getresponse()
        assert (answer.status, answer.getheader("Location")) == (status, None)
        assert b"root:" not in answer.read()
        there.close()
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize(
    ("hosts", "status"),
    [
        (["localhost"], 200),
        (["LOCALHOST:80"], 200),
        (["127.0.0.1"], 200),
        (["[::1]:8080"], 200),
        ([], 403),
        ([""], 403),
        (["evil.com"], 403),
        (["evil.com:80"], 403),
        (["localhost.evil.com"], 403),
        (["localhost:80@evil.com"], 403),
        (["localhost:evil"], 403),
        (["127.0.0.1.evil.com"], 403),
        (["localhost", "evil.com"], 403),
    ],
)
def test_who_asks_must_call_this_machine_by_its_own_name(empty: SweepPaths, hosts: list[str], status: int) -> None:
    with ExitStack() as stack:
        address = stack.enter_context(serve(follow(stack, empty)))
        there = HTTPConnection("127.0.0.1", urlsplit(address).port or 0)
        there.putrequest("GET", "/status", skip_host=True)
        for host in hosts:
            there.putheader("Host", host)
        there.endheaders()
        assert there.getresponse().status == status
        there.close()


def test_a_browser_that_goes_away_is_no_error(empty: SweepPaths, capfd: pytest.CaptureFixture[str]) -> None:
    (empty.report.root).mkdir(parents=True)
    (empty.report.root / "report.html").write_bytes(b" " * 50_000_000)
    with ExitStack() as stack:
        address = stack.enter_context(serve(follow(stack, empty)))
        where = ("127.0.0.1", urlsplit(address).port or 0)
        with socket.create_connection(where) as there:
            there.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # ends with a reset
            there.sendall(b"GET /report/report.html HTTP/1.1\r\nHost: localhost\r\n\r\n")
            there.recv(100)
        time.sleep(0.5)
        assert get(address, "/status")[0] == 200
    assert "Traceback" not in capfd.readouterr().err


def test_what_is_not_complete_is_not_counted_as_done(sweep: SweepPaths) -> None:
    first, second, *others = sweep.cells()
    before = count(sweep)
    assert before.done == 4
    first.summary.write_text(first.summary.read_text().replace('"seconds": 1.5', '"seconds": null'))
    second.summary.unlink()
    os.mkfifo(second.summary)
    sweep.plan.write_bytes(bytes(range(256)))
    with ExitStack() as stack:
        status = follow(stack, sweep).status()
    assert (status["done"], status["failed"], status["planned"]) == (len(others), 0, None)


def test_a_port_is_a_port() -> None:
    assert port_of("8080") == 8080
    for wrong in ("-1", "65536", "80a", "²"):
        with pytest.raises(SweepsError, match="is not a port"):
            port_of(wrong)


@pytest.mark.parametrize("wrong", ["open=yes", "port=x", "experimnt=none_such"])
def test_bad_input_is_one_error(wrong: str, sweep: SweepPaths, capsys: pytest.CaptureFixture[str]) -> None:
    where = {"experiment": sweep.root.name, "runs_dir": str(sweep.root.parent)} | dict([wrong.split("=")])
    assert main(["dashboard", *(f"{name}={value}" for name, value in where.items())]) == 2
    assert "allowed" in capsys.readouterr().err


@contextmanager
def command(sweep: SweepPaths) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """(address, process) of a dashboard of its own."""
    where = [f"experiment={sweep.root.name}", f"runs_dir={sweep.root.parent}", "open=false"]
    started = [sys.executable, "-u", "-m", "sweeps", "dashboard", *where]
    with subprocess.Popen(started, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        waits = None if sweep.root.is_dir() else process.stdout.readline()
        assert waits is None or waits == f"There are no records in {sweep.root} yet; waiting for them.\n"
        address = process.stdout.readline().split()[1]
        assert f"wandb leet {sweep.mirror / 'wandb'}" in process.stdout.readline()
        try:
            yield address, process
        finally:
            process.kill()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_the_command_shows_a_sweep_that_has_just_begun_until_it_is_stopped(
    empty: SweepPaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: signal.Signals
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    empty.root.mkdir(parents=True)
    with command(empty) as (address, process):
        assert json.loads(get(address, "/status")[1])["done"] == 0
        process.send_signal(how)
        rest, _ = process.communicate(timeout=60)
    assert (process.returncode, rest.splitlines()[-1]) == (0, "Stopped.")
    assert list(temporary.iterdir()) == []


def test_the_command_waits_for_the_folder_of_a_sweep_and_says_so(empty: SweepPaths) -> None:
    with command(empty) as (address, _):
        status = json.loads(get(address, "/status")[1])
        assert (status["done"], status["says"]) == (0, f"Waiting for records in {empty.root}.")
        write_cell(empty.root)
        status = json.loads(get(address, "/status")[1])
        assert (status["done"], status["making"], status["says"]) == (1, True, "")


@pytest.mark.slow
def test_the_command_makes_the_real_report(empty: SweepPaths) -> None:
    write_cell(empty.root)
    with command(empty) as (address, _):
        end = time.monotonic() + 60
        while not (status := json.loads(get(address, "/status")[1]))["version"]:
            assert time.monotonic() < end and status["problem"] is None, status
            time.sleep(0.2)
        assert b"<html" in get(address, "/report/report.html")[1]
    assert not empty.report.root.exists()
