"""Schedules of the learning rate: each update's rate is `optim.lr` times a factor, lane by lane.

A schedule is a function (At, its own options) -> factor; to add one, write it here, name it in `SCHEDULES` and add its
YAML. Those of torch.optim.lr_scheduler are the same rates; torch counts its own calls, here the count is of updates.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from sweeps.config.schema import Settings
from sweeps.engine.patience import Patience


class At(NamedTuple):
    """Where a run is."""

    step: int  # updates made
    warmup: int  # updates of the warm-up
    steps: int  # updates of the run
    cuts: float = 0  # how often the patience of a plateau ran out

    @property
    def rising(self) -> float:
        """The factor of a linear warm-up, 1/w, 2/w ... 1 over its w updates; 0 after them (Goyal et al. 2017)."""
        return (self.step + 1) / self.warmup if self.step < self.warmup else 0.0

    @property
    def after(self) -> int:
        """Updates made since the warm-up, n."""
        return self.step - self.warmup

    @property
    def share(self) -> float:
        """n over the updates after the warm-up, from 0 to 1."""
        return self.after / (self.steps - self.warmup)


def constant(at: At) -> float:
    """1, after the warm-up."""
    return at.rising or 1.0


def cosine(at: At, final: float) -> float:
    """final + (1 - final) (1 + cos(pi share)) / 2  (Loshchilov & Hutter 2017): CosineAnnealingLR."""
    return at.rising or final + (1 - final) * (1 + math.cos(math.pi * at.share)) / 2


def linear(at: At, final: float) -> float:
    """1 - (1 - final) share: LinearLR."""
    return at.rising or 1 - (1 - final) * at.share


def step(at: At, every: int, factor: float) -> float:
    """factor^floor(n / every): StepLR."""
    return at.rising or factor ** (at.after // every)


def exponential(at: At, factor: float) -> float:
    """factor^n, of every single update: ExponentialLR."""
    return at.rising or factor**at.after


def plateau(at: At, factor: float, final: float) -> float:
    """factor^cuts, no less than final: ReduceLROnPlateau. A cut follows more than `patience` evaluations in a row whose
    loss was not below the best by a share `threshold`."""
    return at.rising or max(final, factor**at.cuts)


def inverse_sqrt(at: At) -> float:
    """min(s / w, sqrt(w / s)) at update s = 1, 2 ...: `optim.lr` is the peak, reached after w updates of warm-up."""
    s, w = at.step + 1, max(1, at.warmup)
    return min(s / w, math.sqrt(w / s))


def noam(at: At, width: int) -> float:
    """width^-0.5 min(s^-0.5, s w^-1.5), as Vaswani et al. 2017 print it; `optim.lr=1` is theirs."""
    return (width * max(1, at.warmup)) ** -0.5 * inverse_sqrt(at)


SCHEDULES: dict[str, Callable[..., float]] = {
    "constant": constant,
    "cosine": cosine,
    "linear": linear,
    "step": step,
    "exponential": exponential,
    "plateau": plateau,
    "inverse_sqrt": inverse_sqrt,
    "noam": noam,
}
WAITING = ("patience", "threshold")
"""Options of a schedule that say when a cut follows; its function does not take them."""


class Schedules:
    """The learning rates of the lanes of a pack.

    Attributes:
        patience: of the evaluations, for lanes that have a plateau.
    """

    def __init__(self, settings: Sequence[Settings]) -> None:
        self.lanes = list(settings)
        own = [each.schedule.options for each in settings]
        self.patience = Patience(
            [float(each.get("patience", math.inf)) + 1 for each in own],
            [float(each.get("threshold", 0.0)) for each in own],
        )

    @property
    def change(self) -> bool:
        """Whether a rate is ever another than `optim.lr`."""
        return any(each.schedule.name != "constant" or each.schedule.warmup for each in self.lanes)

    def rates(self, step: int) -> list[float]:
        """The learning rate of each lane after so many updates."""
        return [_rate(each, step, cuts) for each, cuts in zip(self.lanes, self.patience.times, strict=True)]

    def keep(self, lanes: Sequence[int]) -> None:
        """Keep only these lanes, in that order."""
        self.lanes = [self.lanes[k] for k in lanes]
        self.patience.keep(lanes)


def _rate(settings: Settings, step: int, cuts: float) -> float:
    chosen = settings.schedule
    own = {name: value for name, value in chosen.options.items() if name not in WAITING}
    return settings.optim.lr * SCHEDULES[chosen.name](At(step, chosen.warmup, settings.train.steps, cuts), **own)
