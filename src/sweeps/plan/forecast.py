"""Forecast of the time that a cell takes: floating-point operations over a rate, corrected by finished cells."""

from __future__ import annotations

import statistics
from collections.abc import Iterable

from sweeps.config.cards import card
from sweeps.config.schema import Settings

RATE = 120e9
"""Operations per second of one core with native kernels (measured: 60e9 to 180e9 with AVX-512); torch's do a third."""


def seconds(settings: Settings) -> float:
    """Seconds of one core for one cell: forward, backward and weight gradients of every update, and the evaluations."""
    t, b, h = settings.task.length, settings.train.batch, settings.arch.hidden
    arch = card("arch", settings.arch.name)
    per_sequence = arch.gates * arch.elementwise * t * (2 * h * h + 15 * h)  # one forward product, and elementwise work
    train = settings.train.steps * b * 3 * per_sequence
    evaluations = settings.train.steps / settings.train.eval_every * settings.train.eval_size * per_sequence
    return (train + evaluations) / RATE


def correction(finished: Iterable[tuple[Settings, float]]) -> float:
    """Median ratio of measured to forecast seconds.

    Args:
        finished: settings and measured seconds of finished cells; times of 0 are left out. Without any the ratio is 1.
    """
    ratios = [measured / seconds(settings) for settings, measured in finished if measured > 0]
    return statistics.median(ratios) if ratios else 1.0
