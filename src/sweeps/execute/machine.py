"""Cores and memory that this process may use, by the machine and by the limits set on the process."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

GROUPS = Path("/sys/fs/cgroup")
OF_THIS_PROCESS = Path("/proc/self/cgroup")


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory_limit() -> int:
    """Bytes of memory that this process may take: the machine's, or less if a batch system or shell limits it."""
    built_in = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limits = [resource.getrlimit(kind)[0] for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA)]
    return min([built_in, *(each for each in limits if each != resource.RLIM_INFINITY), *_group_limits()])


def _group_limits() -> Iterator[int]:
    """The memory limits of the control groups (version 1 or 2) of this process and of the groups around them."""
    with suppress(OSError, ValueError):  # no control groups here, or another format
        for line in OF_THIS_PROCESS.read_text().splitlines():
            _, kinds, path = line.split(":", 2)
            root, name = {"": (GROUPS, "memory.max"), "memory": (GROUPS / "memory", "memory.limit_in_bytes")}.get(
                kinds, (GROUPS, "")
            )
            group = root / path.lstrip("/")
            for folder in (group, *group.parents) if name else ():
                with suppress(OSError, ValueError):  # no such file, or "max"
                    yield int((folder / name).read_text())
