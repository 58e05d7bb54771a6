"""The interface of a recurrence: h_t from h_{t-1} and x_t for K lanes at once, its backward pass, and its registry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from sweeps.engine.adjoint import Trace
from sweeps.engine.extended import Rows
from sweeps.signatures import named


@dataclass(frozen=True)
class Sizes:
    """The sizes of a pack, equal in all its lanes."""

    lanes: int  # K
    length: int  # T
    batch: int  # B
    inputs: int  # I
    hidden: int  # H
    device: torch.device | str = "cpu"
    truncate: int = 0  # time steps after which the gradient is cut, counted from the end; 0: never

    def cut_before(self, t: int) -> bool:
        """Whether the gradient is cut between time steps t and t - 1: truncated back-propagation (Werbos 1990)."""
        return self.truncate > 0 and (self.length - t) % self.truncate == 0


class Recurrence(Protocol):
    """A recurrence over K lanes. Weights multiply from the right, `h @ weight_hh`: the transposes of torch.nn's."""

    @property
    def gates(self) -> tuple[str, ...]:
        """Names of the blocks of H columns of `weight_hh`, in order; each block is initialised on its own."""

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The parameters of one lane. `weight_ih [I, G*H]`, `weight_hh [H, G*H]` and `bias [G*H]` must exist."""

    def forward(self, p: Mapping[str, Tensor], x: Tensor, keep: bool = False) -> Tensor:
        """Forward pass over `x [K, T*B, I]`, time outermost, from h_{-1} = 0; stores what `backward` needs.

        Args:
            keep: store the pre-activations as well, for `through_time`.

        Returns:
            h_{T-1}, `[K, B, H]`.
        """

    def backward(self, p: Mapping[str, Tensor], x: Tensor, dh: Tensor, grads: Mapping[str, Tensor]) -> None:
        """Backward pass in float32 from `dh = dL/dh_{T-1} [K, B, H]`, which is overwritten; writes `grads`."""

    def through_time(self, p: Mapping[str, Tensor], dh: Rows, trace: Trace) -> None:
        """Backward pass in float64 along the pre-activations that `forward` stored; records each dL/dh_t in `trace`.

        It is called before `backward` and changes nothing that `backward` reads.
        """


Make = Callable[..., Recurrence]
"""(sizes, **options) -> recurrence."""
_REGISTRY: dict[str, dict[str, Make]] = {}


def register(name: str, make: Make, kernel: str = "torch") -> None:
    """Make `arch=name` mean `make(sizes)`. Kernels of one architecture must agree to float32 rounding.

    Options of its own, of conf/arch/NAME.yaml, are passed to the parameters of `make` that have their names:
    `lambda sizes, leak: ...`. They are equal in all lanes of a pack. `forget_bias` is set by initialisation.
    """
    _REGISTRY.setdefault(name, {})[kernel] = make


def registered() -> list[str]:
    """The names of all architectures."""
    return sorted(_REGISTRY)


def choose(name: str, kernel: str, device: torch.device | str = "cpu") -> str:
    """The kernel, `native` or `torch`, that `auto`, `native` or `torch` stands for on this machine.

    Native kernels run on the CPU only, and only if they could be built.

    Raises:
        ValueError: `native` is requested and there is no native kernel.
    """
    native = "native" in _REGISTRY[name] and str(device) == "cpu"
    if kernel == "native" and not native:
        raise ValueError(f"there is no native kernel of {name} on {device} here; use executor.kernel=auto")
    return "native" if native and kernel != "torch" else "torch"


def options_of(name: str, kernel: str) -> dict[str, bool]:
    """The options that a recurrence takes on a kernel, and whether each must be given."""
    return named(_REGISTRY[name][kernel], 1)


def build(
    name: str, sizes: Sizes, kernel: str = "auto", options: Mapping[str, bool | int | float | str] | None = None
) -> Recurrence:
    """The recurrence called `name`, with buffers allocated for a pack of these sizes.

    Args:
        options: of the architecture; those that the recurrence takes are passed to it.
    """
    chosen = choose(name, kernel, sizes.device)
    taken = options_of(name, chosen)
    return _REGISTRY[name][chosen](sizes, **{key: value for key, value in (options or {}).items() if key in taken})
