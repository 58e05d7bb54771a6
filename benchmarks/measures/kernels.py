"""The native kernels alone, as a share of what this core can do: multiply-adds in registers, measured beside each call.

sgemm of torch's library and the rate of empty instructions stand beside it. The first says what a library makes of this
processor. The second falls when another program shares the core, which no clock shows: shares taken then are too low,
so that the repetitions with most of them stand apart as quiet.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence

from measures.cells import pack
from measures.results import Bench, seconds, sgemm
from sweeps.config.cards import card
from sweeps.engine.native import kernels
from sweeps.engine.setup import set_up

ARCHS = ("rnn_tanh", "rnn_relu", "lstm", "gru")
WIDTHS = (64, 128)  # H
BATCH, LENGTH, LANES = 32, 100, 4
ROUNDS = 200_000  # of twelve vectors of multiply-adds, or of 64 empty instructions: some milliseconds
HEADS = ["arch", "H", "B", "T", "GFLOP/s", "forward", "backward", "of peak", "nop/ns", "quiet: of peak", "nop/ns",
         "peak", "sgemm"]  # fmt: skip
QUIET = 4
"""One in so many repetitions counts as quiet: those in which most empty instructions were done."""


def calls(arch: str, h: int) -> tuple[Callable[[], object], Callable[[], object], float]:
    """The forward and the backward pass of one layer, and the flops of the forward pass in the recurrent weights."""
    made = set_up(pack(LANES, arch, "orthogonal", h, BATCH, LENGTH), "native")
    x = made.data.next().x
    one = made.network.layers[0].directions[0]
    dh = one.forward(x, False, None)[:, -1].clone()
    flops = 2.0 * LANES * LENGTH * BATCH * h * h * card("arch", arch).gates
    return lambda: one.forward(x, False, None), lambda: one.backward(x, dh, None), flops


def medians(taken: Sequence[Sequence[float]]) -> list[float]:
    """The median of each quantity over the repetitions."""
    return [statistics.median(one) for one in zip(*taken, strict=True)]


def measure(bench: Bench, quick: bool) -> None:
    found = kernels()
    if found.library is None:
        return bench.say(f"kernels: none ({found.missing})")
    library, rows = found.library, []
    for h in WIDTHS[: 1 if quick else None]:
        sides = {arch: calls(arch, h) for arch in ARCHS}
        taken: dict[str, list[list[float]]] = {arch: [] for arch in ARCHS}
        for repetition in range(8 if quick else 41):
            for arch, (forward, backward, flops) in sides.items():
                peak = library.multiply_adds(1) * ROUNDS / seconds(lambda: library.multiply_adds(ROUNDS)) / 1e9
                there, back = seconds(forward), seconds(backward)
                nop = library.nops(1) * ROUNDS / seconds(lambda: library.nops(ROUNDS)) / 1e9
                if repetition:  # the first warms up
                    rates = [3 * flops / (there + back) / 1e9, flops / there / 1e9, 2 * flops / back / 1e9]
                    taken[arch].append([*rates, *(rate / peak for rate in rates), peak, nop])
        for arch, each in taken.items():
            rate, _, _, share, there, back, peak, nop = medians(each)
            at_best = medians(sorted(each, key=lambda one: -one[-1])[: max(1, len(each) // QUIET)])
            numbers = {
                "gflops": rate, "share_of_peak": share, "peak_gflops": peak, "nop_per_ns": nop,
                "quiet_share_of_peak": at_best[3], "quiet_nop_per_ns": at_best[-1],
            }  # fmt: skip
            for quantity, value in numbers.items():
                bench.note("kernels", f"{arch} H={h} B={BATCH} T={LENGTH} {found.instructions}", quantity, value)
            rows.append([
                arch, str(h), str(BATCH), str(LENGTH), f"{rate:.0f}", f"{there:.0%}", f"{back:.0%}", f"{share:.0%}",
                f"{nop:.1f}", f"{at_best[3]:.0%}", f"{at_best[-1]:.1f}", f"{peak:.0f}", f"{sgemm(512):.0f}",
            ])  # fmt: skip
    bench.show(f"Native kernels ({found.instructions}): share of the multiply-add peak of this core", 1, HEADS, rows)
