"""Gated recurrences whose gates do not see the state (Feng et al. 2024), so that a scan computes them.

`mingru`:

    z = sigmoid(x_t U_z + b_z), n = x_t U_n + b_n
    h_t = (1 - z) h_{t-1} + z n

`minlstm`:

    f, i = sigmoid(x_t U_f + b_f), sigmoid(x_t U_i + b_i), n = x_t U_n + b_n
    h_t = (f h_{t-1} + i n) / (f + i)

x_t [B, I], h_t [B, H], U [I, 2H] or [I, 3H], b [2H] or [3H]: `weight_ih`, `bias`, blocks z, n or f, i, n.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweeps.engine.architectures.base import Architecture, Factors, Parameter, State, Weights, register
from sweeps.engine.architectures.functions import sigmoid

if TYPE_CHECKING:
    from torch import Tensor


def gru_parameters(inputs: int, hidden: int) -> dict[str, Parameter]:
    return _read(inputs, hidden, ("z", "n"), {"z": -1})


def lstm_parameters(inputs: int, hidden: int, forget_bias: float = 0.0) -> dict[str, Parameter]:
    """`forget_bias` is what the bias of the forget gate starts at."""
    return _read(inputs, hidden, ("f", "i", "n"), {"f": 1, "i": -1}, f=forget_bias)


def _read(
    inputs: int, hidden: int, blocks: tuple[str, ...], keeps: dict[str, int], **values: float
) -> dict[str, Parameter]:
    width = len(blocks) * hidden
    return {
        "weight_ih": Parameter((inputs, width), "input", blocks),
        "bias": Parameter((width,), blocks=blocks, values=values, keeps=keeps),
    }


def gru_linear(p: Weights, x: Tensor) -> tuple[Factors, Tensor]:
    z, n = blocks_of(p, x, 2)
    # 1 - sigmoid(a) is sigmoid(-a), which never rounds to 0
    return (sigmoid("1-z", -z, carries=True),), sigmoid("z", z) * n


def lstm_linear(p: Weights, x: Tensor) -> tuple[Factors, Tensor]:
    from torch.nn.functional import logsigmoid

    f, i, n = blocks_of(p, x, 3)
    kept = logsigmoid(f) - logsigmoid(i)  # f / (f + i) is its sigmoid, also where both gates round to 0
    return (sigmoid("f/(f+i)", kept, carries=True),), (-kept).sigmoid() * n


def blocks_of(p: Weights, x: Tensor, count: int) -> list[Tensor]:
    """x U + b of each block, `[K, T, B, H]`: apart, so that their gradients need not be put together."""
    rows, each = x.flatten(1, 2), zip(p["weight_ih"].chunk(count, -1), p["bias"].chunk(count, -1), strict=True)
    return [bias.unsqueeze(1).baddbmm(rows, weight).unflatten(1, x.shape[1:3]) for weight, bias in each]


def gru_step(p: Weights, x: Tensor, state: State) -> State:
    [[a], b] = gru_linear(p, x.unsqueeze(1))
    return (a[:, 0] * state[0] + b[:, 0],)


def lstm_step(p: Weights, x: Tensor, state: State) -> State:
    [[a], b] = lstm_linear(p, x.unsqueeze(1))
    return (a[:, 0] * state[0] + b[:, 0],)


register("mingru", Architecture(gru_parameters, gru_step, linear=gru_linear))
register("minlstm", Architecture(lstm_parameters, lstm_step, linear=lstm_linear))
