"""What a recurrence is: h_t from h_{t-1} and x_t for K lanes at once, and the way back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from sweeps.engine.adjoint import Trace
from sweeps.engine.extended import Rows


@dataclass(frozen=True)
class Sizes:
    """The shape of a pack, which all its lanes share."""

    lanes: int  # K
    length: int  # T
    batch: int  # B
    inputs: int  # I
    hidden: int  # H
    device: torch.device | str = "cpu"


class Recurrence(Protocol):
    """Interface. Weights multiply from the right, `h @ weight_hh`: each is the transpose of torch.nn's."""

    @property
    def gates(self) -> tuple[str, ...]:
        """Names of the blocks of H columns of `weight_hh`, in order; each block is initialised on its own."""

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The parameters of one lane. `weight_ih [I, G*H]`, `weight_hh [H, G*H]` and `bias [G*H]` are always there."""

    def forward(self, p: Mapping[str, Tensor], x: Tensor, keep: bool = False) -> Tensor:
        """Run `x [K, T*B, I]`, time outermost, from h_{-1} = 0; return h_{T-1} `[K, B, H]`, keep what backward needs.

        Args:
            keep: keep what `through_time` needs as well, the pre-activations of this pass.
        """

    def backward(self, p: Mapping[str, Tensor], x: Tensor, dh: Tensor, grads: Mapping[str, Tensor]) -> None:
        """Propagate `dh = dL/dh_{T-1} [K, B, H]` (overwritten) in float32 and write the gradients."""

    def through_time(self, p: Mapping[str, Tensor], dh: Rows, trace: Trace) -> None:
        """Propagate the same in float64, along the pass that `forward` kept, and show each dL/dh_t to `trace`. Comes
        before `backward` and changes nothing that it reads."""


Make = Callable[[Sizes], Recurrence]
_REGISTRY: dict[str, dict[str, Make]] = {}


def register(name: str, make: Make, kernel: str = "torch") -> None:
    """Make `arch=name` mean `make(sizes)`; a second kernel of the same recurrence agrees to float32 rounding."""
    _REGISTRY.setdefault(name, {})[kernel] = make


def registered() -> list[str]:
    """The names that `build` knows."""
    return sorted(_REGISTRY)


def choose(name: str, kernel: str, device: torch.device | str = "cpu") -> str:
    """Which kernel of a recurrence `auto`, `native` or `torch` means here: native ones run on the CPU, where built.

    Raises:
        ValueError: `native` was asked for and there is none.
    """
    there = "native" in _REGISTRY[name] and str(device) == "cpu"
    if kernel == "native" and not there:
        raise ValueError(f"there is no native kernel of {name} on {device} here; use executor.kernel=auto")
    return "native" if there and kernel != "torch" else "torch"


def build(name: str, sizes: Sizes, kernel: str = "auto") -> Recurrence:
    """The recurrence called `name`, with its buffers, for a pack of the given shape."""
    return _REGISTRY[name][choose(name, kernel, sizes.device)](sizes)
