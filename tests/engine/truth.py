"""The gradient through time of one network, by a textbook's forward and backward pass, in any number of digits.

It uses only the float32 weights and inputs of the engine, none of its states or functions.
Each quantity is a NumPy array; with dtype object its elements are multi-precision numbers of mpmath, with longdouble
the 80-bit floats of x86, whose range (1e-4932) holds what these tests need. Weights multiply from the right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import mpmath
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Weights = Mapping[str, Array]


class Digits(NamedTuple):
    """A number type: the conversion to it, and the functions on it."""

    hold: Callable[[Any], Array]
    exp: Callable[[Array], Array]
    expm1: Callable[[Array], Array]
    times: Callable[[Array, Array], Array]
    log10: Callable[[Any], float]


def _many(x: Any) -> Array:
    return np.vectorize(mpmath.mpf, otypes=[object])(np.asarray(x, dtype=np.float64))


def _fdot(rows: Array, w: Array) -> Array:
    return np.array([[mpmath.fdot(zip(row, column, strict=True)) for column in w.T] for row in rows], dtype=object)


def _each(function: Callable[[Any], Any]) -> Callable[[Array], Array]:
    return np.vectorize(function, otypes=[object])


MANY = Digits(_many, _each(mpmath.exp), _each(mpmath.expm1), _fdot, lambda x: float(mpmath.log10(x)) if x else -np.inf)
LONG = Digits(
    lambda x: np.asarray(x, dtype=np.longdouble),
    np.exp,
    np.expm1,
    np.matmul,
    lambda x: float(np.log10(x)) if x else -np.inf,
)


class Truth:
    """One lane's network: forward on `x [T, B, I]`, then ||dL/dh_t|| for every t.

    Args:
        move: changes the pre-activations of a step, `(t, name, a) -> a`, to find the effect of rounding there, or to
            follow another forward pass.
    """

    def __init__(self, arch: str, p: Weights, digits: Digits, move: Callable[[int, str, Array], Array] | None = None):
        self.arch, self.d, self.move = arch, digits, move or (lambda t, name, a: a)
        self.p = {name: digits.hold(value) for name, value in p.items()}

    def sigmoid(self, a: Array) -> Array:
        return 1 / (1 + self.d.exp(-a))

    def sigmoid_slope(self, a: Array) -> Array:
        return self.sigmoid(a) * self.sigmoid(-a)

    def tanh(self, a: Array) -> Array:
        e = self.d.expm1(-2 * abs(a))
        return (2 * (a < 0) - 1) * e / (2 + e)

    def tanh_slope(self, a: Array) -> Array:
        return 4 * self.sigmoid_slope(2 * a)

    def log10_norms(self, x: Array, y: Array, loss: str) -> Array:
        """log10 of the Frobenius norm of dL/dh_t for t = 0 .. T-1; `y [B, O]` for mse, `[B]` for cross entropy."""
        d, p = self.d, self.p
        zero = d.hold(np.zeros((x.shape[1], len(p["weight_hh"]))))
        state, kept = (zero, zero), []
        for t, x_t in enumerate(d.hold(x)):
            after, parts = self.forward(t, x_t, *state)
            kept.append((*state, after[1], *parts))
            state = after
        outputs = d.times(state[0], p["weight_out"]) + p["bias_out"]
        above = {len(x) - 1: d.times(self.loss_slope(outputs, y, loss), p["weight_out"].T)}
        return self.backward(kept, above)[0]

    def backward(self, kept: list[tuple[Array, ...]], above: Mapping[int, Array]) -> tuple[Array, dict[int, Array]]:
        """log10 norms of dL/dh_t [T], and dL/dx_t by t.

        Args:
            kept: states before and what `forward` returns, by t.
            above: what comes down to h_t and not through later states, by t.
        """
        d, p, dx = self.d, self.p, {}
        back = getattr(self, f"back_{self.arch.removeprefix('rnn_')}")
        zero = 0 * next(iter(above.values()))
        dh, dc, norms = zero, zero, np.empty(len(kept))
        for t in reversed(range(len(kept))):
            dh = dh + above.get(t, zero)
            size = abs(dh).max()
            norms[t] = d.log10(((dh / size) ** 2).sum()) / 2 + d.log10(size) if size else -np.inf
            at_x, at_h, direct, dc = back(dh, dc, *kept[t])
            dx[t] = d.times(at_x, p["weight_ih"].T)
            dh = d.times(at_h, p["weight_hh"].T) + direct
        return norms, dx

    def loss_slope(self, outputs: Array, y: Array, loss: str) -> Array:
        if loss == "mse":
            error = outputs - self.d.hold(y)
            return 2 * error / error.size
        e = self.d.exp(outputs - outputs.max(1, keepdims=True))
        right = np.arange(e.shape[1]) == np.asarray(y)[:, None]
        p = e / e.sum(1, keepdims=True)
        return np.where(right, -np.where(right, 0 * p, p).sum(1, keepdims=True), p) / len(outputs)

    def forward(self, t: int, x: Array, h: Array, c: Array) -> tuple[tuple[Array, Array], tuple[Array, ...]]:
        p, times = self.p, self.d.times
        if self.arch == "gru":
            from_x, from_h = times(x, p["weight_ih"]) + p["bias"], times(h, p["weight_hh"])
            (x_r, x_z, x_n), (h_r, h_z, h_n) = (np.split(each, 3, -1) for each in (from_x, from_h))
            s = h_n + p["bias_hn"]
            a_r, a_z = self.move(t, "r", x_r + h_r), self.move(t, "z", x_z + h_z)
            s = self.move(t, "s", s)
            a_n = self.move(t, "n", x_n + self.sigmoid(a_r) * s)
            after = self.sigmoid(-a_z) * self.tanh(a_n) + self.sigmoid(a_z) * h
            return (after, c), (a_r, a_z, a_n, s)
        a = self.move(t, "a", times(x, p["weight_ih"]) + times(h, p["weight_hh"]) + p["bias"])
        if self.arch != "lstm":
            return (self.tanh(a) if self.arch == "rnn_tanh" else a * (a > 0), c), (a,)
        i, f, o, g = np.split(a, 4, -1)
        c = self.sigmoid(f) * c + self.sigmoid(i) * self.tanh(g)
        return (self.sigmoid(o) * self.tanh(c), c), (i, f, o, g)

    # Each returns dL/d(x U), dL/d(h_{t-1} W), dL/dh_{t-1} past that product, dL/dc_{t-1}.

    def back_tanh(self, dh: Array, dc: Array, h: Array, c_before: Array, c: Array, a: Array) -> tuple[Array, ...]:
        delta = dh * self.tanh_slope(a)
        return delta, delta, 0 * dh, dc

    def back_relu(self, dh: Array, dc: Array, h: Array, c_before: Array, c: Array, a: Array) -> tuple[Array, ...]:
        delta = dh * (a > 0)
        return delta, delta, 0 * dh, dc

    def back_lstm(
        self, dh: Array, dc: Array, h: Array, c_before: Array, c: Array, i: Array, f: Array, o: Array, g: Array
    ) -> tuple[Array, ...]:
        dc = dc + dh * self.sigmoid(o) * self.tanh_slope(c)
        d_i, d_f = dc * self.tanh(g) * self.sigmoid_slope(i), dc * c_before * self.sigmoid_slope(f)
        d_o, d_g = dh * self.tanh(c) * self.sigmoid_slope(o), dc * self.sigmoid(i) * self.tanh_slope(g)
        delta = np.concatenate([d_i, d_f, d_o, d_g], -1)
        return delta, delta, 0 * dh, dc * self.sigmoid(f)

    def back_gru(
        self, dh: Array, dc: Array, h: Array, c_before: Array, c: Array, r: Array, z: Array, n: Array, s: Array
    ) -> tuple[Array, ...]:
        d_n = dh * self.sigmoid(-z) * self.tanh_slope(n)
        d_z, d_r = dh * (h - self.tanh(n)) * self.sigmoid_slope(z), d_n * s * self.sigmoid_slope(r)
        at_x = np.concatenate([d_r, d_z, d_n], -1)
        return at_x, np.concatenate([d_r, d_z, d_n * self.sigmoid(r)], -1), dh * self.sigmoid(z), dc


def stacked(
    arch: str,
    layers: Sequence[Weights],
    readout: Weights,
    x: Array,
    y: Array,
    loss: str,
    d: Digits,
    starts: Sequence[tuple[Array, Array]] | None = None,
    moves: Sequence[Callable[[int, str, Array], Array] | None] | None = None,
) -> Array:
    """log10 ||dL/dh_t|| of every layer, [layers, T]: one above the other, a loss of the highest's last state.

    Args:
        y: targets of the last state, or of every state, the first axis time: then L is the mean over all.
        starts: h and c before the first step, `[B, H]`, of each layer; None: zeros.
        moves: of each layer, as for `Truth`.
    """
    truths = [Truth(arch, {**p, **readout}, d, moves[n] if moves else None) for n, p in enumerate(layers)]
    states = [*d.hold(x)]
    kept: list[list[tuple[Array, ...]]] = []
    for n, truth in enumerate(truths):
        zero = np.zeros((x.shape[1], len(truth.p["weight_hh"])))
        h, c = (zero, zero) if starts is None else starts[n]
        state: tuple[Array, Array] = (d.hold(h), d.hold(c))
        kept.append([])
        for t, x_t in enumerate(states):
            after, parts = truth.forward(t, x_t, *state)
            kept[-1].append((*state, after[1], *parts))
            state, states[t] = after, after[0]
    top = truths[-1]
    every = y.ndim > (2 if loss == "mse" else 1)
    above = {}
    for t, target in enumerate(y) if every else [(len(x) - 1, y)]:
        outputs = d.times(states[t], top.p["weight_out"]) + top.p["bias_out"]
        slope = top.loss_slope(outputs, target, loss)
        above[t] = d.times(slope / d.hold(float(len(y))) if every else slope, top.p["weight_out"].T)
    norms = []
    for truth, rows in zip(reversed(truths), reversed(kept), strict=True):
        own, above = truth.backward(rows, above)
        norms.append(own)
    return np.array(norms[::-1])
