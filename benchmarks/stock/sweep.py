"""One cell of the adding problem as a competent user writes it; Hydra's joblib launcher makes it a sweep on all cores.

    python benchmarks/stock/sweep.py -m arch=rnn_tanh,lstm init=orthogonal,identity length=50,100

Loss and norm go to metrics.csv every ten updates, ||dL/dh_t|| for every t to gradient_through_time.csv every fifty, by
an explicit loop over the cell, since torch.nn's layers do not hand out their inner gradients.
"""

from __future__ import annotations

import csv
from pathlib import Path

import hydra
import torch
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig
from torch import Tensor, nn

LAYERS = {"rnn_tanh": nn.RNN, "rnn_relu": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
CELLS = {"rnn_tanh": nn.RNNCell, "rnn_relu": nn.RNNCell, "lstm": nn.LSTMCell, "gru": nn.GRUCell}
INITS = {
    "random": lambda block: nn.init.normal_(block, std=0.01),
    "xavier": nn.init.xavier_uniform_,
    "orthogonal": nn.init.orthogonal_,
    "identity": nn.init.eye_,
}


class Network(nn.Module):
    """A recurrent layer and a linear readout of its last state."""

    def __init__(self, arch: str, hidden: int, init: str) -> None:
        super().__init__()
        self.arch, self.hidden = arch, hidden
        options = {"nonlinearity": "relu"} if arch == "rnn_relu" else {}
        self.layer = LAYERS[arch](2, hidden, **options)
        self.cell = CELLS[arch](2, hidden, **options)
        for name, weights in self.cell.named_parameters():  # the cell of the explicit loop shares the layer's weights
            setattr(self.cell, name, getattr(self.layer, f"{name}_l0"))
            if name == "weight_hh":
                for block in weights.data.split(hidden):
                    INITS[init](block)
                getattr(self.layer, f"{name}_l0").data.copy_(weights.data)
        self.readout = nn.Linear(hidden, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.readout(self.layer(x)[0][-1])

    def explicit(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The same by a loop over time, with every h_t."""
        h = torch.zeros(x.shape[1], self.hidden)
        state: Tensor | tuple[Tensor, Tensor] = (h, torch.zeros_like(h)) if self.arch == "lstm" else h
        states = []
        for x_t in x:
            state = self.cell(x_t, state)
            h = state[0] if isinstance(state, tuple) else state
            h.retain_grad()
            states.append(h)
        return self.readout(h), states


def adding(length: int, batch: int) -> tuple[Tensor, Tensor]:
    """Two numbers of a sequence are marked, one in each half; the target is their sum."""
    values, marks, every = torch.rand(length, batch), torch.zeros(length, batch), torch.arange(batch)
    first, second = torch.randint(0, length // 2, (batch,)), torch.randint(length // 2, length, (batch,))
    marks[first, every] = marks[second, every] = 1
    return torch.stack([values, marks], -1), (values[first, every] + values[second, every]).unsqueeze(1)


@hydra.main(version_base=None, config_path=".", config_name="config")
def main(cfg: DictConfig) -> None:
    torch.set_num_threads(1)
    torch.set_flush_denormal(cfg.flush)
    torch.manual_seed(cfg.seed)
    network = Network(cfg.arch, cfg.hidden, cfg.init)
    parameters = [*network.layer.parameters(), *network.readout.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=cfg.lr)
    metrics, through_time = [], []
    for step in range(cfg.steps):
        x, y = adding(cfg.length, cfg.batch)
        optimizer.zero_grad()
        states: list[Tensor] = []
        if step % cfg.gradient_every == 0:
            outputs, states = network.explicit(x)
        else:
            outputs = network(x)
        loss = nn.functional.mse_loss(outputs, y)
        loss.backward()
        for t, h in enumerate(states):
            assert h.grad is not None
            through_time.append((step, t, h.grad.norm().item()))
        if cfg.clip == "value":
            norm = nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None])
            nn.utils.clip_grad_value_(parameters, 0.1)
        else:
            norm = nn.utils.clip_grad_norm_(parameters, 1.0 if cfg.clip == "norm" else float("inf"))
        if step % cfg.log_every == 0:
            metrics.append((step, loss.item(), norm.item()))
        optimizer.step()
    folder = Path(HydraConfig.get().runtime.output_dir)
    for name, header, rows in (
        ("metrics.csv", ("step", "train_loss", "grad_norm"), metrics),
        ("gradient_through_time.csv", ("step", "t", "norm"), through_time),
    ):
        with (folder / name).open("w", newline="") as file:
            csv.writer(file).writerows([header, *rows])


if __name__ == "__main__":
    main()
