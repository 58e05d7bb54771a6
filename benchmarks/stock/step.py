"""The stock side: the cell as a competent user writes it, with torch.nn, autograd, clip_grad_norm_, torch.optim."""

from __future__ import annotations

from collections.abc import Callable

import torch

from sweeps.engine.network import Network

MODULES: dict[str, Callable[[int, int, int], torch.nn.RNNBase]] = {
    "rnn_tanh": torch.nn.RNN,
    "rnn_relu": lambda inputs, hidden, layers: torch.nn.RNN(inputs, hidden, layers, nonlinearity="relu"),
    "lstm": torch.nn.LSTM,
    "gru": torch.nn.GRU,
}


def stock_step(network: Network, x: torch.Tensor, y: torch.Tensor, lr: float, threshold: float) -> Callable[[], object]:
    """One training step on a fixed batch, `x [T, B, I]`, `y [B, O]`, with lane 0's recurrent weights of `network`."""
    sizes = network.sizes
    recurrence = MODULES[network.arch](sizes.inputs, sizes.hidden, len(network.layers))
    readout = torch.nn.Linear(sizes.hidden, network.outputs)
    theirs = dict(recurrence.named_parameters())
    for n, layer in enumerate(network.layers):
        weights = layer.p["weight_hh"][0]
        if network.arch == "lstm":  # our blocks are i, f, o, g
            weights = torch.cat([weights.split(sizes.hidden, -1)[i] for i in (0, 1, 3, 2)], -1)
        theirs[f"weight_hh_l{n}"].data.copy_(weights.T)
    recurrence.to(sizes.device), readout.to(sizes.device)
    parameters = [*recurrence.parameters(), *readout.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=lr)

    def step() -> object:
        optimizer.zero_grad()
        states, _ = recurrence(x)
        loss = torch.nn.functional.mse_loss(readout(states[-1]), y)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(parameters, threshold)
        optimizer.step()
        return loss.item(), norm.item()

    return step
