"""Forecast of the time that a cell takes: what it costs at any size, and floating-point operations over a rate.

Both are corrected by finished cells.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable

from sweeps.config.cards import card
from sweeps.config.schema import Settings
from sweeps.config.steps import EVERY, WIDTHS, about_steps

RATE = 80e9
"""Operations per second of one core with native kernels (measured: 60e9 to 130e9 with AVX-512); torch's do a third."""
PER_CELL, PER_UPDATE = 10e-3, 100e-6
"""Seconds of one core that a cell, and each of its updates, costs at any size: setting up, drawing data, writing the
record; calling the kernels. Measured with native kernels as medians of five packs of 16 lanes, H = 8, T = 6, B = 8,
processor time: 10.3 ms (tanh) and 13.9 ms (LSTM) for 6 updates, 61 and 56 ms for 500. A cell alone in its pack takes
20 to 26 ms and 440 to 560 us an update."""

FORWARD = 1 / 3
"""Of an update's calls, those of a forward pass of as many sequences."""


def core_seconds(settings: Settings) -> float:
    """Seconds of one core for one cell: forward, backward and weight gradients of every update, and the evaluations.

    `PER_CELL`, `PER_UPDATE` and `per_step` of the architecture's card say what was measured of the cost that does not
    depend on the size. Architectures without kernels of their own are mostly that.
    """
    t, b, h, stack = about_steps(settings), settings.train.batch, settings.arch.hidden, settings.stack
    arch = card("arch", settings.arch.name)
    inputs, outputs = WIDTHS.get(settings.task.name, (1, 1))
    lowest, steps = stack.embedding or inputs, t
    if arch.once:
        lowest, steps = t * lowest, 1
    per_step = stack.products * 2 * h * h + stack.directions * 2 * lowest * h + stack.recurrences * 15 * h
    readout = (t if settings.task.name in EVERY else 1) * 2 * stack.directions * h * outputs
    embedding = t * 2 * inputs * stack.embedding
    per_sequence = arch.gates * arch.elementwise * steps * per_step + readout + embedding  # forward
    batches = settings.train.steps * settings.train.accumulate
    train = batches * b * 3 * per_sequence
    evaluated = settings.train.steps / settings.train.eval_every * settings.train.eval_size
    called = stack.recurrences * steps * arch.per_step * 1e-6 * (batches + FORWARD * evaluated / b)
    return PER_CELL + PER_UPDATE * batches + called + (train + evaluated * per_sequence) / RATE


def correction(finished: Iterable[tuple[Settings, float]]) -> float:
    """Median ratio of measured to forecast seconds.

    Args:
        finished: settings and measured seconds of finished cells; times of 0 are left out. Without any the ratio is 1.
    """
    ratios = [measured / core_seconds(settings) for settings, measured in finished if measured > 0]
    return statistics.median(ratios) if ratios else 1.0
