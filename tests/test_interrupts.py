"""What ends a command from outside: at any moment, once, with one sentence and the status that a shell expects."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from helpers import SMALL
from sweeps.interrupts import ENDING, deferred, ending_tidily

SWEEPS = [sys.executable, "-m", "sweeps"]


def test_a_second_signal_does_not_cut_short_what_the_first_began() -> None:
    before = [signal.getsignal(number) for number in ENDING]
    ended: list[int] = []
    with ending_tidily(ended):
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        for number in ENDING:
            signal.raise_signal(number)
    assert ended == [signal.SIGTERM]
    assert [signal.getsignal(number) for number in ENDING] == before


def test_what_is_ignored_from_the_start_stays_so() -> None:
    """As SIGHUP under nohup, and Ctrl-C in what a shell has started in the background."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with ending_tidily([]), deferred():
            signal.raise_signal(signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("after", [0.06, 0.15, 0.3, 0.6, 0.9])
def test_ctrl_c_while_libraries_are_imported(tmp_path: Path, after: float) -> None:
    with subprocess.Popen(
        [*SWEEPS, "plan", *SMALL], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as command:
        time.sleep(after)
        command.send_signal(signal.SIGINT)
        stdout, stderr = command.communicate(timeout=60)
    if command.returncode == 0:
        assert "1 cell:" in stdout, "it ended before the signal"
    elif command.returncode in (-signal.SIGINT, 1) and after < 0.1:
        pytest.skip("Python itself was starting")
    else:
        assert (command.returncode, stderr) == (130, "Stopped.\n")
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_while_a_module_executes_text(tmp_path: Path) -> None:
    """As `dataclasses` does; after a KeyboardInterrupt that has passed through `exec`, `python -m` ends by SIGINT."""
    code = (
        "import sys\nfrom sweeps import main\n"
        "text = 'import os, signal; os.kill(os.getpid(), signal.SIGINT); signal.pause()'\n"
        "main.COMMANDS['plan'] = lambda arguments: exec(text)\nsys.exit(main.main(['plan']))\n"
    )
    (tmp_path / "interrupted.py").write_text(code)
    command = [sys.executable, "-m", "interrupted"]
    completed = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (completed.returncode, completed.stderr) == (130, "Stopped.\n")


def test_ctrl_c_that_a_library_turns_into_something_else(tmp_path: Path) -> None:
    """An import that is cut short may end in any exception."""
    code = (
        "import os, signal, sys\nfrom sweeps import main\n"
        "def cut_short(arguments):\n"
        "    try:\n        os.kill(os.getpid(), signal.SIGINT)\n        signal.pause()\n"
        "    except KeyboardInterrupt:\n        raise ImportError('numpy.core failed to import') from None\n"
        "main.COMMANDS['plan'] = cut_short\nsys.exit(main.main(['plan']))\n"
    )
    completed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (completed.returncode, completed.stderr) == (130, "Stopped.\n")


@pytest.mark.slow
def test_a_terminal_that_is_closed_ends_a_sweep(tmp_path: Path) -> None:
    """The kernel hangs up: SIGHUP, and every write to the terminal is an error."""
    rest = [text for text in SMALL if not text.startswith("train.steps=")]
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(tmp_path)
        os.dup2(os.open("told", os.O_WRONLY | os.O_CREAT), 2)
        os.execv(sys.executable, [*SWEEPS, "-m", *rest, "train.steps=100000000", "seed=0,1"])
    seen, end = b"", time.monotonic() + 30
    while b"running" not in seen and time.monotonic() < end:
        seen += os.read(terminal, 4096)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 129
    assert (tmp_path / "told").read_text() == (
        "Stopped. What has ended is on disk; the same command goes on from there.\n"
    )
