"""The stock side: the network as a competent user writes it, with torch.nn, autograd, clip_grad_norm_, torch.optim."""

from __future__ import annotations

from collections.abc import Callable

import torch

from sweeps.engine.network import Network, suffix

MODULES: dict[str, Callable[..., torch.nn.RNNBase]] = {
    "rnn_tanh": torch.nn.RNN,
    "rnn_relu": lambda *sizes, **options: torch.nn.RNN(*sizes, nonlinearity="relu", **options),
    "lstm": torch.nn.LSTM,
    "gru": torch.nn.GRU,
}


def stock_step(network: Network, x: torch.Tensor, y: torch.Tensor, lr: float, threshold: float) -> Callable[[], object]:
    """One training step on a fixed batch, `x [T, B, I]`, with lane 0's recurrent weights of `network`.

    Args:
        y: targets `[B, O]`, or classes `[T*B]` where every time step has an answer.
    """
    sizes, hidden = network.sizes, network.sizes.hidden
    both = network.directions == 2
    recurrence = MODULES[network.arch](sizes.inputs, hidden, len(network.layers), bidirectional=both)
    readout = torch.nn.Linear(network.directions * hidden, network.outputs)
    theirs = dict(recurrence.named_parameters())
    for n, direction in network.traced:
        weights = network.p["weight_hh" + suffix(n, direction)][0]
        if network.arch == "lstm":  # our blocks are i, f, o, g
            weights = torch.cat([weights.split(hidden, -1)[i] for i in (0, 1, 3, 2)], -1)
        theirs[f"weight_hh_l{n}" + ("_reverse" if direction else "")].data.copy_(weights.T)
    recurrence.to(sizes.device), readout.to(sizes.device)
    parameters = [*recurrence.parameters(), *readout.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=lr)

    def loss_of(states: torch.Tensor) -> torch.Tensor:
        if network.every:
            return torch.nn.functional.cross_entropy(readout(states).flatten(0, 1), y)
        last = torch.cat([states[-1, :, :hidden], states[0, :, hidden:]], -1) if both else states[-1]
        return torch.nn.functional.mse_loss(readout(last), y)

    def step() -> object:
        optimizer.zero_grad()
        states, _ = recurrence(x)
        loss = loss_of(states)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(parameters, threshold)
        optimizer.step()
        return loss.item(), norm.item()

    return step
