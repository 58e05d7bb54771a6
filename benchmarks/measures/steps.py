"""Training steps of packs against the same cell in stock torch.nn, and as a share of what the core can do.

Both sides run one thread, the same shapes, the same data, Adam, clipping by norm, and read loss and norm every step.
The stock step is taken twice, with subnormals flushed and without.
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch

from measures.cells import pack
from measures.results import Bench, seconds
from stock.step import stock_step
from sweeps.config.cards import card
from sweeps.config.schema import Settings
from sweeps.engine.adjoint import Trace
from sweeps.engine.clip import global_norm
from sweeps.engine.data import Examples
from sweeps.engine.native import library
from sweeps.engine.setup import Training, set_up
from sweeps.plan.packs import lanes_that_pay

SHAPES = ((64, 32, 100), (64, 32, 200), (32, 32, 100), (128, 64, 100))  # H, B, T
ARCHS = ("rnn_tanh", "rnn_relu", "lstm", "gru")
INITS = ("orthogonal", "random")  # gradients that live, and gradients that die through the subnormals
NAMES = ("unflushed", "flushed", "pack", "recorded")
LOG_EVERY = 10  # the default of train.log_every: so many steps share one record
LONG_ENOUGH = 0.05
LANES = (1, 4, 16)  # of the first shape; the others take what pays
KINDS = {"": (), "two layers": ("stack.layers=2",), "both directions": ("stack.bidirectional=true",),
         "every step": ("task=copy",)}  # fmt: skip
"""Networks of the first shape, beside the plain one: what makes them so."""
HEADS = ["arch", "init", "kernel", "H", "B", "T", "network", "lanes", "steps/s", "stock", "x flushed", "x not",
         "GFLOP/s", "of sgemm", "record"]  # fmt: skip


@dataclass(frozen=True)
class Case:
    """What is measured: architecture, initialisation, kernel, hidden units, batch, time steps, lanes, network."""

    arch: str
    init: str
    kernel: str
    h: int
    b: int
    t: int
    lanes: int
    network: str = ""

    def __str__(self) -> str:
        shape = f"{self.arch} {self.init} {self.kernel} H={self.h} B={self.b} T={self.t} K={self.lanes}"
        return f"{shape} {self.network}".strip()

    @property
    def settings(self) -> list[Settings]:
        """Of its cells. The sequences of the task with an answer at every step are 20 steps longer than its length."""
        more = (f"task.length={self.t - 20}",) if self.network == "every step" else ()
        return pack(self.lanes, self.arch, self.init, self.h, self.b, self.t, *KINDS[self.network], *more)


def cases(quick: bool) -> list[Case]:
    """Every case, the cheapest shape alone if `quick`."""
    kernels = ("native", "torch") if library() is not None else ("torch",)
    found = []
    for (h, b, t), arch, init, kernel in itertools.product(SHAPES[: 1 if quick else None], ARCHS, INITS, kernels):
        pays = lanes_that_pay(pack(1, arch, init, h, b, t)[0])
        several = not quick and (h, b, t) == SHAPES[0] and init == INITS[0]
        found += [Case(arch, init, kernel, h, b, t, k) for k in (LANES if several else (pays,))]
        if (h, b, t) == SHAPES[0] and init == INITS[0]:
            found += [Case(arch, init, kernel, h, b, t, pays, network) for network in KINDS if network]
    return found


def training_step(training: Training, batch: Examples, traced: bool = False) -> Callable[[], object]:
    """One training step of a pack on a fixed batch, which reads loss and norm; with the record if `traced`."""
    network, k = training.network, training.network.sizes.lanes

    def traces(wanted: bool) -> list[Trace]:
        return [Trace(k, network.inner.length) for _ in network.traced] if wanted else []

    def step() -> object:
        own, totals = traces(traced), traces(traced and network.every)
        loss = network.gradients(batch.x, batch.y, own, totals)
        norm = global_norm(network.grads.flat)
        values = loss.tolist(), norm.tolist()
        training.clip(network.grads.flat, norm)
        training.optimizer.step(network.p.flat, network.grads.flat)
        return values, [trace.log10_norm() for trace in [*own, *totals]]

    return step


def interleaved(steps: Mapping[str, Callable[[], object]], repetitions: int) -> dict[str, list[float]]:
    """Seconds of each side, interleaved; a first round warms up.

    A side takes several steps in a row, some LONG_ENOUGH seconds: the first after another side finds its data gone from
    the cache, and a step that cannot be timed alone would be mostly that.
    """
    spent: dict[str, list[float]] = {name: [] for name in steps}
    inner = dict.fromkeys(steps, 1)
    for repetition in range(repetitions + 1):
        for name, step in steps.items():
            torch.set_flush_denormal(name != "unflushed")
            taken = seconds(lambda: [step() for _ in range(inner[name])]) / inner[name]  # noqa: B023 (called at once)
            if repetition:
                spent[name].append(taken)
            else:
                inner[name] = max(1, round(LONG_ENOUGH / taken))
    torch.set_flush_denormal(True)
    return spent


def times(case: Case, repetitions: int, names: Sequence[str] = NAMES) -> dict[str, list[float]]:
    """Seconds of one training step of everybody, by name."""
    made = set_up(case.settings, case.kernel)
    batch = made.data.next()
    stock = stock_step(made.network, batch.x[0].view(case.t, case.b, -1).clone(), batch.y[0].clone(), 1e-6, 1.0)
    sides = {"unflushed": stock, "flushed": stock, "pack": training_step(made, batch),
             "recorded": training_step(made, batch, traced=True)}  # fmt: skip
    return interleaved({name: step for name, step in sides.items() if name in names}, repetitions)


def measure(bench: Bench, quick: bool) -> None:
    rows = []
    for case in cases(quick):
        spent = times(case, 5 if quick else 9)
        record = (ratio(spent, "recorded", "pack") - 1) / LOG_EVERY
        per_cell = statistics.median(spent["pack"]) * (1 + record) / case.lanes
        # forward, backward and weight gradients of the products with the state before and the layer below
        rate = (
            6
            * case.settings[0].stack.products
            * card("arch", case.arch).gates
            * case.b
            * case.h**2
            * case.t
            / per_cell
            / 1e9
        )
        numbers = {
            "steps_per_s": 1 / per_cell,
            "stock_steps_per_s": 1 / statistics.median(spent["flushed"]),
            "vs_flushed": case.lanes * ratio(spent, "flushed", "pack") / (1 + record),
            "vs_unflushed": case.lanes * ratio(spent, "unflushed", "pack") / (1 + record),
            "gflops": rate,
            "share_of_sgemm": rate / bench.peak,
            "record": record,
        }
        for quantity, value in numbers.items():
            bench.note("steps", str(case), quantity, value)
        rows.append([
            case.arch, case.init, case.kernel, str(case.h), str(case.b), str(case.t), case.network, str(case.lanes),
            f"{numbers['steps_per_s']:.0f}", f"{numbers['stock_steps_per_s']:.0f}", f"{numbers['vs_flushed']:.2f}",
            f"{numbers['vs_unflushed']:.2f}", f"{rate:.0f}", f"{rate / bench.peak:.0%}", f"{numbers['record']:+.1%}",
        ])  # fmt: skip
    bench.show("Steps of one cell per second: a pack against stock torch.nn", 3, HEADS, rows)
    records = [row[-1] for row in rows if row[2] == "native"]
    bench.say(
        f"record: what the gradient through time of every {LOG_EVERY}th step adds to training; it is in all numbers"
        + (f"; median {statistics.median(float(r.rstrip('%')) for r in records):+.1f}% natively." if records else ".")
    )


def ratio(spent: dict[str, list[float]], slow: str, fast: str) -> float:
    """Median over repetitions of slow / fast."""
    return statistics.median(a / b for a, b in zip(spent[slow], spent[fast], strict=True))
