"""The plain definition of a recurrence: its time step, called once after the other.

The tests run it in float64 with autograd and compare every fast recurrence with it, and it with torch.nn and with
many digits.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor

from sweeps.engine.architectures import Architecture
from sweeps.engine.architectures.base import Weights


def states(architecture: Architecture, p: Weights, x: Tensor, hidden: int, **options: Any) -> list[Tensor]:
    """h_0 .. h_{T-1}, each `[K, B, H]`, for `x [K, T, B, I]`, from a state of zeros.

    Args:
        p: the parameters, each `[K, *shape]`, in the dtype of `x`.
        options: of the time step, and of what is made once before it; or of the map of whole sequences.
    """
    if architecture.step is None:
        return list(architecture.whole_with(options)(p, x).unbind(1))
    state = tuple(x.new_zeros(len(x), x.shape[2], hidden) for _ in range(architecture.states))
    p, step, out = architecture.prepare_with(options)(p), architecture.step_with(options), []
    for x_t in x.unbind(1):
        state = step(p, x_t, state)
        out.append(state[0])
    return out
