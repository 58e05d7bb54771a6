"""The data of a pack. Batches are drawn once per distinct seed; every lane of that seed gets the same ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from sweeps.engine.memory import zeros
from sweeps.engine.randomness import generator
from sweeps.errors import SweepsError
from sweeps.tasks import Batch, Task
from sweeps.tasks.contract import wrong_batch


class Data:
    """Training batches and the evaluation set of K lanes; inputs `[K, T*B, I]`, targets `[K, B, ...]`.

    The first batch and the evaluation set of every seed are checked against the contract of `tasks.Task`.

    Args:
        name: of the task, for messages.

    Raises:
        SweepsError: the task breaks its contract.
    """

    def __init__(
        self, name: str, task: Task, seeds: Sequence[int], batch: int, eval_size: int, device: torch.device | str
    ) -> None:
        self.name, self.task, self.batch, self.device = name, task, batch, device
        self._checked = False
        self._streams = {seed: generator(seed, "data") for seed in seeds}
        self._evaluation = {seed: task.evaluation(generator(seed, "evaluation"), eval_size) for seed in seeds}
        self._check(self._evaluation)
        self._assign(seeds)

    def keep(self, kept: Sequence[int]) -> None:
        """Keep only the lanes `kept`, in that order."""
        self._assign([self.seeds[k] for k in kept])

    def next(self) -> tuple[Tensor, Tensor]:
        """The next training batch of every lane: the buffers `.x` and `.y`, which the next call overwrites."""
        batches = {seed: self.task.sample(rng, self.batch) for seed, rng in self._streams.items()}
        if not self._checked:
            self._check(batches, self.batch)
            self._checked = True
        return self._spread(batches)

    def evaluation(self) -> Iterator[tuple[Tensor, Tensor, int]]:
        """The evaluation set in batches of the training batch size, each with its number of valid sequences.

        The last batch is filled up with sequences from the start of the set, which must not be counted again.
        """
        size = next(iter(self._evaluation.values())).inputs.shape[1]
        for start in range(0, size, self.batch):
            index = np.arange(start, start + self.batch) % size
            part = {seed: Batch(x[:, index], y[index]) for seed, (x, y) in self._evaluation.items()}
            yield *self._spread(part), min(self.batch, size - start)

    def variance(self) -> np.ndarray:
        """Variance of the targets of each lane's evaluation set, `[K]`, averaged over outputs (mse tasks).

        It is the mean squared error of the best constant answer.
        """
        variance = {seed: y.astype(np.float64).var(0).mean() for seed, (_, y) in self._evaluation.items()}
        return np.array([variance[seed] for seed in self.seeds])

    def _check(self, batches: dict[int, Batch], sequences: int | None = None) -> None:
        for batch in batches.values():
            if sentence := wrong_batch(self.name, self.task, batch, sequences):
                raise SweepsError(sentence)

    def _assign(self, seeds: Sequence[int]) -> None:
        self.seeds = list(seeds)
        wanted = dict.fromkeys(seeds)
        self._streams = {seed: self._streams[seed] for seed in wanted}
        self._evaluation = {seed: self._evaluation[seed] for seed in wanted}
        one = next(iter(self._evaluation.values()))
        self.x = zeros(len(seeds), self.task.length * self.batch, self.task.inputs, device=self.device)
        like = torch.from_numpy(one.targets[:1])
        self.y = like.new_zeros(len(seeds), self.batch, *like.shape[1:], device=self.device)
        self._stream_of_lane = torch.tensor([list(wanted).index(seed) for seed in seeds], device=self.device)

    def _spread(self, batches: dict[int, Batch]) -> tuple[Tensor, Tensor]:
        for buffer, name in ((self.x, "inputs"), (self.y, "targets")):
            drawn = torch.from_numpy(np.stack([getattr(batch, name) for batch in batches.values()])).to(self.device)
            buffer.copy_(drawn[self._stream_of_lane].reshape(buffer.shape))
        return self.x, self.y
