"""Training steps of every architecture against its plain loop in torch: the time step, called T times, and autograd.

Both sides run one thread, the same shapes, the same data, Adam, clipping by norm, and read loss and norm every step.
The loop has one lane, as a program has that trains one network; numbers of the pack are per cell.
"""

from __future__ import annotations

import statistics

from measures.cells import pack
from measures.results import Bench
from measures.steps import interleaved, ratio, training_step
from stock.loop import loop_step
from sweeps.choices.catalogue import options
from sweeps.engine.recurrences.choice import way
from sweeps.engine.setup import set_up
from sweeps.plan.packs import lanes_that_pay

H, B, T = 64, 32, 200
HEADS = ["arch", "computed by", "lanes", "steps/s", "loop", "x loop"]


def measure(bench: Bench, quick: bool) -> None:
    rows = []
    for arch in (choice.name for choice in options("arch")):
        lanes = min(4, lanes_that_pay(pack(1, arch, "orthogonal", H, B, T)[0]))
        training = set_up(pack(lanes, arch, "orthogonal", H, B, T))
        batch = training.data.next()
        loop = loop_step(training.network, batch.x[0].view(T, B, -1).clone(), batch.y[0].clone(), 1e-6, 1.0)
        spent = interleaved({"loop": loop, "pack": training_step(training, batch)}, 3 if quick else 9)
        per_second = {"pack": lanes / statistics.median(spent["pack"]), "loop": 1 / statistics.median(spent["loop"])}
        times = lanes * ratio(spent, "loop", "pack")
        case = f"{arch} H={H} B={B} T={T} K={lanes}"
        for quantity, value in (*per_second.items(), ("vs_loop", times)):
            bench.note("architectures", case, quantity, value)
        rows.append([
            arch, way(arch), str(lanes), f"{per_second['pack']:.1f}", f"{per_second['loop']:.1f}", f"{times:.1f}"
        ])  # fmt: skip
    bench.show(f"Steps of one cell per second, and of its plain loop (H = {H}, B = {B}, T = {T})", 2, HEADS, rows)
