"""What trains one pack and writes the records of its cells, in whatever process an executor chose."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from sweeps import tasks
from sweeps.engine.device import available, name_of
from sweeps.engine.native import kernels
from sweeps.engine.recurrences import choose
from sweeps.engine.train import train
from sweeps.execute.recorder import Recorder
from sweeps.plan.packs import Pack
from sweeps.probes.parameters import parameter_rows
from sweeps.records.paths import SweepPaths

Notify = Callable[[str, dict], None]
"""("progress", {"done": share of the pack}) or ("ended", {"cell": id, "outcome": ...})."""


def can_train_on(device: str) -> bool:
    """Whether this machine has the device that a pack asks for."""
    return available(device)


def kernel_of(arch: str, kernel: str, device: str) -> dict[str, str | None]:
    """Which kernel trains an architecture here, and where it is a native one its instruction set and build."""
    name = choose(arch, kernel, device)
    found = kernels() if name == "native" else None
    return {
        "kernel": name,
        "instructions": found.instructions if found else None,
        "build": found.build if found else None,
    }


def train_pack(pack: Pack, root: Path, notify: Notify) -> None:
    """Train the cells of a pack and write each one's record under `root` the moment it ends.

    Raises:
        OSError: the records cannot be written.
    """
    sweep = SweepPaths(root)
    settings = [cell.settings for cell in pack.cells]
    first = settings[0]
    task = tasks.task_of(first.task)
    running = {k: Recorder(cell, sweep.cell(cell.id), task) for k, cell in enumerate(pack.cells)}
    device = first.executor.device
    computed = kernel_of(first.arch.name, first.executor.kernel, device)
    share, before = 0.0, time.perf_counter()  # seconds of one core that each lane still running has used

    def end(k: int) -> None:
        recorder = running.pop(k)
        recorder.write(share, {"id": pack.id, "lane": k, "lanes": len(pack.cells), **computed}, name_of(device))
        notify("ended", {"cell": recorder.cell.id, "outcome": recorder.outcome})

    for measurements in train(settings, parameter_rows, first.executor.kernel, device):
        now = time.perf_counter()
        share, before = share + (now - before) / len(running), now
        for m in measurements:
            running[m.cell].add(m)
            stopped = first.train.stop_when_solved and running[m.cell].solved_step is not None
            if m.diverged or stopped or m.step == first.train.steps:
                end(m.cell)
        if measurements:
            notify("progress", {"done": measurements[-1].step / first.train.steps})
