"""The data of a pack. Batches are drawn once per distinct seed; every lane of that seed gets the same ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from sweeps.engine.memory import zeros
from sweeps.engine.randomness import generator
from sweeps.errors import SweepsError
from sweeps.tasks import Batch, Task, answers, held_out, padded, streams, vector
from sweeps.tasks import batches as batches_of
from sweeps.tasks.contract import wrong_batch


class Drop(NamedTuple):
    """A place where numbers are dropped in training (Zaremba et al. 2014: never between time steps)."""

    width: int  # columns O
    share: float  # of the numbers that are 0


class Examples(NamedTuple):
    """A batch of every lane; N answers are B, or T*B where every time step has one."""

    x: Tensor  # [K, T*B, I]
    y: Tensor  # [K, N, O] (mse) or class numbers [K, N]
    weights: Tensor | None  # of the answers in the loss, [K, N]; None: all equal
    scored: Tensor | None  # of the answers in the score, [K, N]; None: as in the loss
    start: (
        Tensor | None
    )  # the start states of all layers, [K, B, S], or the vectors that they are made from, [K, B, C];
    # None: zeros, or what is learned
    masks: dict[str, Tensor]  # of dropout, [K, T, B, O] by the place of each; {}: no dropout
    lengths: Tensor | None  # time steps of each sequence, int64 [K, B]; None: all have T


class Data:
    """Training batches and the evaluation set of K lanes.

    The first batch and the evaluation set of every seed are checked against the contract of `tasks.Task`.

    Attributes:
        batch: the training batch of the last `next`, in memory that the next call overwrites.
        end: where training writes the states after the last time step, `[K, B, S]`, for a stream to go on from; None
            where the task has none.

    Args:
        name: of the task, for messages.
        size: B, sequences of a training batch.
        states: columns S of the states of all layers, or C of the vectors that they are made from.
        drawn: whether start states are drawn, from N(0, drawn_scale^2).
        drops: where numbers are dropped, a mask of each batch for each place.

    Raises:
        SweepsError: the task breaks its contract.
    """

    def __init__(
        self,
        name: str,
        task: Task,
        seeds: Sequence[int],
        size: int,
        eval_size: int,
        device: torch.device | str,
        states: int = 0,
        drawn: bool = False,
        drawn_scale: float = 1.0,
        drops: Mapping[str, Drop] = MappingProxyType({}),
    ) -> None:
        self.name, self.task, self.size, self.device = name, task, size, device
        self.states, self.drawn, self.every = states, drawn, answers(task) == "every"
        self.drawn_scale = np.float32(drawn_scale)
        self.drops = dict(drops)
        self._masks = {seed: {place: generator(seed, "dropout", place) for place in drops} for seed in seeds}
        self._checked = False
        self._generators = {seed: generator(seed, "data") for seed in seeds}
        self._batches = {seed: batches_of(task, rng, size) for seed, rng in self._generators.items()}
        self._start_streams = {seed: generator(seed, "start") for seed in seeds}
        found = {seed: task.evaluation(generator(seed, "evaluation"), eval_size) for seed in seeds}
        self._check(found)
        self._evaluation = {seed: padded(batch, self.every) for seed, batch in found.items()}
        self._assign(seeds)

    def keep(self, kept: Sequence[int]) -> None:
        """Keep only the lanes `kept`, in that order."""
        end = self.end
        self._assign([self.seeds[k] for k in kept])
        if self.end is not None and end is not None:
            self.end.copy_(end[list(kept)])

    def generators(self, lane: int) -> dict[str, np.random.Generator]:
        """The generators of what is drawn for a lane's training batches, by name; lanes of one seed share them."""
        seed = self.seeds[lane]
        masks = {f"dropout {place}": rng for place, rng in self._masks[seed].items()}
        return {"batches": self._generators[seed], "starts": self._start_streams[seed], **masks}

    def next(self) -> Examples:
        """The next training batch of every lane: `.batch`."""
        batches = {seed: next(drawn) for seed, drawn in self._batches.items()}
        if not self._checked:
            self._check(batches, self.size)
            self._checked = True
        batches = {seed: padded(batch, self.every) for seed, batch in batches.items()}
        if self.batch.start is not None and self.end is not None and self._go_on(batches):
            self.batch.start.copy_(self.end)
        else:
            self._start({seed: self._begin(batches[seed], rng, self.size) for seed, rng in self._start_streams.items()})
        for place, mask in self.batch.masks.items():
            self._write(mask, [self._mask(rngs[place], self.drops[place]) for rngs in self._masks.values()])
        return self._spread(batches)

    def kept(self) -> Examples:
        """A copy of `.batch`, for `put_back`."""
        x, y, weights, scored, start, masks, lengths = self.batch
        weights, scored, start, lengths = (
            None if each is None else each.clone() for each in (weights, scored, start, lengths)
        )
        copies = {place: mask.clone() for place, mask in masks.items()}
        return Examples(x.clone(), y.clone(), weights, scored, start, copies, lengths)

    def put_back(self, kept: Examples) -> None:
        """Make a batch that was `kept` the one that is in `.batch`; what comes next does not change."""
        of_both = ((*each, *each.masks.values()) for each in (self.batch, kept))
        for held, each in zip(*of_both, strict=True):
            if isinstance(held, Tensor) and isinstance(each, Tensor):
                held.copy_(each)

    def test(self) -> dict[int, Batch] | None:
        """The test part of the data of every seed, made anew at each call; None where the task has none."""
        parts = {seed: held_out(self.task, generator(seed, "test")) for seed in self._evaluation}
        found = {seed: part for seed, part in parts.items() if part is not None}
        self._check(found, what="test part")
        return {seed: padded(part, self.every) for seed, part in found.items()} or None

    def evaluation(self, test: dict[int, Batch] | None = None) -> Iterator[tuple[Examples, int]]:
        """The evaluation set in batches of the training batch size, each with its number of valid sequences.

        The last batch is filled up with sequences from the start of the set, which must not be counted again. The
        batches are written to the memory of `.batch`, their start states too; its masks are of no use here.

        Args:
            test: from `test`, to have these in place of the evaluation set.
        """
        chosen, purpose = (self._evaluation, "evaluation") if test is None else (test, "test")
        total = next(iter(chosen.values())).inputs.shape[1]
        drawn = {seed: self._begin(batch, generator(seed, "start", purpose), total) for seed, batch in chosen.items()}
        for first in range(0, total, self.size):
            index = np.arange(first, first + self.size) % total
            self._start({seed: each[index] for seed, each in drawn.items()})
            part = {seed: _sequences(batch, index, self.every) for seed, batch in chosen.items()}
            yield self._spread(part), min(self.size, total - first)

    def variance(self, test: dict[int, Batch] | None = None) -> np.ndarray:
        """Variance of the scored targets of each lane's evaluation set, `[K]`, averaged over outputs (mse tasks).

        It is the mean squared error of the best constant answer.

        Args:
            test: from `test`, to have that of its targets.
        """
        variance = {seed: _variance(batch) for seed, batch in (self._evaluation if test is None else test).items()}
        return np.array([variance[seed] for seed in self.seeds])

    def _go_on(self, batches: dict[int, Batch]) -> bool:
        if len(found := {batch.goes_on for batch in batches.values()}) > 1:
            raise SweepsError(f"task={self.name}: one batch goes on and another begins, must be the same for all seeds")
        return found.pop()

    def _check(self, batches: dict[int, Batch], sequences: int | None = None, what: str = "evaluation set") -> None:
        for batch in batches.values():
            if sentence := wrong_batch(self.name, self.task, batch, sequences, what):
                raise SweepsError(sentence)

    def _assign(self, seeds: Sequence[int]) -> None:
        self.seeds = list(seeds)
        wanted = dict.fromkeys(seeds)
        self._generators = {seed: self._generators[seed] for seed in wanted}
        self._batches = {seed: self._batches[seed] for seed in wanted}
        self._start_streams = {seed: self._start_streams[seed] for seed in wanted}
        self._evaluation = {seed: self._evaluation[seed] for seed in wanted}
        self._masks = {seed: self._masks[seed] for seed in wanted}
        one = next(iter(self._evaluation.values()))
        k, n = len(seeds), self.size * (self.task.length if self.every else 1)
        like = torch.from_numpy(one.targets[:0])
        width = like.shape[2 if self.every else 1 :]
        start, self.end = None, None
        if self.drawn or streams(self.task) or vector(self.task):
            start = zeros(k, self.size, self.states, device=self.device)
            self.end = torch.zeros_like(start) if streams(self.task) else None
        self.batch = Examples(
            zeros(k, self.task.length * self.size, self.task.inputs, device=self.device),
            like.new_zeros(k, n, *width, device=self.device),
            None if one.weights is None else torch.ones(k, n, device=self.device),
            None if one.scored is None else torch.ones(k, n, device=self.device),
            start,
            {
                place: zeros(k, self.task.length, self.size, drop.width, device=self.device)
                for place, drop in self.drops.items()
            },
            None if one.lengths is None else torch.ones(k, self.size, dtype=torch.int64, device=self.device),
        )
        self._lane = torch.tensor([list(wanted).index(seed) for seed in seeds], device=self.device)

    def _begin(self, batch: Batch, rng: np.random.Generator, sequences: int) -> np.ndarray:
        """What these sequences start from, `[sequences, S]`."""
        if batch.vector is not None:
            return batch.vector
        shape = (sequences, self.states)
        if not self.drawn:
            return np.zeros(shape, np.float32)
        return rng.standard_normal(shape, np.float32) * self.drawn_scale

    def _mask(self, rng: np.random.Generator, drop: Drop) -> np.ndarray:
        """0 where a number is dropped, else 1 over the share that is kept, `[T, B, O]`."""
        kept = rng.random((self.task.length, self.size, drop.width), np.float32) >= drop.share
        return kept.astype(np.float32) / np.float32(1 - drop.share)

    def _start(self, states: dict[int, np.ndarray]) -> None:
        if self.batch.start is not None:
            self._write(self.batch.start, list(states.values()))

    def _spread(self, batches: dict[int, Batch]) -> Examples:
        x, y, weights, scored, _, _, lengths = self.batch
        named = {"inputs": x, "targets": y, "weights": weights, "scored": scored, "lengths": lengths}
        for part, buffer in named.items():
            if buffer is not None:
                self._write(buffer, [getattr(batch, part) for batch in batches.values()])
        return self.batch

    def _write(self, buffer: Tensor, of_each_seed: Sequence[np.ndarray]) -> None:
        drawn = torch.from_numpy(np.stack(of_each_seed)).to(self.device)
        buffer.copy_(drawn[self._lane].reshape(buffer.shape))


def _sequences(batch: Batch, index: np.ndarray, every: bool) -> Batch:
    """The sequences at these places."""
    weights, scored = (None if each is None else each[:, index] for each in (batch.weights, batch.scored))
    targets = batch.targets[:, index] if every else batch.targets[index]
    lengths = None if batch.lengths is None else batch.lengths[index]
    return Batch(batch.inputs[:, index], targets, weights, scored, lengths=lengths)


def _variance(batch: Batch) -> float:
    y, scored = batch.targets.astype(np.float64), batch.weights if batch.scored is None else batch.scored
    if scored is None:
        return float(y.reshape(-1, y.shape[-1]).var(0).mean())
    counts = scored.astype(np.float64)[..., None]
    mean = (y * counts).sum((0, 1)) / counts.sum()
    return float(((y - mean) ** 2 * counts).sum((0, 1)).mean() / counts.sum())
