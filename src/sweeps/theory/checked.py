"""Refusals of arguments that a formula is not made for: what was given and what is allowed."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import ArrayLike

Array = np.ndarray


def one_of(what: str, given: str, allowed: Iterable[str]) -> str:
    """`given`, if it is an allowed name.

    Raises:
        ValueError: it is not; the message names the nearest one.
    """
    names = sorted(allowed)
    if given in names:
        return given
    near = difflib.get_close_matches(given, names, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"{what}: {given!r} is not known{hint} (allowed: {', '.join(names)})")


def at_least(what: str, given: ArrayLike, low: float) -> Array:
    """`given` as float64, if every number of it is at least `low`.

    Raises:
        ValueError: one is below, or is no number.
    """
    return _held(what, given, lambda x: x >= low, f"at least {low:g}")


def above(what: str, given: ArrayLike, low: float) -> Array:
    """`given` as float64, if every number of it is above `low`.

    Raises:
        ValueError: one is not.
    """
    return _held(what, given, lambda x: x > low, f"above {low:g}")


def inside(what: str, given: ArrayLike, low: float, high: float) -> Array:
    """`given` as float64, if every number of it is above `low` and below `high`.

    Raises:
        ValueError: one is not.
    """
    return _held(what, given, lambda x: (x > low) & (x < high), f"above {low:g} and below {high:g}")


def below_one(what: str, given: ArrayLike) -> Array:
    """`given` as float64, if every number of it is at least 0 and below 1.

    Raises:
        ValueError: one is not.
    """
    return _held(what, given, lambda x: (x >= 0) & (x < 1), "at least 0 and below 1")


def square(what: str, given: ArrayLike) -> Array:
    """`given` as a finite float64 matrix [H, H].

    Raises:
        ValueError: it has another shape, or an element that is not finite.
    """
    w = np.asarray(given, dtype=np.float64)
    if w.ndim != 2 or w.shape[0] != w.shape[1] or not w.size:
        raise ValueError(f"{what}: given an array of shape {w.shape}, must be a square matrix [H, H]")
    if not np.isfinite(w).all():
        raise ValueError(f"{what}: an element is not finite")
    return w


def _held(what: str, given: ArrayLike, allowed: Callable[[Array], Array], words: str) -> Array:
    x = np.asarray(given, dtype=np.float64)
    wrong = x[~allowed(x)]
    if wrong.size:
        raise ValueError(f"{what}: given {wrong.flat[0]:g}, must be {words}")
    return x
