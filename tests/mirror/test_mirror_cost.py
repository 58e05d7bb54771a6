"""Mirroring a long sweep is cheap, needs few file descriptors and loses nothing."""

from __future__ import annotations

import os
import random
import resource
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from mirror.mirrored import add_cell, cell_id, folders
from sweeps.mirror import offline_file
from sweeps.records.columns import GRADIENT_THROUGH_TIME
from sweeps.records.files import write_csv
from sweeps.records.paths import SweepPaths

CELLS, ROWS, LENGTH = 500, 100, 100
SECONDS = 60  # of two cores for all cells: some 20 on an idle machine; a quadratic cost would take minutes
DESCRIPTORS = 256


def add_cells(sweep: SweepPaths) -> None:
    """Records of 500 cells of 100 rows at T = 100. They share the files whose numbers do not matter here."""
    draw = random.Random(0)
    first = sweep.cell(add_cell(sweep, 0, rows=ROWS))
    gradient = [[row * 10, t, LENGTH - 1 - t, -50 * draw.random()] for row in range(ROWS) for t in range(LENGTH)]
    write_csv(first.gradient_through_time, GRADIENT_THROUGH_TIME, gradient)
    for index in range(1, CELLS):
        cell = sweep.cell(add_cell(sweep, index, rows=1, step=10 * ROWS - 10, final={}))
        for file in (cell.metrics, cell.gradient_through_time):
            file.unlink()
            os.link(first.root / file.name, file)


def descriptors(parent: int) -> int:
    """The most file descriptors that one process among `parent` and its descendants holds now."""
    most = 0
    with suppress(OSError):  # it has ended
        most = len(os.listdir(f"/proc/{parent}/fd"))
        for task in os.listdir(f"/proc/{parent}/task"):
            for child in Path(f"/proc/{parent}/task/{task}/children").read_text().split():
                most = max(most, descriptors(int(child)))
    return most


@pytest.mark.slow
def test_five_hundred_cells_are_cheap_and_complete_within_256_file_descriptors(sweep: SweepPaths) -> None:
    """Processor time is measured, so that other load does not count: two cores for a minute."""
    add_cells(sweep)
    where = [f"experiment={sweep.root.name}", f"runs_dir={sweep.root.parent}"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.Popen(
        [sys.executable, "-m", "sweeps", "mirror", *where],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS)),
    )
    most = 0
    while process.poll() is None:
        most = max(most, descriptors(process.pid))
        time.sleep(0.05)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert process.returncode == 0
    logs = {folder: next(folder.glob("run-*.wandb")) for folder in folders(sweep)}
    assert sorted(log.name for log in logs.values()) == sorted(f"run-{cell_id(k)}-n3.wandb" for k in range(CELLS))
    assert [offline_file.problem(log) for log in logs.values()] == [None] * CELLS
    assert 5 < most < DESCRIPTORS / 2, most
    used = (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)
    assert used < 2 * SECONDS, used
