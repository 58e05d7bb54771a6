"""Two hundred wrong command lines: one message each, status 2, no traceback, nothing written."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from bad_commands import BAD


def typed(line: str) -> list[str]:
    """The words of a line, with the quotes that Hydra is to see."""
    return ["" if word == "''" else word for word in line.replace("'  '", "'\0\0'").split()]


def status_and_output(arguments: list[str], cwd: Path) -> tuple[int, str]:
    """Status and output of `main`, in a child of this process: nothing is imported again."""
    arguments = [text.replace("\0", " ") for text in arguments]
    with tempfile.TemporaryFile() as output:
        child = os.fork()
        if child == 0:
            status = 70
            try:
                os.chdir(cwd)
                os.dup2(output.fileno(), 1)
                os.dup2(output.fileno(), 2)
                sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
                from sweeps.main import main

                try:
                    status = main(arguments)
                except SystemExit as left:
                    status = left.code if isinstance(left.code, int) else 1
                except BaseException:
                    import traceback

                    traceback.print_exc()
                sys.stdout.flush()
                sys.stderr.flush()
            finally:
                os._exit(status)
        ready, _, _ = select.select([os.pidfd_open(child)], [], [], 60)
        if not ready:
            os.kill(child, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        output.seek(0)
        return status, output.read().decode()


def wrong_with(status: int, text: str, cwd: Path) -> str | None:
    """What is wrong with the answer to a wrong command line; None if nothing."""
    lines = text.rstrip("\n").split("\n")
    all_listed = lines[0].endswith("written.") and all(line.startswith("  - ") for line in lines[1:])
    if status not in (1, 2):  # 1: what Hydra itself cannot show
        return f"status {status}: {text[-300:]}"
    if "Traceback" in text or 'File "' in text:
        return f"a traceback: {text[-300:]}"
    if not text.strip() or not (len(lines) == 1 or (all_listed and len(lines) > 1)):
        return f"{len(lines)} lines: {text[-500:]}"
    if sorted(path.name for path in cwd.iterdir()) != ["taken"]:
        return f"left {sorted(path.name for path in cwd.rglob('*'))}"
    return None


@pytest.fixture
def cwd(tmp_path: Path) -> Path:
    (tmp_path / "taken").touch()
    return tmp_path


def test_there_are_two_hundred() -> None:
    assert len(set(BAD)) == len(BAD) >= 200


@pytest.mark.slow
@pytest.mark.parametrize("part", range(8))
def test_a_wrong_command_is_one_message_and_nothing_else(cwd: Path, part: int) -> None:

    wrong = {}
    for line in BAD[part::8]:
        status, text = status_and_output(typed(line), cwd)
        if problem := wrong_with(status, text, cwd):
            wrong[line] = problem
            for path in cwd.iterdir():
                if path.name != "taken":
                    shutil.rmtree(path, ignore_errors=True)
    assert wrong == {}


@pytest.mark.slow
@pytest.mark.parametrize("part", range(2))
def test_in_a_process_of_its_own_it_is_the_same(cwd: Path, part: int) -> None:
    """Every eighth of them, as typed."""
    wrong = {}
    for line in BAD[4 * part :: 8]:
        words = [text.replace("\0", " ") for text in typed(line)]
        command = [sys.executable, "-m", "sweeps", *words]
        completed = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60)
        if problem := wrong_with(completed.returncode, completed.stdout + completed.stderr, cwd):
            wrong[line] = problem
    assert wrong == {}


def test_a_million_cells_are_counted_and_not_listed(cwd: Path) -> None:
    """A list of these would not fit into any memory, so an answer at all is a count."""
    started = time.monotonic()
    status, text = status_and_output(["-m", "seed=range(1000000000000000)"], cwd)
    assert time.monotonic() - started < 60
    assert status == 2
    assert "the grid has 1,000,000,000,000,000 cells (seed 1,000,000,000,000,000), plan.max_cells allows" in text
    assert "write plan.max_cells=1000000000000000 to train them" in text
