"""Finite data in three parts, the same for every seed (seeds differ in their batches, not in what reports), and the
linear predictors that are recorded as baselines."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np


def share(name: str, given: float) -> float:
    """A share of the data that is a part of its own, checked.

    Raises:
        ValueError: it is not from 0.01 to 0.9.
    """
    if not 0.01 <= given <= 0.9:
        raise ValueError(f"task.{name}: given {given:g}, must be from 0.01 to 0.9 (a share of the data)")
    return given


def apart(labels: np.ndarray, taken: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the kept and of the taken part of the data, stratified: the same share of every class, rounded.

    Args:
        labels: class of each example, `[n]`; zeros for data without classes.
        taken: share of the second part.
        seed: of the draw; it is fixed by the task, not by the cell.

    Returns:
        Both in ascending order; together every index once.
    """
    rng, chosen = np.random.default_rng(seed), np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        own = np.flatnonzero(labels == label)
        chosen[rng.permutation(own)[: round(taken * len(own))]] = True
    return np.flatnonzero(~chosen), np.flatnonzero(chosen)


def least_squares(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Ordinary least squares with a constant: `[n, F]` and `[n, O]` -> weights `[F + 1, O]`, the constant last."""
    return np.linalg.lstsq(_with_one(x), y.astype(float), rcond=None)[0]


def predicted(weights: np.ndarray, x: np.ndarray) -> np.ndarray:
    """What the weights of `least_squares` make of `[n, F]`: `[n, O]`."""
    return _with_one(x) @ weights


def _with_one(x: np.ndarray) -> np.ndarray:
    return np.column_stack([x.astype(float), np.ones(len(x))])


def package_folder(package: str, extra: str, instead: str = "") -> Path:
    """The folder of an installed package, which is not imported.

    Args:
        extra: of this project that installs it.
        instead: what else the user can do.

    Raises:
        ValueError: it is not installed; the message says what to type.
    """
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ValueError(
            f"the data lie in the package {package}, which is not installed: pip install 'sweeps[{extra}]' (or "
            f"{package} alone){f', or {instead}' if instead else ''}"
        )
    return Path(spec.submodule_search_locations[0])
