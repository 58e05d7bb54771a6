"""The activation functions and gates of a recurrence at all time steps, as its definition calls them by name."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from sweeps.engine.architectures.functions import Noted, noting
from sweeps.probes.snapshot import Recurrent


def calls(one: Recurrent) -> Iterator[tuple[Noted, Tensor]]:
    """Each call of a named function, and its argument `[T, B, H]` in float64."""
    length, batch = one.x.shape[:2]

    def rows(values: Tensor) -> Tensor:
        return values.flatten(0, 1).unsqueeze(0)

    with noting() as found:
        one.step(one.prepared, rows(one.x), tuple(rows(part) for part in one.before))
    for call in found:
        yield call, call.a.reshape(length, batch, -1)


def slope(function: str, a: Tensor) -> Tensor:
    """The derivative of tanh, sigmoid or relu at a, without rounding to 0 where they saturate."""
    if function == "relu":
        return (a > 0).double()
    y = a.abs() if function == "sigmoid" else 2 * a.abs()
    e = torch.exp(-y)
    return e / (1 + e).square() * (1.0 if function == "sigmoid" else 4.0)
