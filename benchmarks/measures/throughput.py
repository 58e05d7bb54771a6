"""Cells per hour of a whole sweep, everything included: imports, composing, data, training, records.

The reference grid is arch x init x clip x T 50, 100, 200 x 2 seeds, H = 64, B = 32, 300 updates: 288 cells. Loss and
norm are recorded every ten updates; ||dL/dh_t|| every fifty by the stock side, every ten by this program. The stock
side's cells cost the same whatever else is in the grid, so it runs a part that has every arch, init and length, once
each; this program runs that part too, and the whole grid.
"""

from __future__ import annotations

import math
import statistics
import tempfile
from pathlib import Path

from measures.results import Bench, multiply_add_peak
from measures.runs import Run, run, sweep
from sweeps.config.cards import card
from sweeps.execute.machine import cores

STOCK = Path(__file__).parents[1] / "stock" / "sweep.py"
ARCHS, INITS, CLIPS = "rnn_tanh,rnn_relu,lstm,gru", "random,xavier,orthogonal,identity", "none,norm,value"
PART = {"clip": "norm", "seed": "0"}
WHOLE = {"clip": CLIPS, "seed": "0,1"}
OURS = ("arch.hidden=64", "train.batch=32", "train.eval_every={steps}", "train.eval_size=32", "optim.lr=0.001")
REPETITIONS = 3


def flops(steps: int, lengths: str) -> float:
    """Of a cell on average: forward, backward and weight gradients of the recurrent products alone."""
    gates = statistics.mean(card("arch", arch).gates for arch in ARCHS.split(","))
    return 6.0 * gates * 32 * 64**2 * steps * statistics.mean(map(int, lengths.split(",")))


def measure(bench: Bench, quick: bool) -> None:
    steps, lengths = (30, "50") if quick else (300, "50,100,200")
    axes = {"arch": ARCHS, "init": INITS}
    part = math.prod(len(values.split(",")) for values in (*axes.values(), lengths, *PART.values()))
    whole = math.prod(len(values.split(",")) for values in (*axes.values(), lengths, *WHOLE.values()))

    def stock(flush: bool, cwd: Path) -> Run:
        grid = [f"{name}={values}" for name, values in {**axes, **PART, "length": lengths}.items()]
        return run(STOCK, "-m", f"out={cwd}", f"steps={steps}", f"flush={flush}", *grid, cwd=cwd)

    def ours(which: dict[str, str], cwd: Path) -> Run:
        grid = [f"{name}={values}" for name, values in {**axes, **which, "task.length": lengths}.items()]
        fixed = [text.format(steps=steps) for text in OURS]
        return sweep(f"train.steps={steps}", "train.log_every=10", *fixed, *grid, cwd=cwd)

    taken: dict[str, list[float]] = {}
    peaks = []  # one beside each sweep: a moment that neighbours disturb would make the peak low and the share high
    for repetition in range(1 if quick else REPETITIONS):
        for name, cells, side in (
            ("this, whole grid", whole, lambda cwd: ours(WHOLE, cwd)),
            ("this, the part", part, lambda cwd: ours(PART, cwd)),
            ("stock, flushed", part, lambda cwd: stock(True, cwd)),
            ("stock", part, lambda cwd: stock(False, cwd)),
        ):
            if name == "stock" and repetition:
                continue  # it takes as long as all the others together, and is not close
            with tempfile.TemporaryDirectory() as folder:
                taken.setdefault(name, []).append(side(Path(folder)).seconds / cells)
            peaks.append(multiply_add_peak())

    rows, peak = [], max(peaks) * cores()
    whole_grid = statistics.median(taken["this, whole grid"])
    for name, per_cell in taken.items():
        cost = statistics.median(per_cell)
        faster = cost / whole_grid
        bench.note("throughput", f"{name}, {steps} updates", "cells_per_hour", 3600 / cost)
        bench.note("throughput", f"{name}, {steps} updates", "slower_than_this", faster)
        count, of_peak = whole if "whole" in name else part, flops(steps, lengths) / cost / peak
        bench.note("throughput", f"{name}, {steps} updates", "share_of_peak", of_peak)
        rows.append([name, str(count), str(len(per_cell)), f"{3600 / cost:,.0f}", f"{faster:.2f}", f"{of_peak:.0%}"])
    heads = ["side", "cells", "runs", "cells per hour", "times slower than the whole grid", "of peak"]
    bench.show(f"Sweep throughput, {steps} updates a cell, all cores", 1, heads, rows)
