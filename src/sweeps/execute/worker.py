"""Trains one pack and writes the records of its cells; an executor chooses the process that runs this."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from sweeps import tasks
from sweeps.engine.train import train
from sweeps.execute.checkpoints import Keeper, Start, made_with, starts
from sweeps.execute.recorder import Recorder
from sweeps.plan.packs import Pack
from sweeps.probes.taken import Probes
from sweeps.records.paths import SweepPaths
from sweeps.records.summary import PackFacts

Notify = Callable[[str, dict], None]
"""Called with ("ended", {"cell": id, "outcome": ...}) when a cell has ended, and at most once for each logged step with
("progress", {"done": share of the pack's updates, "step": ..., "lanes": what was measured last of each cell}):
`Recorder.now` of those that were measured at this step. ("note", {"text": ...}) is a sentence for the user."""


def train_pack(pack: Pack, root: Path, notify: Notify) -> None:
    """Train the cells of a pack and write each one's record under `root` the moment it ends.

    Cells that have a checkpoint go on from it.

    Args:
        root: folder of the sweep.
        notify: called after each logged step and when a cell has ended.

    Raises:
        OSError: the records cannot be written.
    """
    sweep, made, ended = SweepPaths(root), made_with(pack.cells[0].settings), 0
    for group in starts(pack, sweep, made, lambda text: notify("note", {"text": text})):

        def of_pack(kind: str, content: dict, before: int = ended, cells: int = len(group)) -> None:
            if kind == "progress":
                content = {**content, "done": (before + cells * content["done"]) / len(pack.cells)}
            notify(kind, content)

        _train_together(group, sweep, made, of_pack)
        ended += len(group)


def _train_together(group: Sequence[Start], sweep: SweepPaths, made: Mapping[str, str], notify: Notify) -> None:
    """Train cells that go on from the same update."""
    pack = Pack(tuple(start.cell for start in group))
    settings = [cell.settings for cell in pack.cells]
    first = settings[0]
    task = tasks.task_of(first.task)
    running = {
        k: Recorder(start.cell, sweep.cell(start.cell.id), task, start.measured, start.seconds)
        for k, start in enumerate(group)
    }
    keeper = None
    if first.train.checkpoint:
        keeper = Keeper(running, made, first.train.checkpoint, lambda text: notify("note", {"text": text}))
    probes = Probes(first)
    states = [start.state for start in group if start.state is not None]
    before = time.perf_counter()

    def end(k: int) -> None:
        recorder = running.pop(k)
        built = made["kernel"], made.get("instructions"), made.get("build")
        recorder.write(PackFacts(pack.id, k, len(group), *built), made["device"])
        notify("ended", {"cell": recorder.cell.id, "outcome": recorder.outcome})

    executor = first.executor
    for measurements in train(
        settings, probes, executor.kernel, executor.device, states, group[0].step, keeper, probes.watches.values()
    ):
        now = time.perf_counter()
        for recorder in running.values():  # core seconds, divided by the lanes that are running
            recorder.seconds += (now - before) / len(running)
        before = now
        lanes = []
        for m in measurements:
            running[m.position].add(m)
            lanes.append(running[m.position].now())
            if m.weights is not None:
                end(m.position)
        if measurements:
            step = measurements[-1].step
            notify("progress", {"done": step / first.train.steps, "step": step, "lanes": lanes})
