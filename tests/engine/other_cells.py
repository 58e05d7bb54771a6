"""Cells that torch.nn lacks, from their papers, in float64: a truth that shares nothing with the engine.

Written with columns, W h, as the papers have them: the network's matrices are transposed here, its gate blocks taken
apart by name. The options are those of the files under conf/arch. Derivatives are autograd's.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, sigmoid, tanh

State = Tensor | tuple[Tensor, ...] | None
Step = Callable[[Tensor, State], tuple[Tensor, ...]]
P = dict[str, Tensor]


def blocks(p: P, names: str) -> dict[str, Tensor]:
    """Each block of `weight_ih` (U), `weight_hh` (W) and `bias` (b), transposed: `Wf [H, H]`, `Uf [H, I]`, `bf [H]`."""
    out = {}
    for letter, name in (("U", "weight_ih"), ("W", "weight_hh"), ("b", "bias")):
        parts = p[name].shape[-1] // p["weight_hh"].shape[0]
        for gate, part in zip(names if parts == len(names) else names[:1], p[name].chunk(parts, -1), strict=True):
            out[letter + gate] = part.mT if part.dim() == 2 else part
    return out


def begin(x: Tensor, p: P, state: State, parts: int) -> tuple[Tensor, ...]:
    if state is None:
        return tuple(x.new_zeros(len(x), p["weight_hh"].shape[0]) for _ in range(parts))
    return state if isinstance(state, tuple) else (state,)


def columns(w: Tensor, of: Tensor) -> Tensor:
    """w v for each row v."""
    return torch.stack([w @ v for v in of])


def leaky(p: P, leak: float = 0.1) -> Step:
    q = blocks(p, "h")

    def step(x: Tensor, state: State) -> tuple[Tensor, ...]:
        (h,) = begin(x, p, state, 1)
        return (h + leak * (tanh(columns(q["Wh"], h) + columns(q["Uh"], x) + q["bh"]) - h),)

    return step


def linear(p: P) -> Step:
    q = blocks(p, "h")

    def step(x: Tensor, state: State) -> tuple[Tensor, ...]:
        (h,) = begin(x, p, state, 1)
        return (columns(q["Wh"], h) + torch.relu(columns(q["Uh"], x) + q["bh"]),)

    return step


def residual(p: P) -> Step:
    q = blocks(p, "h")

    def step(x: Tensor, state: State) -> tuple[Tensor, ...]:
        (h,) = begin(x, p, state, 1)
        alpha, beta = (1 / (1 + torch.exp(-each)) for each in p["scale"])
        return (alpha * tanh(columns(q["Wh"], h) + columns(q["Uh"], x) + q["bh"]) + beta * h,)

    return step


def antisymmetric(p: P, epsilon: float = 0.1, gamma: float = 0.01) -> Step:
    q = blocks(p, "h")
    a = q["Wh"] - q["Wh"].T - gamma * torch.eye(len(q["Wh"]), dtype=torch.float64)

    def step(x: Tensor, state: State) -> tuple[Tensor, ...]:
        (h,) = begin(x, p, state, 1)
        return (h + epsilon * tanh(columns(a, h) + columns(q["Uh"], x) + q["bh"]),)

    return step


def orthogonal(p: P) -> Step:
    """exp(A) by the series of A / 2^20, squared twenty times."""
    q = blocks(p, "h")
    a = (q["Wh"] - q["Wh"].T) / 2**20
    one = torch.eye(len(a), dtype=torch.float64)
    turn = one + a @ (one + a / 2 @ (one + a / 3))
    for _ in range(20):
        turn = turn @ turn

    def step(x: Tensor, state: State) -> tuple[Tensor, ...]:
        (h,) = begin(x, p, state, 1)
        s = columns(turn, h) + columns(q["Uh"], x)
        return (torch.where(s.abs() + q["bh"] > 0, s + torch.sign(s) * q["bh"], 0 * s),)

    return step


def cornn(p: P, dt: float = 0.1, gamma: float = 1.0, epsilon: float = 0.1) -> Step:
    q = blocks(p, "h")

    def step(x: Tensor, state: State) -> tuple[Tensor, ...]:
        y, z = begin(x, p, state, 2)
        force = tanh(columns(q["Wh"], y) + columns(p["weight_zh"].T, z) + columns(q["Uh"], x) + q["bh"])
        z = z + dt * (force - gamma * y - epsilon * z)
        return y + dt * z, z

    return step


def peephole(p: P) -> Step:
    q, (v_i, v_f, v_o) = blocks(p, "ifog"), p["peephole"].chunk(3)

    def step(x: Tensor, state: State) -> tuple[Tensor, ...]:
        h, c = begin(x, p, state, 2)
        a = {gate: columns(q["W" + gate], h) + columns(q["U" + gate], x) + q["b" + gate] for gate in "ifog"}
        new = sigmoid(a["f"] + v_f * c) * c + sigmoid(a["i"] + v_i * c) * tanh(a["g"])
        return sigmoid(a["o"] + v_o * new) * tanh(new), new

    return step


def janet(p: P, beta: float = 1.0) -> Step:
    q = blocks(p, "fn")

    def step(x: Tensor, state: State) -> tuple[Tensor, ...]:
        (h,) = begin(x, p, state, 1)
        s, n = (columns(q["W" + gate], h) + columns(q["U" + gate], x) + q["b" + gate] for gate in "fn")
        return (sigmoid(s) * h + (1 - sigmoid(s - beta)) * tanh(n),)

    return step


def mgu(p: P) -> Step:
    q = blocks(p, "fn")

    def step(x: Tensor, state: State) -> tuple[Tensor, ...]:
        (h,) = begin(x, p, state, 1)
        f = sigmoid(columns(q["Wf"], h) + columns(q["Uf"], x) + q["bf"])
        n = tanh(columns(q["Wn"], f * h) + columns(q["Un"], x) + q["bn"])
        return ((1 - f) * h + f * n,)

    return step


def lru(p: P) -> Step:
    decay, angle = torch.exp(p["nu"]), torch.exp(p["theta"])
    turn = torch.polar(torch.exp(-decay), angle)
    b = torch.complex(*p["weight_ih"].chunk(2, -1)) * torch.sqrt(1 - torch.exp(-decay) ** 2)

    def step(x: Tensor, state: State) -> tuple[Tensor, ...]:
        h = x.new_zeros(len(x), 2 * len(decay)) if state is None else state[0] if isinstance(state, tuple) else state
        s = turn * torch.complex(*h.chunk(2, -1)) + x.to(b.dtype) @ b
        return (torch.cat([s.real, s.imag], -1),)

    return step


def mingru(p: P) -> Step:
    def step(x: Tensor, state: State) -> tuple[Tensor, ...]:
        z, n = (x @ p["weight_ih"] + p["bias"]).chunk(2, -1)
        h = torch.zeros_like(n) if state is None else state[0] if isinstance(state, tuple) else state
        return (h + sigmoid(z) * (n - h),)

    return step


def minlstm(p: P) -> Step:
    def step(x: Tensor, state: State) -> tuple[Tensor, ...]:
        f, i, n = (x @ p["weight_ih"] + p["bias"]).chunk(3, -1)
        h = torch.zeros_like(n) if state is None else state[0] if isinstance(state, tuple) else state
        keep = 1 / (1 + torch.exp(-f)) / (1 / (1 + torch.exp(-f)) + 1 / (1 + torch.exp(-i)))
        return (keep * h + (1 - keep) * n,)

    return step


def normalised(a: Tensor, gain: Tensor) -> Tensor:
    return torch.nn.functional.layer_norm(a, a.shape[-1:], weight=gain, eps=1e-5)


def rnn_layernorm(p: P) -> Step:
    q = blocks(p, "h")

    def step(x: Tensor, state: State) -> tuple[Tensor, ...]:
        (h,) = begin(x, p, state, 1)
        return (tanh(normalised(columns(q["Wh"], h) + columns(q["Uh"], x), p["gain"]) + q["bh"]),)

    return step


def lstm_layernorm(p: P) -> Step:
    def step(x: Tensor, state: State) -> tuple[Tensor, ...]:
        h, c = begin(x, p, state, 2)
        a = normalised(columns(p["weight_hh"].T, h), p["gain_hh"])
        a = a + normalised(columns(p["weight_ih"].T, x), p["gain_ih"]) + p["bias"]
        i, f, o, g = a.chunk(4, -1)
        c = sigmoid(f) * c + sigmoid(i) * tanh(g)
        return sigmoid(o) * tanh(normalised(c, p["gain_c"]) + p["bias_c"]), c

    return step


def slstm(p: P) -> Step:
    """Without the stabiliser: exp(i) as it is. A start state is given with it: exp(m) c and exp(m) n."""
    q = blocks(p, "ifoz")

    def step(x: Tensor, state: State) -> tuple[Tensor, ...]:
        h, c, n, *m = begin(x, p, state, 3)
        c, n = (each * torch.exp(m[0]) if m else each for each in (c, n))
        a = {gate: columns(q["W" + gate], h) + columns(q["U" + gate], x) + q["b" + gate] for gate in "ifoz"}
        f, i = sigmoid(a["f"]), torch.exp(a["i"])
        c, n = f * c + i * tanh(a["z"]), f * n + i
        return sigmoid(a["o"]) * c / n, c, n

    return step


def sigmoid_rnn(p: P) -> Step:
    q = blocks(p, "h")

    def step(x: Tensor, state: State) -> tuple[Tensor, ...]:
        (h,) = begin(x, p, state, 1)
        return (sigmoid(columns(q["Wh"], h) + columns(q["Uh"], x) + q["bh"]),)

    return step


OTHERS: dict[str, Callable[[P], Step]] = {
    "rnn_sigmoid": sigmoid_rnn,
    "rnn_linear": linear,
    "rnn_leaky": leaky,
    "rnn_residual": residual,
    "rnn_antisymmetric": antisymmetric,
    "rnn_orthogonal": orthogonal,
    "cornn": cornn,
    "lstm_peephole": peephole,
    "janet": janet,
    "mgu": mgu,
    "rnn_layernorm": rnn_layernorm,
    "lstm_layernorm": lstm_layernorm,
    "slstm": slstm,
    "lru": lru,
    "mingru": mingru,
    "minlstm": minlstm,
}
