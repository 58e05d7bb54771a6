"""Feed-forward layers (Rumelhart et al. 1986), `stack.layers` of them with weights of their own, to compare with.

    h^1 = phi(x W_1 + b_1),    h^n = phi(h^(n-1) W_n + b_n)

x [B, T * I] are the inputs of all time steps of a sequence beside each other, those of the first step first; h^n
[B, H], W_1 [T * I, H], any other W_n [H, H]; phi is tanh, relu or sigmoid. What sees its inputs at once has a gradient
that fades or grows over its layers, not over time: the record has dL/dh^n of every layer, at the last time step.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from sweeps.engine.architectures.base import Architecture, Parameter, Weights, register

if TYPE_CHECKING:
    from torch import Tensor


def parameters(inputs: int, hidden: int) -> dict[str, Parameter]:
    return {"weight_ih": Parameter((inputs, hidden), "input"), "bias": Parameter((hidden,))}


def whole(p: Weights, x: Tensor, phi: str) -> Tensor:
    h: Tensor = getattr(x @ p["weight_ih"].unsqueeze(1) + p["bias"][:, None, None], phi)()
    return h


for _phi in ("tanh", "relu", "sigmoid"):
    register(f"mlp_{_phi}", Architecture(parameters, states=0, whole=partial(whole, phi=_phi), at_once=True))
