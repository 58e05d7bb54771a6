"""Causal self-attention (Vaswani et al. 2017): an encoder layer that looks back at any step.

    e_t = x_t W + b + s_t                           in the lowest layer; e_t = x_t in those above it
    a_t = e_t + A(norm(e))_t,   h_t = a_t + M(norm(a_t))              pre_norm (Xiong et al. 2020)
    a_t = norm(e_t + A(e)_t),   h_t = norm(a_t + M(a_t))              otherwise, as first published

    A(u)_t = [sum_{r <= t} p_tr v_r] W_o + b_o,   p_tr = softmax over r <= t of q_t . k_r / sqrt(H / heads)
    q, k, v = u W_q + b_q, u W_k + b_k, u W_v + b_v, in `heads` groups of columns, each with weights p of its own
    M(u) = max(u W_up + b_up, 0) W_down + b_down

x_t [B, I], e_t, a_t and h_t [B, H]; W_up is [H, widen * H]. norm takes a row's mean off and divides by its standard
deviation, then come a gain and a bias. s_t are the sinusoids of the source, sin(t / 10000^(2j/H)) in column 2j and the
cosine in the next.

No state goes from step to step: h_t is the layer's output, so that dL/dh_t has what an answer at t asks and what the
layer above reads of it, and nothing of the layer's own later steps. With one layer and one answer at the end it is 0 at
every t but the last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweeps.engine.architectures.base import Architecture, Parameter, Weights, register
from sweeps.engine.init import glorot

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

EPS = 1e-5
"""Added to the variance, as in torch.nn.LayerNorm."""


def parameters(inputs: int, hidden: int, heads: int, widen: int) -> dict[str, Parameter]:
    """Those of the lowest layer.

    Raises:
        ValueError: the columns cannot be shared out among the heads, or there are none.
    """
    read = {"weight_ih": Parameter((inputs, hidden), "input"), "bias": Parameter((hidden,))}
    return read | block(hidden, hidden, heads, widen)


def block(inputs: int, hidden: int, heads: int, widen: int) -> dict[str, Parameter]:
    """Those of a layer that reads H columns as they are."""
    if heads < 1 or hidden % heads:
        raise ValueError(f"arch.heads: given {heads}, must be a divisor of arch.hidden={hidden}")
    if widen < 1:
        raise ValueError(f"arch.widen: given {widen}, must be an integer of at least 1")
    made: dict[str, Parameter] = {}
    widths = {"qkv": (hidden, 3 * hidden), "o": (hidden,) * 2, "up": (hidden, widen * hidden)}
    for name, shape in {**widths, "down": (widen * hidden, hidden)}.items():
        made[f"weight_{name}"] = Parameter(shape, drawn, ("q", "k", "v") if name == "qkv" else ("",))
        made[f"bias_{name}"] = Parameter(shape[1:])
    for place in ("attention", "map"):
        made |= {f"gain_{place}": Parameter((hidden,), values={"": 1.0}), f"shift_{place}": Parameter((hidden,))}
    return made


def drawn(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Glorot's uniform distribution, which `init.input_scale` leaves as it is."""
    return glorot(rng, *shape)


def whole(p: Weights, x: Tensor, heads: int, pre_norm: bool, positions: bool) -> Tensor:
    e = x
    if "weight_ih" in p:
        e = _map(x, p["weight_ih"], p["bias"])
        if positions:
            e = e + sinusoids(e)
    if pre_norm:
        a = e + attend(p, _norm(p, "attention", e), heads)
        return a + _through(p, _norm(p, "map", a))
    a = _norm(p, "attention", e + attend(p, e, heads))
    return _norm(p, "map", a + _through(p, a))


def attend(p: Weights, u: Tensor, heads: int) -> Tensor:
    """A of u `[K, T, B, H]`."""
    from torch.nn.functional import scaled_dot_product_attention as attention

    k, _, b, _ = u.shape
    parts = _map(u, p["weight_qkv"], p["bias_qkv"]).chunk(3, -1)
    # [K*B, heads, T, H / heads]
    q, key, v = (part.unflatten(-1, (heads, -1)).permute(0, 2, 3, 1, 4).flatten(0, 1) for part in parts)
    seen = attention(q, key, v, is_causal=True)
    return _map(seen.unflatten(0, (k, b)).permute(0, 3, 1, 2, 4).flatten(3), p["weight_o"], p["bias_o"])


def sinusoids(like: Tensor) -> Tensor:
    """s_t `[T, 1, H]`, in the dtype of e `[K, T, B, H]`."""
    import torch

    steps, width = like.shape[1], like.shape[-1]
    t, even = (torch.arange(0, end, by, device=like.device, dtype=like.dtype) for end, by in ((steps, 1), (width, 2)))
    angle = t[:, None] / 10000 ** (even / width)
    return torch.stack([angle.sin(), angle.cos()], -1).flatten(1)[:, None, :width]


def _through(p: Weights, u: Tensor) -> Tensor:
    return _map(_map(u, p["weight_up"], p["bias_up"]).relu(), p["weight_down"], p["bias_down"])


def _norm(p: Weights, place: str, u: Tensor) -> Tensor:
    apart = u - u.mean(-1, keepdim=True)
    unit = apart * (apart.square().mean(-1, keepdim=True) + EPS).rsqrt()
    return unit * p[f"gain_{place}"][:, None, None] + p[f"shift_{place}"][:, None, None]


def _map(u: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """u W + b of each lane: u `[K, T, B, N]`, W `[K, N, M]`, b `[K, M]`."""
    return u @ weight.unsqueeze(1) + bias[:, None, None]


register("attention", Architecture(parameters, states=0, whole=whole, above=block))
