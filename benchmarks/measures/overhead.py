"""What a cell costs beside training: a sweep of cells of one update; planning and resuming many cells; the record."""

from __future__ import annotations

import itertools
import json
import tempfile
from pathlib import Path

from measures.cells import pack, settings
from measures.results import Bench, seconds
from measures.runs import run, sweep
from sweeps.config.identity import cell_id
from sweeps.engine.train import train
from sweeps.execute.local import cores
from sweeps.execute.recorder import Recorder
from sweeps.plan.cells import Cell
from sweeps.probes.weights import parameter_rows
from sweeps.records.paths import SweepPaths
from sweeps.records.summary import PackFacts
from sweeps.tasks import task_of

GRID = ("init=random,xavier,orthogonal,identity", "clip=none,norm")


def measure(bench: Bench, quick: bool) -> None:
    one, many = (80, 800) if quick else (1000, 10000)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        grid = (*GRID, f"seed=range({one // 8})", "train.steps=1", "task.length=10", "train.eval_size=32")
        first = sweep(*grid, cwd=root)
        busy = sum(json.loads(path.read_text())["seconds"] for path in root.glob("scratch/*/summary.json")) / cores()
        again = sweep(*grid, cwd=root)
        rows += [
            [f"{one:,} cells of one update", f"{first.seconds:.1f} s", f"{1000 * first.seconds / one:.1f} ms"],
            ["  beside training", f"{first.seconds - busy:.1f} s", f"{1000 * (first.seconds - busy) / one:.1f} ms"],
            ["  the same sweep again", f"{again.seconds:.1f} s", f"{1000 * again.seconds / one:.1f} ms"],
        ]
        bench.note("overhead", f"{one} cells of one update", "ms_per_cell", 1000 * first.seconds / one)
        bench.note("overhead", f"{one} cells of one update", "ms_per_cell_beside_training",
                   1000 * (first.seconds - busy) / one)  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        plan = ("-m", "sweeps", "plan", f"runs_dir={root}", *GRID, f"seed=range({many // 8})")
        planned = run(*plan, cwd=root)
        done(root, many)
        resumed = run(*plan, cwd=root)
        told = (root / "output.txt").read_text()
        assert f"{many} cells: {many} done" in told, told
        for name, taken in ((f"planning {many:,} cells", planned), ("  when all of them are done", resumed)):
            rows.append([name, f"{taken.seconds:.1f} s", f"{1000 * taken.seconds / many:.2f} ms"])
            bench.note("overhead", f"{name.strip()} ({many})", "seconds", taken.seconds)
    training, writing = record()
    rows.append(["the record of one cell (tanh, H=64, T=200, defaults)", f"{writing:.2f} s", ""])
    rows.append(["  as a share of training it", f"{writing / training:.1%}", ""])
    bench.note("overhead", "rnn_tanh H=64 B=32 T=200, 1000 updates", "record_share_of_training", writing / training)
    bench.show("Beside training", 1, ["", "in all", "a cell"], rows)


def done(root: Path, count: int) -> None:
    """Records of the grid that is planned: of each cell the summary, which is what says that it is done."""
    axes = (argument.split("=")[1].split(",") for argument in GRID)
    for init, clip, seed in itertools.product(*axes, range(count // 8)):
        cell = cell_id(settings(f"init={init}", f"clip={clip}", f"seed={seed}"))
        paths = SweepPaths(root / "scratch").cell(cell)
        paths.root.mkdir(parents=True)
        paths.summary.write_text(json.dumps({"cell": cell, "seconds": 1.0, "outcome": "finished"}))


def record() -> tuple[float, float]:
    """Seconds of training one cell with default records, and of writing them."""
    with tempfile.TemporaryDirectory() as folder:
        one = pack(1, "rnn_tanh", "orthogonal", 64, 32, 200)[0]
        recorder = Recorder(Cell("cell", one), SweepPaths(Path(folder)).cell("cell"), task_of(one.task))

        def training() -> None:
            for measurements in train([one], parameter_rows):
                recorder.add(measurements[0])

        return seconds(training), seconds(lambda: recorder.write(PackFacts()))
