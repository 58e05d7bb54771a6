"""Compiled kernels need no compiler, are rebuilt when damaged, and are never loaded if other users can write them."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sweeps.engine.native import build, kernels

SCRIPT = "from sweeps.engine.native import kernels; print(kernels().instructions, kernels().missing)"


def kernels_of_a_process(cache: Path, **environment: str) -> str:
    """The kernels of a new process with this cache: their instruction set, and why there are none."""
    env = {**os.environ, "XDG_CACHE_HOME": str(cache), **environment}
    return subprocess.run([sys.executable, "-c", SCRIPT], env=env, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with one library in it."""
    if kernels().library is None:
        pytest.skip("no C++ compiler: there are no native kernels on this machine")
    cache = tmp_path_factory.mktemp("cache")
    kernels_of_a_process(cache)
    [path] = (cache / "sweeps").glob("*.so")
    return path


def test_the_folder_is_the_users_alone_and_needs_no_compiler(library: Path, tmp_path: Path) -> None:
    assert stat.S_IMODE(library.parent.stat().st_mode) == 0o700
    assert build.sound(library)
    assert kernels_of_a_process(library.parent.parent, PATH=str(tmp_path), CXX="") == f"{kernels().instructions} None\n"


def a_link(path: Path) -> None:
    path.symlink_to(path.rename(path.with_suffix(".other")))


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGE: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-1000]),
    "one byte": lambda path: path.write_bytes(path.read_bytes()[:5000] + b"\xfe\xed" + path.read_bytes()[5002:]),
    "a digest of nothing": lambda path: path.write_bytes(build._digest(b"")),
    "writable by others": lambda path: path.chmod(0o722),
    "a link": a_link,
    "a folder": a_folder,
}


@pytest.mark.parametrize("damage", list(DAMAGE))
def test_what_is_not_sound_is_not_loaded(damage: str, library: Path, tmp_path: Path) -> None:
    path = tmp_path / library.name
    path.write_bytes(library.read_bytes())
    path.chmod(0o700)
    assert build.sound(path)
    DAMAGE[damage](path)
    assert not build.sound(path)


def test_a_damaged_library_is_built_again(library: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "sweeps" / library.name
    damaged.parent.mkdir()
    damaged.write_bytes(library.read_bytes()[:-1])
    assert kernels_of_a_process(tmp_path) == f"{kernels().instructions} None\n"
    assert build.sound(damaged)


def test_without_any_it_says_why(tmp_path: Path) -> None:
    nowhere = {"PATH": str(tmp_path), "CXX": ""}
    assert kernels_of_a_process(tmp_path, **nowhere) == "None there is no C++ compiler (g++ or clang++) on PATH\n"
    wrong = tmp_path / "c++"
    wrong.write_text("#!/bin/sh\necho 'x.cpp:1: error: no such thing' >&2; exit 3\n")
    wrong.chmod(0o755)
    output = kernels_of_a_process(tmp_path, PATH=str(tmp_path), CXX=str(wrong))
    assert output == f"None {wrong} ended with status 3 (x.cpp:1: error: no such thing)\n"


def test_a_compiler_that_is_killed_once_is_run_again(library: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "c++"
    wrong.write_text(f'#!/bin/sh\n[ -e {tmp_path}/once ] && exec g++ "$@"\ntouch {tmp_path}/once; kill -9 $$\n')
    wrong.chmod(0o755)
    assert kernels_of_a_process(tmp_path, CXX=str(wrong)) == f"{kernels().instructions} None\n"


def test_a_cache_that_cannot_be_written_has_a_stand_in(library: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    assert kernels_of_a_process(blocked, TMPDIR=str(tmp_path)) == f"{kernels().instructions} None\n"
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == [f"sweeps-{os.geteuid()}"]


def test_the_switch_names_its_values() -> None:
    env = {**os.environ, build.SWITCH: "avx3"}
    done = subprocess.run([sys.executable, "-m", "sweeps", "tracker=csv"], env=env, capture_output=True, text=True)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "SWEEPS_INSTRUCTIONS: 'avx3' is not known" in done.stderr and "avx2" in done.stderr
