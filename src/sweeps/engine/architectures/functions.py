"""tanh, sigmoid and relu by the name of the unit or gate that they are, for time steps whose units are to be looked at.

    f, g = sigmoid("f", a_f, carries=True), tanh("g", a_g)

is `a_f.sigmoid()` and `a_g.tanh()`. Within `noting()` each call is kept with its argument, from which probes compute
values and slopes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Noted:
    """One call.

    Attributes:
        name: of the gate, such as `f`, or of what the function makes, such as `h`.
        function: `tanh`, `sigmoid` or `relu`.
        a: its argument, `[K, B, H]`.
        carries: whether its value is what multiplies the state before.
    """

    name: str
    function: str
    a: Tensor
    carries: bool = False


_kept: list[Noted] | None = None


@contextmanager
def noting() -> Iterator[list[Noted]]:
    """A context whose list has every call made within it, in their order."""
    global _kept
    before, _kept = _kept, []
    try:
        yield _kept
    finally:
        _kept = before


def tanh(name: str, a: Tensor) -> Tensor:
    """tanh(a)."""
    _note(Noted(name, "tanh", a))
    return a.tanh()


def sigmoid(name: str, a: Tensor, carries: bool = False) -> Tensor:
    """1 / (1 + exp(-a)); `carries` if the state before is multiplied by it."""
    _note(Noted(name, "sigmoid", a, carries))
    return a.sigmoid()


def relu(name: str, a: Tensor) -> Tensor:
    """max(a, 0)."""
    _note(Noted(name, "relu", a))
    return a.relu()


def _note(call: Noted) -> None:
    if _kept is not None:
        _kept.append(call)
