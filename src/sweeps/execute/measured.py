"""The measurements of a cell as arrays and back, bit for bit, for its checkpoint."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from sweeps.engine.train import Measurement

TEXT = "rows"
"""The array that holds what is no array itself, as JSON: floats read back to the same bits, None stays None."""


def as_arrays(measured: Sequence[Measurement]) -> dict[str, np.ndarray]:
    """An array `[R, ...]` for each field of `Measurement` that is one, and one array for all others; R rows, R > 0."""
    names = [each.name for each in fields(Measurement)]
    stacked = [name for name in names if isinstance(getattr(measured[0], name), np.ndarray)]
    rest = [{name: getattr(m, name) for name in names if name not in stacked} for m in measured]
    text = np.frombuffer(json.dumps(rest).encode(), dtype=np.uint8)
    return {TEXT: text, **{name: np.stack([getattr(m, name) for m in measured]) for name in stacked}}


def from_arrays(arrays: Mapping[str, np.ndarray]) -> list[Measurement]:
    """The measurements that `as_arrays` was given; rows of a probe are lists.

    Raises:
        ValueError, TypeError, LookupError: the arrays are not of that kind.
    """
    rest: list[dict[str, Any]] = json.loads(arrays[TEXT].tobytes())
    stacked = {name: array for name, array in arrays.items() if name != TEXT}
    return [Measurement(**row, **{name: array[at] for name, array in stacked.items()}) for at, row in enumerate(rest)]
