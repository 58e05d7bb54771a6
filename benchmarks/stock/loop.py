"""The plain loop of an architecture: its time step in torch, called once after the other, and autograd."""

from __future__ import annotations

from collections.abc import Callable

import torch

from sweeps.engine.architectures import architecture
from sweeps.engine.network import Network
from sweeps.engine.reference import states


def loop_step(network: Network, x: torch.Tensor, y: torch.Tensor, lr: float, threshold: float) -> Callable[[], object]:
    """One training step of lane 0 of `network`, which answers at the last step, on a fixed batch.

    Args:
        x: inputs `[T, B, I]`.
        y: targets `[B, O]`.
    """
    made = architecture(network.arch)
    if made.at_once:
        x = x.transpose(0, 1).flatten(1)[None]
    p = {name: value[:1].detach().clone().requires_grad_() for name, value in network.p.items()}
    optimizer = torch.optim.Adam(list(p.values()), lr=lr)

    def step() -> object:
        optimizer.zero_grad()
        last = states(made, p, x[None], network.sizes.hidden, **network.options)[-1]
        loss = torch.nn.functional.mse_loss(last[0] @ p["weight_out"][0] + p["bias_out"][0], y)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(list(p.values()), threshold)
        optimizer.step()
        return loss.item(), norm.item()

    return step
