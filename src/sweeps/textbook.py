"""A tanh recurrent network and back-propagation through time, step by step, as a textbook shows them.

Plain NumPy: one loop for the forward pass, one for the backward pass, every derivative written out. It is slow and
meant to be read from top to bottom. The tests compare the engine with it, and it with finite differences.

    a_t = x_t U + h_{t-1} W + b        for t = 0 .. T-1, from h_{-1} = 0
    h_t = tanh(a_t)
    y   = h_{T-1} V + c                one output, after the last step
    L   = loss(y, target)              a mean over the batch

Shapes: T steps, B sequences in a batch, I inputs, H hidden units, O outputs. A row is one sequence, so weights multiply
from the right. All arrays share one dtype: float64 for comparisons, float32 to watch a gradient underflow.

Werbos (1990), Backpropagation through time: what it does and how to do it.
Pascanu, Mikolov and Bengio (2013), On the difficulty of training recurrent neural networks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Loss = Callable[[Array, Array], tuple[float, Array]]
"""(y [B, O], target) -> (the mean loss, dL/dy [B, O])."""


class Weights(NamedTuple):
    """The parameters, under the engine's names; gradients are stored in the same form."""

    weight_ih: Array  # U [I, H]
    weight_hh: Array  # W [H, H]
    bias: Array  # b [H]
    weight_out: Array  # V [H, O]
    bias_out: Array  # c [O]


class Backward(NamedTuple):
    """The results of one forward and one backward pass."""

    loss: float
    gradients: Weights  # dL/dU, dL/dW, dL/db, dL/dV, dL/dc
    dL_dh: Array  # [T, B, H]: at t, the total derivative of L with respect to h_t


def forward(weights: Weights, x: Array) -> tuple[Array, Array]:
    """Run the network over `x [T, B, I]`; returns all states, `h [T, B, H]`, and the output, `y [B, O]`."""
    U, W, b, V, c = weights
    h = np.empty((*x.shape[:2], len(W)), dtype=W.dtype)  # [T, B, H]
    before = np.zeros_like(h[0])  # h_{-1} [B, H]
    for t in range(len(x)):
        a = x[t] @ U + before @ W + b  # [B, I] [I, H] + [B, H] [H, H] + [H]
        h[t] = before = np.tanh(a)  # [B, H]
    return h, before @ V + c


def squared_error(y: Array, target: Array) -> tuple[float, Array]:
    """L = mean of (y - target)^2 over batch and outputs; target `[B, O]`. dL/dy = 2 (y - target) / (B O)."""
    error = y - target
    return float(np.mean(error**2)), 2 * error / error.size


def cross_entropy(y: Array, target: Array) -> tuple[float, Array]:
    """L = mean of -log p(target), p = softmax(y); target `[B]`, class numbers. dL/dy = (p - onehot(target)) / B."""
    every = np.arange(len(y))
    shifted = y - y.max(axis=1, keepdims=True)  # softmax does not change, and exp cannot overflow
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))  # [B, O]
    onehot = np.zeros_like(y)
    onehot[every, target] = 1
    return float(-np.mean(log_p[every, target])), (np.exp(log_p) - onehot) / len(y)


def backward(weights: Weights, x: Array, h: Array, dL_dy: Array) -> tuple[Weights, Array]:
    """Back-propagation through time; returns the gradients and `dL_dh [T, B, H]`.

    With delta_t = dL/da_t, going back from the last state (Werbos 1990; Pascanu et al. 2013, eq. 3 to 5):

        dL/dh_{T-1} = dL/dy V^T                       the only state that the loss sees directly
        delta_t     = dL/dh_t * (1 - h_t^2)           tanh' from its own value, element by element
        dL/dh_{t-1} = delta_t W^T                     the only way from h_{t-1} to the loss is through a_t

    A weight is used at every step, so its gradient is a sum over steps:

        dL/dW = sum_t h_{t-1}^T delta_t,   dL/dU = sum_t x_t^T delta_t,   dL/db = sum_t delta_t (summed over the batch)

    Args:
        x, h: the inputs `[T, B, I]` and the states `[T, B, H]` that `forward` returned for them.
        dL_dy: from the loss, `[B, O]`.
    """
    U, W, b, V, _ = weights
    dL_dU, dL_dW, dL_db = np.zeros_like(U), np.zeros_like(W), np.zeros_like(b)
    dL_dV = h[-1].T @ dL_dy  # [H, B] [B, O]
    dL_dc = dL_dy.sum(axis=0)  # [O]
    dL_dh = np.empty_like(h)  # [T, B, H]
    dL_dh[-1] = dL_dy @ V.T  # [B, O] [O, H]
    for t in reversed(range(len(x))):
        delta = dL_dh[t] * (1 - h[t] ** 2)  # [B, H]
        before = h[t - 1] if t > 0 else np.zeros_like(h[0])  # h_{t-1} [B, H]
        dL_dW += before.T @ delta  # [H, B] [B, H]
        dL_dU += x[t].T @ delta  # [I, B] [B, H]
        dL_db += delta.sum(axis=0)  # [H]
        if t > 0:
            dL_dh[t - 1] = delta @ W.T  # [B, H] [H, H]
    return Weights(dL_dU, dL_dW, dL_db, dL_dV, dL_dc), dL_dh


def through_time(weights: Weights, x: Array, target: Array, loss: Loss = squared_error) -> Backward:
    """Forward pass, loss and backward pass on one batch: `x [T, B, I]`, `target` as `loss` takes it."""
    h, y = forward(weights, x)
    value, dL_dy = loss(y, target)
    return Backward(value, *backward(weights, x, h, dL_dy))


def jacobians(weights: Weights, h: Array) -> Array:
    """The factor of every step, J_t = dh_t/dh_{t-1}: `[T, B, H, H]`, row i for unit i of h_t (Pascanu et al., eq. 5).

        dL/dh_{t-1} = dL/dh_t J_t,        J_t = diag(1 - h_t^2) W^T

    Over many steps the gradient is multiplied by J_{T-1} ... J_{t+1}: no more of it arrives than the largest singular
    value of that product lets through, and that is at most sigma_max(W) per step, because tanh' <= 1.
    """
    slope = 1 - h**2  # [T, B, H]
    return slope[..., :, None] * weights.weight_hh.T  # [T, B, H, 1] [H, H]
