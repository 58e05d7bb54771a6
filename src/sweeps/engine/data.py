"""The data of a pack: one stream per distinct seed, drawn once and handed to every lane of that seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from sweeps.engine.memory import lanes
from sweeps.engine.randomness import generator
from sweeps.tasks import Batch, Task


class Data:
    """Training batches and the evaluation set of K lanes; inputs `[K, T*B, I]`, targets `[K, B, ...]`."""

    def __init__(
        self, task: Task, seeds: Sequence[int], batch: int, eval_size: int, device: torch.device | str
    ) -> None:
        self.task, self.batch, self.device = task, batch, device
        self._streams = {seed: generator(seed, "data") for seed in seeds}
        self._evaluation = {seed: task.evaluation(generator(seed, "evaluation"), eval_size) for seed in seeds}
        self._assign(seeds)

    def keep(self, kept: Sequence[int]) -> None:
        """Serve only the given lanes from now on."""
        self._assign([self.seeds[k] for k in kept])

    def next(self) -> tuple[Tensor, Tensor]:
        """The next training batch of every lane. The inputs are overwritten by the next call."""
        return self._spread({seed: self.task.sample(rng, self.batch) for seed, rng in self._streams.items()})

    def evaluation(self) -> Iterator[tuple[Tensor, Tensor, int]]:
        """The evaluation set in batches of the training size, with the count of valid sequences each."""
        size = next(iter(self._evaluation.values())).inputs.shape[1]
        for start in range(0, size, self.batch):
            index = np.arange(start, start + self.batch) % size
            part = {seed: Batch(x[:, index], y[index]) for seed, (x, y) in self._evaluation.items()}
            yield *self._spread(part), min(self.batch, size - start)

    def _assign(self, seeds: Sequence[int]) -> None:
        self.seeds = list(seeds)
        wanted = dict.fromkeys(seeds)
        self._streams = {seed: self._streams[seed] for seed in wanted}
        self._evaluation = {seed: self._evaluation[seed] for seed in wanted}
        steps = next(iter(self._evaluation.values())).inputs.shape[0]
        self._x = lanes(len(seeds), steps * self.batch, self.task.inputs, device=self.device)

    def _spread(self, batches: dict[int, Batch]) -> tuple[Tensor, Tensor]:
        inputs = {seed: torch.from_numpy(np.ascontiguousarray(batch.inputs)) for seed, batch in batches.items()}
        for x, seed in zip(self._x, self.seeds, strict=True):
            x.copy_(inputs[seed].view_as(x))
        targets = np.stack([batches[seed].targets for seed in self.seeds])
        return self._x, torch.from_numpy(targets).to(self.device)
