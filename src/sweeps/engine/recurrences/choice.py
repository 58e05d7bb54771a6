"""Which recurrence computes an architecture: autograd's, by its definition, or a faster one that computes the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import torch

from sweeps.config.schema import Value
from sweeps.engine.architectures import architecture
from sweeps.engine.recurrences.apart import Apart
from sweeps.engine.recurrences.autograd import Autograd
from sweeps.engine.recurrences.base import Recurrence, Sizes
from sweeps.engine.recurrences.scan import Scan
from sweeps.engine.recurrences.whole import Whole

Make = Callable[..., Recurrence]
"""(sizes, **options of the time step) -> recurrence."""
_FAST: dict[str, dict[str, Make]] = {}


def register_fast(name: str, make: Make, kernel: str = "torch") -> None:
    """Compute `arch=name` by `make(sizes, **options of its time step)` on a kernel, `torch` or `native`.

    It must agree with the architecture's definition to the rounding of float32.
    """
    _FAST.setdefault(name, {})[kernel] = make


def choose(name: str, kernel: str, device: torch.device | str = "cpu") -> str:
    """The kernel that `auto`, `native`, `torch` or `reference` stands for on this machine.

    Native kernels run on the CPU only, and only if they could be built.

    Returns:
        `native`; `torch`, a scan or autograd where nobody has written a backward pass; or `reference`, the definition.

    Raises:
        ValueError: `native` is requested and there is no native kernel.
    """
    native = "native" in _FAST.get(name, {}) and str(device) == "cpu"
    if kernel == "native" and not native:
        raise ValueError(f"there is no native kernel of {name} on {device} here; use executor.kernel=auto")
    if kernel == "auto":
        return "native" if native else "torch"
    return kernel


def way(name: str, kernel: str = "auto", device: torch.device | str = "cpu") -> str:
    """What computes an architecture: `native` or `torch`, if its backward pass was written, `scan` or `definition`."""
    made, chosen = architecture(name), choose(name, kernel, device)
    if chosen in _FAST.get(name, {}):
        return chosen
    return "scan" if made.linear is not None and chosen != "reference" else "definition"


def build(name: str, sizes: Sizes, kernel: str = "auto", options: Mapping[str, Value] | None = None) -> Recurrence:
    """The recurrence of the architecture `name`, with buffers allocated for a pack of these sizes.

    Args:
        options: of the architecture; the recurrence gets those that its time step takes.
    """
    made, given = architecture(name), options or {}
    by = way(name, kernel, sizes.device)
    if (fast := _FAST.get(name, {}).get(by)) is None:
        make = Scan if by == "scan" else Autograd if made.step is not None else Whole
        if torch.device(sizes.device).type != "cpu":
            return make(sizes, made, given)
        one = replace(sizes, lanes=1)
        return Apart(sizes, [make(one, made, given) for _ in range(sizes.lanes)])
    return fast(sizes, **{key: value for key, value in given.items() if key in made.step_options})
