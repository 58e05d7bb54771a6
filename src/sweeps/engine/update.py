"""One update of a pack, in three parts: gradients (`backward`), clipping (`clip`) and the optimiser (`apply`).

The gradients may be those of several batches put together (`train.accumulate`).

After `backward` the caller may read weights, unclipped gradients and the gradient through time. On a CPU the parts are
plain calls. On a CUDA device each is captured once in a CUDA graph and replayed: otherwise the GPU would wait for the
host to launch some thousand small kernels per update, one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from sweeps.engine.accumulate import Sums, together
from sweeps.engine.adjoint import Trace
from sweeps.engine.clip import global_norm
from sweeps.engine.data import Examples
from sweeps.engine.losses import mean_weight
from sweeps.engine.setup import Training

WARM_UP = 3
"""Runs before a capture, during which libraries choose their kernels and allocate their memory."""


def on_gpu(training: Training) -> bool:
    return torch.device(training.network.sizes.device).type == "cuda"


class Update:
    """Updates of one pack. A pack that was rebuilt smaller needs a new `Update`.

    Attributes:
        spare: share of lanes that may have ended before the pack is rebuilt smaller. Rebuilding means capturing the
            CUDA graphs again, at the cost of many updates.
    """

    def __init__(self, training: Training, captured: bool | None = None) -> None:
        """
        Args:
            captured: whether the parts are CUDA graphs; None: if the pack is on a CUDA device.
        """
        self.training = training
        sizes = training.network.sizes
        self._traced = False
        self.captured = on_gpu(training) if captured is None else captured
        self.spare = 0.5 if self.captured else 0.0
        network = training.network
        self._traces, self._totals = (
            [Trace(sizes.lanes, sizes.length, sizes.device) for _ in network.traced] for _ in range(2)
        )
        if not network.every:
            self._totals = []
        self._kept: list[Examples] = []  # the batches of this update, where there are several
        self._sums = Sums(network.grads.flat) if training.batches > 1 else None
        self._backward: Callable[[], tuple[Tensor, Tensor]] = self._mean if self._sums else self._gradients
        self._add: Callable[[], None] = self._add_batch
        self._record: Callable[[], None] = self._through_time
        self._clip: Callable[[], None] = self._clip_gradients
        self._apply: Callable[[], None] = self._change_weights
        if self.captured:
            optimizer = training.optimizer
            carried = [] if training.data.end is None else [training.data.end]
            if self._sums is not None:
                self._add = capture(self._add_batch, [*carried, *self._sums.all])
            self._backward = capture(self._backward, [*carried, network.grads.flat])  # its padding stays zero
            self._record = capture(self._through_time, [])
            self._clip = capture(self._clip_gradients, [network.grads.flat, *training.clip.memory])
            self._apply = capture(self._change_weights, [network.p.flat, *optimizer.state.values()])

    def backward(self, traced: bool = False) -> tuple[list[float], list[float]]:
        """Loss and gradient norm of each lane on the next batches; leaves the gradients in the network.

        Args:
            traced: `log10_norm` will be called for these. Loss and gradients do not depend on it.
        """
        if self._sums is not None:
            self._sums.clear()
            self._kept = []
            for _ in range(self.training.batches):
                self.training.data.next()
                self._kept.append(self.training.data.kept())
                self._add()
        else:
            self.training.data.next()
        self._traced = traced and not self.captured and self._sums is None
        loss, norm = self._backward()
        values = torch.stack([loss, norm]).tolist()
        return values[0], values[1]

    def log10_norm(self) -> tuple[np.ndarray, np.ndarray | None]:
        """log10 ||dL/dh_t|| on the last `backward`'s batches, of each of the network's `traced`; call before `apply`.

        Returns:
            `[K, R, T]` for the loss of each sequence's last answer, and for the loss of all where every time step has
            one, else None.
        """
        if self._sums is None:
            if not self._traced:
                self._record()
            found = self._recorded()
        else:
            parts, counts = [], []
            for batch in self._kept:
                self.training.data.put_back(batch)
                self._record()
                parts.append(self._recorded())
                counts.append(self._counts(batch.weights))
            found = [together(*each) for each in zip(zip(*parts, strict=True), zip(*counts, strict=True), strict=False)]
        return found[0], found[1] if self._totals else None

    def _recorded(self) -> list[np.ndarray]:
        """What the traces of the last answer hold, and, where every time step has one, those of all."""
        return [
            np.stack([trace.log10_norm() for trace in traces], 1) for traces in (self._traces, self._totals) if traces
        ]

    def _counts(self, weights: Tensor | None) -> list[np.ndarray]:
        """What a batch counts in each lane's losses of last and of all answers, `[K]`; no sequence lacks a last one."""
        same = np.ones(self.training.network.sizes.lanes)
        return [same, same if weights is None else mean_weight(weights).double().numpy(force=True)]

    def clip(self) -> None:
        """Clip the gradients."""
        self._clip()

    def clipped_norm(self) -> list[float]:
        """The gradient norm of each lane after `clip`, `[K]`."""
        found: list[float] = global_norm(self.training.network.grads.flat).tolist()
        return found

    def apply(self, leave: Sequence[int] = ()) -> None:
        """Change the weights by the clipped gradients.

        Args:
            leave: lanes whose weights and optimiser stay as they are.
        """
        lanes = list(leave)
        changed = (self.training.network.p.flat, *self.training.optimizer.state.values()) if lanes else ()
        kept = [(tensor, tensor[lanes]) for tensor in changed]
        self._apply()
        for tensor, rows in kept:
            tensor[lanes] = rows

    def _gradients(self) -> tuple[Tensor, Tensor]:
        """Loss and gradient norm of an update of one batch."""
        return self._whole(self._batch())

    def _add_batch(self) -> None:
        assert self._sums is not None
        self._sums.add(self._batch(), self.training.network.grads.flat, self.training.data.batch.weights)

    def _mean(self) -> tuple[Tensor, Tensor]:
        """Loss and gradient norm of an update of several batches, all of them added."""
        assert self._sums is not None
        return self._whole(self._sums.mean(self.training.network.grads.flat))

    def _batch(self) -> Tensor:
        """The loss of each lane on the batch, `[K]`; leaves its gradients in the network."""
        network, data = self.training.network, self.training.data
        x, y, weights, _, start, masks, lengths = data.batch
        traces, totals = (self._traces, self._totals) if self._traced else ((), ())
        loss = network.gradients(x, y, traces, totals, weights, start, masks, lengths)
        if data.end is not None:
            data.end.copy_(network.end())
        return loss

    def _whole(self, loss: Tensor) -> tuple[Tensor, Tensor]:
        """The loss, and the norm of the gradients with those of the penalties, which are added."""
        network = self.training.network
        self.training.penalties.add(network, self.training.data.batch)
        self._norm = global_norm(network.grads.flat)
        return loss, self._norm

    def _through_time(self) -> None:
        x, y, weights, _, start, masks, lengths = self.training.data.batch
        self.training.network.through_time(x, y, self._traces, self._totals, weights, start, masks, lengths)

    def _clip_gradients(self) -> None:
        self.training.clip(self.training.network.grads.flat, self._norm)

    def _change_weights(self) -> None:
        network = self.training.network
        self.training.optimizer.step(network.p.flat, network.grads.flat)


Result = TypeVar("Result")


def capture(work: Callable[[], Result], changed: Sequence[Tensor]) -> Callable[[], Result]:
    """`work` captured in a CUDA graph; every replay writes its results to the same tensors.

    Args:
        changed: the tensors that `work` changes in place, beside its results; they are restored after the warm-up runs.
    """
    before = [tensor.clone() for tensor in changed]
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(WARM_UP):
            work()
    torch.cuda.current_stream().wait_stream(stream)
    for tensor, value in zip(changed, before, strict=True):
        tensor.copy_(value)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        result = work()

    def replay() -> Result:
        graph.replay()
        return result

    return replay
