"""Packs on a CUDA device against the same cells one after another with cuDNN. Says so where there is no device."""

from __future__ import annotations

import statistics
from collections.abc import Callable

import torch

from measures.cells import pack
from measures.results import Bench, seconds
from stock.step import stock_step
from sweeps.config.schema import Settings
from sweeps.engine.setup import set_up
from sweeps.engine.update import Update

ARCHS = ("rnn_tanh", "lstm", "gru")
LANES = (1, 32, 256, 1024)
H, B, T = 64, 32, 200
REPETITIONS = 5


def measure(bench: Bench, quick: bool) -> None:
    if not torch.cuda.is_available():
        bench.say("\nNo CUDA device: packs on a GPU are not measured here.")
        return
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    rows = []
    for arch in ARCHS:
        for lanes in LANES[: 2 if quick else None]:
            cells = pack(lanes, arch, "orthogonal", H, B, T)
            steps = {"graph": ours(cells, True), "eager": ours(cells, False), "serial": serial(arch)}
            spent: dict[str, list[float]] = {name: [] for name in steps}
            for repetition in range(REPETITIONS + 1):
                for name, step in steps.items():
                    taken = seconds(step)
                    if repetition:
                        spent[name].append(taken)
            medians = {name: statistics.median(values) for name, values in spent.items()}
            row = [arch, str(lanes), f"{lanes / medians['graph']:,.0f}", f"{1 / medians['serial']:,.0f}"]
            for name in ("graph", "eager"):
                faster = lanes * medians["serial"] / medians[name]
                bench.note("gpu", f"{arch} H={H} B={B} T={T} K={lanes}", f"{name}_vs_serial_cudnn", faster)
                row.append(f"{faster:.1f}")
            rows.append(row)
            torch.cuda.empty_cache()
    heads = ["arch", "lanes", "steps/s", "serial cuDNN", "x with graph", "x without"]
    bench.show(f"Steps of one cell per second on {torch.cuda.get_device_name()}, H={H} B={B} T={T}", 1, heads, rows)


def ours(cells: list[Settings], captured: bool) -> Callable[[], object]:
    """One training step of a pack, the gradient through time recorded."""
    update = Update(set_up(cells, "torch", "cuda"), captured=captured)

    def run() -> object:
        measured = update.backward()
        update.apply()
        torch.cuda.synchronize()
        return measured

    return run


def serial(arch: str) -> Callable[[], object]:
    """One training step of one cell in stock torch.nn, whose layers run on cuDNN."""
    made = set_up(pack(1, arch, "orthogonal", H, B, T), "torch", "cuda")
    x, y, *_ = made.data.next()
    return stock_step(made.network, x[0].view(T, B, -1).clone(), y[0].clone(), 1e-6, 1.0)  # reads its loss: waits
