"""A process has a folder for its temporary files; those of the dead are removed, never those of the living."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sweeps.temporary import LONGEST, PREFIX, remove_unused

CODE = """
import multiprocessing.util, sys, tempfile
from sweeps.temporary import folder_of_this_process
folder_of_this_process()
socket = multiprocessing.util.get_temp_dir()
media = tempfile.TemporaryDirectory("wandb-media")
print(socket, media.name, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def place() -> Iterator[Path]:
    """A short one, as sockets need."""
    with tempfile.TemporaryDirectory(prefix="t-", dir="/tmp") as folder:
        yield Path(folder)


def process(place: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "TMPDIR": str(place)}
    return subprocess.Popen(
        [sys.executable, "-c", CODE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    )


def test_what_is_killed_is_swept_by_the_next_and_what_lives_is_not(place: Path) -> None:
    (place / "pymp-of-another").mkdir()
    with process(place) as living, process(place) as killed:
        folders = [[Path(path) for path in each.stdout.readline().split()] for each in (living, killed)]  # type: ignore[union-attr]
        assert all(path.is_dir() and path.parent.parent == place for pair in folders for path in pair)
        assert len(list(place.glob(f"{PREFIX}*"))) == 2
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        assert folders[1][0].is_dir(), "a kill leaves it"
        with process(place) as following:
            assert following.stdout is not None
            following.stdout.readline()
            assert not folders[1][0].parent.exists()
            assert all(path.is_dir() for path in folders[0])
            following.communicate("")
        living.communicate("")
        assert (living.returncode, following.returncode) == (0, 0)
    assert [path.name for path in place.iterdir()] == ["pymp-of-another"], "the living tidy up; others are let alone"


def test_links_files_and_folders_of_others_are_let_alone(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "elsewhere").mkdir()
    (place / "elsewhere" / "thesis.tex").touch()
    (place / f"{PREFIX}link").symlink_to(place / "elsewhere")
    (place / f"{PREFIX}file").touch()
    (place / f"{PREFIX}folder").mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    remove_unused(place)
    assert len(list(place.iterdir())) == 4
    monkeypatch.undo()
    remove_unused(place)
    assert {path.name for path in place.iterdir()} == {"elsewhere", f"{PREFIX}link", f"{PREFIX}file"}
    assert (place / "elsewhere" / "thesis.tex").exists()


def test_a_folder_too_long_for_a_socket_is_not_used(place: Path) -> None:
    long = place / ("x" * LONGEST)
    long.mkdir()
    with process(long) as living:
        assert living.stdout is not None
        socket, _ = living.stdout.readline().split()
        assert len(f"{socket}/listener-12345678") < 100 and not socket.startswith(str(place))
        living.communicate("")
    assert not Path(socket).parent.exists()
