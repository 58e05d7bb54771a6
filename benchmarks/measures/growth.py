"""How time and memory grow with length, width, lanes and cells: the slope of a line through the logarithms.

1 is linear, 0 is flat. Time is that of a training step of a native pack; memory is the largest process.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from measures.results import Bench
from measures.runs import run, sweep
from measures.steps import Case, times

ARCHS = ("rnn_tanh", "lstm")
BASE = {"h": 64, "b": 32, "t": 100, "lanes": 4}
VARIED = {"t": (50, 100, 200, 400, 800), "h": (32, 64, 128, 256), "lanes": (1, 2, 4, 8, 16)}
NAMES = {"t": "T", "h": "H", "lanes": "lanes"}
PROGRAM = """
import sys
sys.path.insert(0, {here!r})
from measures.cells import pack
from sweeps.engine.train import train
for _ in train(pack({lanes}, {arch!r}, "orthogonal", {h}, {b}, {t}, "train.steps=3"), lambda *_: None):
    pass
"""


def slope(x: list[int], y: list[float]) -> float:
    """Slope of log y over log x by least squares."""
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])


def measure(bench: Bench, quick: bool) -> None:
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        cwd = Path(folder)
        empty = run("-c", "import torch, sweeps.engine.train", cwd=cwd).megabytes
        for arch in ARCHS[: 1 if quick else None]:
            for name, values in VARIED.items():
                shown = list(values[:3] if quick else values)
                spent, memory = [], []
                for value in shown:
                    sizes = {**BASE, name: value}
                    case = Case(arch, "orthogonal", "auto", sizes["h"], sizes["b"], sizes["t"], sizes["lanes"])
                    spent.append(float(np.median(times(case, 3, ("pack",))["pack"])))
                    here = str(Path(__file__).parents[1])
                    used = run("-c", PROGRAM.format(here=here, arch=arch, **sizes), cwd=cwd).megabytes
                    memory.append(max(used - empty, 1.0))
                rows.append(row(bench, f"{arch}, {NAMES[name]}", shown, spent, memory))
    counts = [40, 80, 160] if quick else [100, 400, 1600]
    ran = []
    for count in counts:
        with tempfile.TemporaryDirectory() as folder:
            grid = (f"seed=range({count})", "train.steps=1", "task.length=10", "train.eval_size=32", "arch.hidden=64")
            ran.append(sweep(*grid, cwd=Path(folder)))
    rows.append(row(bench, "a sweep, cells", counts, [r.seconds for r in ran], [r.megabytes for r in ran]))
    heads = ["against", "values", "seconds", "slope of time", "megabytes", "slope of memory"]
    bench.show("Growth", 1, heads, rows)
    bench.say("megabytes: of a worker beyond an empty one that has imported torch; of a sweep, its largest process.")


def row(bench: Bench, name: str, x: list[int], spent: list[float], memory: list[float]) -> list[str]:
    """A row of the table; notes the two slopes."""
    bench.note("growth", name, "slope_of_time", slope(x, spent))
    bench.note("growth", name, "slope_of_memory", slope(x, memory))
    ends = (f"{x[0]} to {x[-1]}", f"{spent[0]:.2g} to {spent[-1]:.2g}", f"{memory[0]:.0f} to {memory[-1]:.0f}")
    return [name, ends[0], ends[1], f"{slope(x, spent):.2f}", ends[2], f"{slope(x, memory):.2f}"]
