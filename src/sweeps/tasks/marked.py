"""Sequences with two marked values, which `adding` and `multiplication` ask for at the end: where they stand.

    value   0.31 0.84 0.07 0.55 | 0.62 0.19 0.93 0.48
    marker   0    1    0    0   |  0    0    1    0

Each way is one paper's. In those of `hochreiter` and `pascanu` sequences have different lengths l: shorter ones begin
with T - l blank steps (zeros), so that all are answered at T - 1. `length` is T, the length of the longest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from sweeps.tasks.base import at_least


class Marks(NamedTuple):
    """The time steps, int64 `[B]`, at which each sequence begins, and of its two marked values."""

    begin: np.ndarray
    first: np.ndarray
    second: np.ndarray


class Way(NamedTuple):
    """One way to mark: `place` draws the marks of B sequences of at most T steps; T is at least `least`, for `why`."""

    place: Callable[[np.random.Generator, int, int], Marks]
    least: int
    why: str


def half(rng: np.random.Generator, steps: int, batch: int) -> Marks:
    """One in each half (Arjovsky et al. 2016): first ~ U{0..T/2 - 1}, second ~ U{T/2..T - 1}."""
    middle = steps // 2
    return Marks(np.zeros(batch, np.int64), rng.integers(0, middle, batch), rng.integers(middle, steps, batch))


def anywhere(rng: np.random.Generator, steps: int, batch: int) -> Marks:
    """Any two different steps with equal probability (Bai et al. 2018, Le et al. 2015)."""
    first, second = rng.integers(0, steps, batch), rng.integers(0, steps - 1, batch)
    return Marks(np.zeros(batch, np.int64), first, second + (second >= first))


def hochreiter(rng: np.random.Generator, steps: int, batch: int) -> Marks:
    """Hochreiter & Schmidhuber 1997: l ~ U{L..T} with T = L + L/10; one of the first ten, then one of the L/2 - 1
    first that are still unmarked."""
    begin = _begin(rng, shortest(steps), steps, batch)
    first, second = rng.integers(0, 10, batch), rng.integers(0, shortest(steps) // 2 - 1, batch)
    return Marks(begin, begin + first, begin + second + (second >= first))


def pascanu(rng: np.random.Generator, steps: int, batch: int) -> Marks:
    """The code of Pascanu et al. 2013: l ~ U{L..T} with T = L + L/10 - 1, drawn for each sequence (there: for each
    batch); first ~ U{0..l/10 - 1}, second ~ l/10 + U{0..2l/5 - 1}, fractions rounded down."""
    begin = _begin(rng, shortest(steps, 1), steps, batch)
    tenth, more = (steps - begin) // 10, (steps - begin) * 2 // 5
    return Marks(begin, begin + rng.integers(0, tenth), begin + tenth + rng.integers(0, more))


def shortest(steps: int, less: int = 0) -> int:
    """L: the largest for which L + L/10 - less is at most T."""
    return next(each for each in range(steps, 0, -1) if each + each // 10 - less <= steps)


def _begin(rng: np.random.Generator, least: int, steps: int, batch: int) -> np.ndarray:
    return steps - rng.integers(least, steps, batch, endpoint=True)


HALF = Way(half, 2, "one marker in each half")
ANY = Way(anywhere, 2, "two markers")
HOCHREITER = Way(hochreiter, 12, "one marker in the first ten of its shortest sequences, and a last step after them")
PASCANU = Way(pascanu, 10, "a marker in the first tenth")


def sequences(
    rng: np.random.Generator, way: Way, steps: int, batch: int, low: float = 0.0
) -> tuple[np.ndarray, np.ndarray, Marks]:
    """Inputs `[T, B, 2]`, value ~ U[low, 1] and marker; the two marked values, `[2, B]`; and the marks."""
    x = np.zeros((steps, batch, 2), dtype=np.float32)
    x[..., 0] = rng.random((steps, batch), dtype=np.float32)
    marks, every = way.place(rng, steps, batch), np.arange(batch)
    if low:
        x[..., 0] = low + (1 - low) * x[..., 0]
    x[..., 0] *= np.arange(steps)[:, None] >= marks.begin
    x[marks.first, every, 1] = 1
    x[marks.second, every, 1] = 1
    return x, np.stack([x[at, every, 0] for at in (marks.first, marks.second)]), marks


def with_ends(x: np.ndarray, marked: np.ndarray, marks: Marks, instead: float) -> np.ndarray:
    """Hochreiter & Schmidhuber's first and last step, written to `x`: both have the marker -1, and where the first is
    one of the marked values, that value is `instead`. Returns the marked values `[2, B]` so changed."""
    every, marked = np.arange(x.shape[1]), marked.copy()
    for at, value in zip((marks.first, marks.second), marked, strict=True):
        rare = at == marks.begin
        value[rare] = x[at[rare], every[rare], 0] = instead
    x[marks.begin, every, 1] = x[-1, :, 1] = -1
    return marked


def first_is_marked(steps: int) -> float:
    """The probability that Hochreiter & Schmidhuber's first step is one of the marked: 1/10 + 9/10 / (L/2 - 1)."""
    return 0.1 + 0.9 / (shortest(steps) // 2 - 1)


def checked(way: Way, length: int) -> int:
    """`length`, checked.

    Raises:
        ValueError: it is too small.
    """
    return at_least(length, way.least, way.why)
