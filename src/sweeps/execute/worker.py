"""Trains one pack and writes the records of its cells; an executor chooses the process that runs this."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from sweeps import tasks
from sweeps.engine.device import name_of
from sweeps.engine.native import kernels
from sweeps.engine.recurrences import choose
from sweeps.engine.train import train
from sweeps.execute.recorder import Recorder
from sweeps.plan.packs import Pack
from sweeps.probes.weights import parameter_rows
from sweeps.records.paths import SweepPaths
from sweeps.records.summary import PackFacts

Notify = Callable[[str, dict], None]
"""Called with ("ended", {"cell": id, "outcome": ...}) when a cell has ended, and at most once for each logged step with
("progress", {"done": share of the pack's updates, "step": ..., "lanes": what was measured last of each cell}):
`Recorder.now` of those that were measured at this step."""


def facts_of(pack: Pack, lane: int, arch: str, kernel: str, device: str) -> PackFacts:
    """What the summary of a cell records of its pack and of the kernels that compute it on this machine."""
    name = choose(arch, kernel, device)
    native = kernels() if name == "native" else None
    return PackFacts(
        id=pack.id,
        lane=lane,
        lanes=len(pack.cells),
        kernel=name,
        instructions=native.instructions if native else None,
        build=native.build if native else None,
    )


def train_pack(pack: Pack, root: Path, notify: Notify) -> None:
    """Train the cells of a pack and write each one's record under `root` the moment it ends.

    Args:
        root: folder of the sweep.
        notify: called after each logged step and when a cell has ended.

    Raises:
        OSError: the records cannot be written.
    """
    sweep = SweepPaths(root)
    settings = [cell.settings for cell in pack.cells]
    first = settings[0]
    task = tasks.task_of(first.task)
    running = {k: Recorder(cell, sweep.cell(cell.id), task) for k, cell in enumerate(pack.cells)}
    device = first.executor.device
    share, before = 0.0, time.perf_counter()  # core seconds so far, each divided by the lanes running then

    def end(k: int) -> None:
        recorder = running.pop(k)
        facts = facts_of(pack, k, first.arch.name, first.executor.kernel, device)
        recorder.write(share, facts, name_of(device))
        notify("ended", {"cell": recorder.cell.id, "outcome": recorder.outcome})

    for measurements in train(settings, parameter_rows, first.executor.kernel, device):
        now = time.perf_counter()
        share, before = share + (now - before) / len(running), now
        lanes = []
        for m in measurements:
            running[m.position].add(m)
            lanes.append(running[m.position].now())
            stopped = first.train.stop_when_solved and running[m.position].solved_step is not None
            if m.diverged or stopped or m.step == first.train.steps:
                end(m.position)
        if measurements:
            step = measurements[-1].step
            notify("progress", {"done": step / first.train.steps, "step": step, "lanes": lanes})
