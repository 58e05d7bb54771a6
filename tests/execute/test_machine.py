"""The memory limit is the least of the machine's memory and the limits set for this process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sweeps.execute import machine
from sweeps.execute.machine import memory_limit

BUILT_IN = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize(
    ("groups", "files", "limit"),
    [
        ("0::/job/step\n", {"job/memory.max": "1000000", "job/step/memory.max": "max"}, 1_000_000),
        ("0::/job/step\n", {"job/memory.max": "2000000", "job/step/memory.max": "1000"}, 1000),
        ("9:name=systemd:/\n4:memory:/job\n0::/\n", {"memory/job/memory.limit_in_bytes": "12345"}, 12345),
        ("4:cpu:/job\n", {"memory/job/memory.limit_in_bytes": "12345"}, None),
        ("nonsense\n", {}, None),
    ],
)
def test_the_limit_of_a_control_group_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, groups: str, files: dict[str, str], limit: int | None
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"{text}\n")
    (tmp_path / "cgroup").write_text(groups)
    monkeypatch.setattr(machine, "GROUPS", tmp_path)
    monkeypatch.setattr(machine, "OF_THIS_PROCESS", tmp_path / "cgroup")
    assert memory_limit() == (BUILT_IN if limit is None else limit)


def test_the_limit_of_a_shell_counts() -> None:
    code = (
        "import resource\nfrom sweeps.execute.machine import memory_limit\n"
        "resource.setrlimit(resource.RLIMIT_AS, (10**9, 10**9))\nprint(memory_limit())\n"
    )
    completed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert completed.stdout == f"{min(BUILT_IN, 10**9)}\n"
