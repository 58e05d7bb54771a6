"""One update of a pack, in three parts: gradients (`backward`), clipping (`clip`) and the optimiser (`apply`).

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

from sweeps.engine.adjoint import Trace
from sweeps.engine.clip import global_norm
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
        self._backward: Callable[[], tuple[Tensor, Tensor]] = self._gradients
        self._record: Callable[[], None] = self._through_time
        self._clip: Callable[[], Tensor] = self._clip_gradients
        self._apply: Callable[[], None] = self._change_weights
        if self.captured:
            optimizer = training.optimizer
            self._backward = capture(self._gradients, [])
            self._record = capture(self._through_time, [])
            self._clip = capture(self._clip_gradients, [network.grads.flat])
            self._apply = capture(self._change_weights, [network.p.flat, *optimizer.state.values()])

    def backward(self, traced: bool = False) -> tuple[list[float], list[float]]:
        """Loss and gradient norm of each lane on the next batch; leaves the gradients in the network.

        Args:
            traced: `log10_norm` will be called for this batch. Loss and gradients do not depend on it.
        """
        self.training.data.next()
        self._traced = traced and not self.captured
        loss, norm = self._backward()
        values = torch.stack([loss, norm]).tolist()
        return values[0], values[1]

    def log10_norm(self) -> tuple[np.ndarray, np.ndarray | None]:
        """log10 ||dL/dh_t|| on the last `backward`'s batch, of each of the network's `traced`; call it before `apply`.

        Returns:
            `[K, R, T]` for the loss of each sequence's last answer, and for the loss of all where every time step has
            one, else None.
        """
        if not self._traced:
            self._record()
        found = [
            np.stack([trace.log10_norm() for trace in traces], 1) for traces in (self._traces, self._totals) if traces
        ]
        return found[0], found[1] if self._totals else None

    def clip(self) -> Tensor:
        """Clip the gradients; returns the gradient norm of each lane after clipping, `[K]`."""
        return self._clip()

    def apply(self) -> None:
        """Change the weights by the clipped gradients."""
        self._apply()

    def _gradients(self) -> tuple[Tensor, Tensor]:
        network, data = self.training.network, self.training.data
        x, y, weights, _, start, masks = data.batch
        traces, totals = (self._traces, self._totals) if self._traced else ((), ())
        loss = network.gradients(x, y, traces, totals, weights, start, masks)
        if data.end is not None:
            data.end.copy_(network.end())
        self._norm = global_norm(network.grads.flat)
        return loss, self._norm

    def _through_time(self) -> None:
        x, y, weights, _, start, masks = self.training.data.batch
        self.training.network.through_time(x, y, self._traces, self._totals, weights, start, masks)

    def _clip_gradients(self) -> Tensor:
        return self.training.clip(self.training.network.grads.flat, self._norm)

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
