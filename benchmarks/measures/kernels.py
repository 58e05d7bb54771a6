"""The native kernels alone, as a share of what this core can do: multiply-adds in registers, measured beside each call.

sgemm of torch's library and the rate of empty instructions stand beside it. The first says what a library makes of this
processor. The second falls when another program shares the core, which no clock shows: shares taken then are too low.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable

from measures.cells import pack
from measures.results import Bench, seconds, sgemm
from sweeps.config.cards import card
from sweeps.engine.native import kernels
from sweeps.engine.setup import set_up

ARCHS = ("rnn_tanh", "rnn_relu", "lstm", "gru")
WIDTHS = (64, 128)  # H
BATCH, LENGTH, LANES = 32, 100, 4
ROUNDS = 400_000  # of twelve vectors of multiply-adds, or of 64 empty instructions: some 50 ms
HEADS = ["arch", "H", "B", "T", "GFLOP/s", "forward", "backward", "of peak", "peak", "sgemm", "nop/ns"]


def calls(arch: str, h: int) -> tuple[Callable[[], object], Callable[[], object], float]:
    """The forward and the backward pass of one layer, and the flops of the forward pass in the recurrent weights."""
    made = set_up(pack(LANES, arch, "orthogonal", h, BATCH, LENGTH), "native")
    x = made.data.next().x
    one = made.network.layers[0].directions[0]
    dh = one.forward(x, False, None)[:, -1].clone()
    flops = 2.0 * LANES * LENGTH * BATCH * h * h * card("arch", arch).gates
    return lambda: one.forward(x, False, None), lambda: one.backward(x, dh, None), flops


def measure(bench: Bench, quick: bool) -> None:
    found = kernels()
    if found.library is None:
        return bench.say(f"kernels: none ({found.missing})")
    library, rows = found.library, []
    for h in WIDTHS[: 1 if quick else None]:
        sides = {arch: calls(arch, h) for arch in ARCHS}
        numbers: dict[str, list[list[float]]] = {arch: [] for arch in ARCHS}
        for repetition in range(8 if quick else 25):
            for arch, (forward, backward, flops) in sides.items():
                peak = seconds(lambda: library.multiply_adds(ROUNDS))
                there, back = seconds(forward), seconds(backward)
                empty = seconds(lambda: library.nops(ROUNDS // 4))
                done = library.multiply_adds(1) * ROUNDS
                if repetition:
                    rate = done / peak / 1e9
                    each = [3 * flops / (there + back) / 1e9, flops / there / 1e9 / rate, 2 * flops / back / 1e9 / rate]
                    numbers[arch].append([*each, each[0] / rate, rate, library.nops(1) * (ROUNDS // 4) / empty / 1e9])
        for arch, taken in numbers.items():
            rate, there, back, share, peak, nop = (statistics.median(one) for one in zip(*taken, strict=True))
            case = f"{arch} H={h} B={BATCH} T={LENGTH} {found.instructions}"
            for quantity, value in {
                "gflops": rate,
                "share_of_peak": share,
                "peak_gflops": peak,
                "nop_per_ns": nop,
            }.items():
                bench.note("kernels", case, quantity, value)
            rows.append([
                arch, str(h), str(BATCH), str(LENGTH), f"{rate:.0f}", f"{there:.0%}", f"{back:.0%}", f"{share:.0%}",
                f"{peak:.0f}", f"{sgemm(512):.0f}", f"{nop:.1f}",
            ])  # fmt: skip
    bench.show(f"Native kernels ({found.instructions}): share of the multiply-add peak of this core", 1, HEADS, rows)
