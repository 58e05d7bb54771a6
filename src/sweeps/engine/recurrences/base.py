"""What a recurrence is: h_t from h_{t-1} and x_t for K lanes at once, and the way back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from sweeps.engine.adjoint import Trace


@dataclass(frozen=True)
class Sizes:
    """The shape of a pack, which all its lanes share."""

    lanes: int  # K
    steps: int  # T
    batch: int  # B
    inputs: int  # I
    hidden: int  # H
    device: torch.device | str = "cpu"


class Recurrence(Protocol):
    """Interface. Weights multiply from the right, `h @ weight_hh`: each is the transpose of torch.nn's.

    `gates` names the blocks of H columns of `weight_hh`, in order; each block is initialised on its own.
    """

    gates: tuple[str, ...]

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The parameters of one lane. `weight_ih [I, G*H]`, `weight_hh [H, G*H]` and `bias [G*H]` are always there."""

    def forward(self, p: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """Run `x [K, T*B, I]` (time outermost) from h_{-1} = 0; return h_{T-1}, `[K, B, H]`, keeping what backward needs."""

    def backward(
        self, p: Mapping[str, Tensor], x: Tensor, dh: Tensor, grads: Mapping[str, Tensor], trace: Trace | None
    ) -> None:
        """Propagate `dh = dL/dh_{T-1}`, `[K, B, H]` (overwritten), write the gradients, show every dL/dh_t to `trace`."""


_REGISTRY: dict[str, Callable[[Sizes], Recurrence]] = {}


def register(name: str, make: Callable[[Sizes], Recurrence]) -> None:
    """Make `arch=name` mean `make(sizes)`."""
    _REGISTRY[name] = make


def registered() -> list[str]:
    """The names that `build` knows."""
    return sorted(_REGISTRY)


def build(name: str, sizes: Sizes) -> Recurrence:
    """The recurrence called `name`, with its buffers, for a pack of the given shape."""
    return _REGISTRY[name](sizes)
