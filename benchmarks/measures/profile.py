"""Where the time of training goes: native kernels, the record, and what stands around them, for packs of four lanes."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any
from unittest import mock

from measures.cells import pack
from measures.results import Bench, seconds
from sweeps.engine import update
from sweeps.engine.data import Data
from sweeps.engine.network import Network
from sweeps.engine.recurrences import native
from sweeps.engine.train import train
from sweeps.engine.update import Update

SHAPES = (("rnn_tanh", 10), ("rnn_tanh", 100), ("lstm", 10), ("lstm", 100), ("gru", 100))  # arch, T
HIDDEN, BATCH, LANES = 64, 32, 4
PARTS = {"data": (Data, "next"), "norms": (update, "global_norm"), "clip": (Update, "clip"),
         "optimiser": (Update, "apply"), "record": (Network, "_fill")}  # fmt: skip
KERNELS = ("forward", "backward")
HEADS = ["arch", "T", "ms an update", *KERNELS, *PARTS, "readout, loss, rest"]


def shares(arch: str, length: int, steps: int) -> tuple[float, dict[str, float]]:
    """Seconds of an update, and the share of each part."""
    spent: dict[str, float] = defaultdict(float)

    def timed(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **more: Any) -> Any:
            start = time.perf_counter()
            try:
                return function(*arguments, **more)
            finally:
                spent[name] += time.perf_counter() - start

        return call

    def kernel(name: str, *arguments: Any, **more: Any) -> None:
        part = name.rpartition("_")[2]
        (timed(part, original) if part in KERNELS else original)(
            name, *arguments, **more
        )  # the record is timed as a whole

    original = native.call
    options = (f"train.steps={steps}", f"train.eval_every={steps}", "train.log_every=10", "train.eval_size=32")
    settings = pack(LANES, arch, "orthogonal", HIDDEN, BATCH, length, *options)
    with mock.patch.object(native, "call", kernel):
        patches = [
            mock.patch.object(owner, part, timed(name, getattr(owner, part))) for name, (owner, part) in PARTS.items()
        ]
        for each in patches:
            each.start()
        taken = seconds(lambda: list(train(settings, lambda *_: None)))
        for each in patches:
            each.stop()
    found = {name: spent[name] / taken for name in (*KERNELS, *PARTS)}
    return taken / steps, {**found, "rest": 1 - sum(found.values())}


def measure(bench: Bench, quick: bool) -> None:
    rows = []
    for arch, length in SHAPES[:: 4 if quick else 1]:
        shares(arch, length, 10)  # warms up
        taken, found = shares(arch, length, 50 if quick else 200)
        case = f"{arch} H={HIDDEN} B={BATCH} T={length} K={LANES}"
        for name, share in found.items():
            bench.note("profile", case, f"share_{name}", share)
        rows.append([arch, str(length), f"{taken * 1e3:.2f}", *(f"{share:.0%}" for share in found.values())])
    bench.show("Where an update's time goes (the record: at every tenth update)", 1, HEADS, rows)
