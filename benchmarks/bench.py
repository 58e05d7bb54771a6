"""`make bench`: training steps of packs against the same cell in stock torch.nn, like with like, in one run.

Both sides run one thread, the same shapes, the same data, Adam, clipping by norm, and read loss and norm every step.
Every figure is a median over interleaved repetitions; ratios within a repetition, so that a busy machine disturbs both.
Results are printed and appended to benchmarks/results.csv.

    python benchmarks/bench.py [quick]
"""

from __future__ import annotations

import csv
import itertools
import statistics
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from stock import stock_step
from sweeps.config.compose import Composer
from sweeps.config.parse import parse
from sweeps.config.precheck import load
from sweeps.engine.adjoint import Trace
from sweeps.engine.clip import global_norm
from sweeps.engine.native import library
from sweeps.engine.setup import set_up
from sweeps.engine.train import prepare_process
from sweeps.plan.forecast import BLOCKS
from sweeps.plan.packs import MOST, lanes_that_pay
from sweeps.records.provenance import commit

RESULTS = Path(__file__).parent / "results.csv"
SHAPES = ((64, 32, 100), (64, 32, 200), (32, 32, 100), (128, 64, 100))  # H, B, T
ARCHS = ("rnn_tanh", "rnn_relu", "lstm", "gru")
INITS = ("orthogonal", "random")  # gradients that live, and gradients that die through the subnormals
compose = Composer(load)


def sgemm() -> float:
    """GFLOP/s of a large one-thread matrix product: what this core can do."""
    n = 2048
    a, b, out = torch.randn(n, n), torch.randn(n, n), torch.empty(n, n)
    return statistics.median(2 * n**3 / seconds(lambda: torch.mm(a, b, out=out)) / 1e9 for _ in range(5))


def seconds(step: Callable[[], object]) -> float:
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


def sides(arch: str, init: str, kernel: str, h: int, b: int, t: int) -> tuple[dict[str, Callable[[], object]], int]:
    """What is compared, by name, and the lanes of the packs."""
    common = [f"arch={arch}", f"init={init}", "clip=norm", "optim.lr=1e-6", f"arch.hidden={h}", f"train.batch={b}",
              f"task.length={t}", "train.eval_size=1"]  # fmt: skip
    cells = []
    for seed in range(MOST):
        settings, problems = parse(compose([*common, f"seed={seed}"]))
        assert settings is not None, problems
        cells.append(settings)
    lanes = lanes_that_pay(cells[0])
    pack = set_up(cells[:lanes], kernel)
    x, y = pack.data.next()

    def ours(traced: bool) -> Callable[[], object]:
        def step() -> object:
            trace = Trace(lanes, t) if traced else None
            loss = pack.network.gradients(x, y, trace)
            norm = global_norm(pack.network.grads.flat)
            values = loss.tolist(), norm.tolist()
            pack.clip(pack.network.grads.flat, norm)
            pack.optimizer.step(pack.network.p.flat, pack.network.grads.flat)
            return values, trace.log10_norm() if trace else None

        return step

    stock = stock_step(pack.network, x[0].view(t, b, -1).clone(), y[0].clone(), 1e-6, 1.0)
    return {"unflushed": stock, "flushed": stock, "pack": ours(True), "untraced": ours(False)}, lanes


def measure(
    arch: str, init: str, kernel: str, h: int, b: int, t: int, repetitions: int, peak: float
) -> dict[str, object]:
    """Medians for one shape. The stock step appears twice, with and without flushing subnormals."""
    steps, lanes = sides(arch, init, kernel, h, b, t)
    times: dict[str, list[float]] = {name: [] for name in steps}
    for repetition in range(repetitions + 1):
        for name, step in steps.items():
            torch.set_flush_denormal(name != "unflushed")
            spent = seconds(step)
            if repetition:  # the first warms up
                times[name].append(spent)
    torch.set_flush_denormal(True)

    def ratio(slow: str, fast: str) -> float:
        return statistics.median(a / b for a, b in zip(times[slow], times[fast], strict=True))

    per_cell = statistics.median(times["pack"]) / lanes
    flops = 6 * BLOCKS.get(arch, 1) * b * h * h * t  # forward, backward and weight gradients of the recurrent products
    return {
        "arch": arch,
        "init": init,
        "kernel": kernel,
        "H": h,
        "B": b,
        "T": t,
        "lanes": lanes,
        "steps_per_s": 1 / per_cell,
        "stock_steps_per_s": 1 / statistics.median(times["flushed"]),
        "vs_flushed": lanes * ratio("flushed", "pack"),
        "vs_unflushed": lanes * ratio("unflushed", "pack"),
        "gflops": flops / per_cell / 1e9,
        "share_of_sgemm": flops / per_cell / 1e9 / peak,
        "record": ratio("pack", "untraced") - 1,
    }


def main(quick: bool) -> None:
    prepare_process()
    console = Console(width=None if sys.stdout.isatty() else 120)
    peak = sgemm()
    where = {
        "date": date.today().isoformat(),
        "commit": (commit() or "")[:12],
        "torch": torch.__version__,
        "cpu": torch.backends.cpu.get_cpu_capability(),
        "sgemm_gflops": round(peak, 1),
    }
    console.print(
        f"torch {where['torch']}, {where['cpu']}, one thread; sgemm of 2048: {peak:.0f} GFLOP/s", highlight=False
    )
    console.print(
        "Steps of one cell per second, pack against stock torch.nn + autograd; medians of one interleaved run."
    )
    table = Table(box=None, header_style="dim", pad_edge=False)
    heads = ("arch", "init", "kernel", "H", "B", "T", "lanes", "steps/s", "stock", "x flushed", "x not", "GFLOP/s",
             "of sgemm", "record")  # fmt: skip
    for head in heads:
        table.add_column(head, justify="left" if head in ("arch", "init", "kernel") else "right", no_wrap=True)
    rows = []
    available = ("native", "torch") if library() is not None else ("torch",)
    for h, b, t in SHAPES[: 1 if quick else None]:
        for arch, init, kernel in itertools.product(ARCHS, INITS, available):
            row = measure(arch, init, kernel, h, b, t, 5 if quick else 15, peak)
            rows.append(row)
            table.add_row(
                arch, init, kernel, str(h), str(b), str(t), str(row["lanes"]), f"{row['steps_per_s']:.0f}",
                f"{row['stock_steps_per_s']:.0f}", f"{row['vs_flushed']:.2f}", f"{row['vs_unflushed']:.2f}",
                f"{row['gflops']:.0f}", f"{row['share_of_sgemm']:.0%}", f"{row['record']:+.1%}",
            )  # fmt: skip
    console.print(table)
    console.print("record: what reading the gradient through time adds to a step, at every step.")
    if quick:
        return
    new = not RESULTS.exists()
    with RESULTS.open("a", newline="") as file:
        writer = csv.DictWriter(file, [*where, *rows[0]])
        if new:
            writer.writeheader()
        writer.writerows(
            {**where, **{k: f"{v:.4g}" if isinstance(v, float) else v for k, v in row.items()}} for row in rows
        )
    console.print(f"Appended to {RESULTS}", highlight=False)


if __name__ == "__main__":
    main("quick" in sys.argv[1:])
