"""What each probe costs: seconds of one evaluation of a cell, beside an update and the evaluation of the same cell.

`of training` is what the probe adds to a run at the default `train.eval_every=100`, one evaluation in a hundred
updates; `clipping` sees every update, and the share is what it adds to each.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import replace

from measures.cells import pack
from measures.results import Bench
from measures.steps import interleaved
from sweeps.engine.setup import set_up
from sweeps.engine.update import Update
from sweeps.probes.base import NAMES
from sweeps.probes.taken import Probes

ARCHS, H, B, T = ("rnn_tanh", "lstm"), 32, 32, 100
EVERY = 100
HEADS = ["arch", "probe", "ms", "of training"]


def sides(arch: str) -> dict[str, Callable[[], object]]:
    """One update, and one evaluation by each probe alone and by all at once."""
    [settings] = pack(1, arch, "orthogonal", H, B, T)
    training = set_up([settings])
    update, plain = Update(training), Probes(settings)
    update.backward()

    def step(*watches: str) -> Callable[[], object]:
        seeing = Probes(replace(settings, probe=",".join(watches) or "none")).watches.values()

        def one() -> None:
            update.backward()
            for each in seeing:
                each.before(training)
            update.clip()
            for each in seeing:
                each.after(training)
            update.apply()

        return one

    def taken(names: str) -> Callable[[], object]:
        probes = Probes(replace(settings, probe=names))
        return lambda: probes(training, 0)

    return {
        "update": step(),
        "update, clipping": step("clipping"),
        "weights": lambda: plain(training, 0),
        **{name: taken(name) for name in NAMES if name != "clipping"},
        "all": taken(",".join(NAMES)),
    }


def measure(bench: Bench, quick: bool) -> None:
    rows = []
    for arch in ARCHS:
        spent = interleaved(sides(arch), 3 if quick else 9)
        median = {name: statistics.median(values) for name, values in spent.items()}
        for name, seconds in median.items():
            own = seconds - (0.0 if name in ("update", "weights") else median["weights"])
            share = own / (EVERY * median["update"])
            if name.startswith("update"):
                own, share = seconds, seconds / median["update"] - 1
            bench.note("probes", f"{arch} H={H} B={B} T={T}", name, own)
            rows.append([arch, name, f"{1e3 * own:.1f}", f"{share:+.1%}" if name != "update" else ""])
    bench.show(
        f"What probes cost, beside the weights that every cell measures (H = {H}, B = {B}, T = {T})", 2, HEADS, rows
    )
