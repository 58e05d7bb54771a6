"""Settings of cells and packs that are ready to train, for the measures."""

from __future__ import annotations

from sweeps.config.command_line import load
from sweeps.config.compose import Composer
from sweeps.config.parse import parse
from sweeps.config.schema import Settings

compose = Composer(load)


def settings(*overrides: str) -> Settings:
    """One cell, as it would be asked for on the command line."""
    found, problems = parse(compose(list(overrides)))
    assert found is not None, problems
    return found


def pack(lanes: int, arch: str, init: str, h: int, b: int, t: int, *more: str) -> list[Settings]:
    """Cells of one shape that differ in their seed; the learning rate is too small to change what is measured."""
    common = (f"arch={arch}", f"init={init}", "clip=norm", "optim.lr=1e-6", f"arch.hidden={h}", f"train.batch={b}",
              f"task.length={t}", "train.eval_size=2")  # fmt: skip
    return [settings(*common, *more, f"seed={seed}") for seed in range(lanes)]
