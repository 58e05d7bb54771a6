"""Numbers beyond float64: rows of float64 that share a power of two, and gates and derivatives that never round to 0.

A gradient over thousands of time steps, or through one unit at a pre-activation of 500, leaves the range of every
dtype. Here a row, one sequence of one lane, is float64 times 2**exponent. Multiplying by a power of two is exact and
adds no rounding. An exponent is a float64 with an integer value: in a saturated network it may overflow any integer
dtype.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from sweeps.engine.memory import empty, in_float64
from sweeps.engine.products import multiply

LN_2 = math.log(2.0)
FIELDS = ("value", "exponent")
ZERO = -1e300
"""The exponent of a row that is exactly zero."""
CHUNK = 2**15
"""Elements of a lane that are computed at once: few enough for the cache, many enough to make call overhead small."""
LARGE = 1e30
"""Pre-activations are clamped to at most this: far below it, float64's digits already leave exp(-a) undetermined."""


@dataclass(frozen=True)
class Rows:
    """`value * 2**exponent`: value float64 `[..., B, N]`, exponent `[..., B, 1]`, or `[..., B, N]`: one per element."""

    value: Tensor
    exponent: Tensor

    @classmethod
    def of(cls, value: Tensor) -> Rows:
        """An ordinary tensor as rows, with exponent 0."""
        return cls(value.double(), torch.zeros_like(value[..., :1], dtype=torch.float64))

    def __mul__(self, other: Rows | Tensor) -> Rows:
        if isinstance(other, Rows):
            return Rows(self.value * other.value, self.exponent + other.exponent)
        return Rows(self.value * other, self.exponent)

    def __add__(self, other: Rows) -> Rows:
        top = torch.maximum(self.exponent, other.exponent)
        return Rows(self.down_to(top) + other.down_to(top), top)

    def __matmul__(self, w: Tensor) -> Rows:
        """Rows `[K, B, N]` times float64 matrices `[K, N, M]`."""
        out = empty(*self.value.shape[:2], w.shape[-1], device=w.device, dtype=torch.float64)
        return Rows(multiply(in_float64(self.value), w, out=out), self.exponent)

    def at(self, t: int) -> Rows:
        """Time step t of rows `[K, T, B, N]`: `[K, B, N]`."""
        return Rows(self.value[:, t], self.exponent[:, t])

    def last_and_others(self) -> tuple[Rows, Rows | None]:
        """Of rows `[K, T, B, N]` the last time step and all of them; of rows `[K, B, N]` themselves and None."""
        return (self.at(-1), self) if self.value.dim() == 4 else (self, None)

    def steps(self, start: int, end: int) -> Rows:
        """Time steps `start` to `end` - 1 of rows `[K, T, B, N]`."""
        return Rows(self.value[:, start:end], self.exponent[:, start:end])

    def columns(self, start: int, end: int) -> Rows:
        """Columns `start` to `end` - 1."""
        return Rows(self.value[..., start:end], self.exponent)

    def nothing(self) -> Rows:
        """Rows of zeros, of the same shape."""
        return Rows(torch.zeros_like(self.value), torch.full_like(self.exponent, ZERO))

    def settled(self) -> Rows:
        """The same numbers, normalised: the largest magnitude of each row is in [1/2, 1)."""
        largest = self.value.abs().amax(-1, keepdim=True)
        exponent = torch.where(largest.isfinite(), torch.frexp(largest).exponent.double(), 0.0)
        shifted = torch.where(largest == 0, ZERO, self.exponent + exponent)
        return Rows(self.value * power_of_two(-exponent), shifted)

    def settled_apart(self) -> Rows:
        """The same numbers, normalised element by element: each magnitude in [1/2, 1), with an exponent of its own."""
        exponent = torch.where(self.value.isfinite(), torch.frexp(self.value).exponent.double(), 0.0)
        shifted = torch.where(self.value == 0, ZERO, self.exponent + exponent)
        return Rows(self.value * power_of_two(-exponent), shifted)

    def down_to(self, exponent: Tensor) -> Tensor:
        """The values as multiples of 2**exponent, where `exponent` is at least the rows' own."""
        return self.value * power_of_two(self.exponent - exponent)


def in_order(steps: Sequence[Rows]) -> Rows:
    """Rows `[K, T, B, N]` from those of each time step, last step first."""
    value, exponent = (torch.stack([getattr(rows, name) for rows in reversed(steps)], 1) for name in FIELDS)
    return Rows(value, exponent)


def side_by_side(*parts: Rows) -> Rows:
    """Rows `[..., B, N]` concatenated along N, under one exponent for each row."""
    top = torch.cat([part.exponent for part in parts], -1).amax(-1, keepdim=True)
    return Rows(torch.cat([part.down_to(top) for part in parts], -1), top)


def power_of_two(exponent: Tensor) -> Tensor:
    """2**exponent in float64, exactly, for integers up to 1023; 0 below the normal range. The bits are put together."""
    return (exponent.clamp(-1023, 1023).to(torch.int64) + 1023 << 52).view(torch.float64)


def gate(a: Tensor, apart: bool = False) -> Rows:
    """sigma(a) of float64 `[..., N]`; `apart`: each element with an exponent of its own."""
    return _scaled((-a).clamp(0.0, LARGE), apart) * (1 / (1 + (-a.abs()).exp()))


def gate_slope(a: Tensor, apart: bool = False) -> Rows:
    """sigma'(a) = sigma(a) sigma(-a), from the pre-activation: sigma (1 - sigma) is 0 once sigma rounds to 1."""
    y = a.abs().clamp(max=LARGE)
    return _scaled(y, apart) * (1 / (1 + (-y).exp()).square())


def tanh_slope(a: Tensor, apart: bool = False) -> Rows:
    """tanh'(a) = sech(a)**2 = 4 sigma'(2a), from the pre-activation: 1 - tanh**2 is 0 once tanh rounds to 1."""
    return gate_slope(2 * a, apart) * a.new_tensor(4.0)


def _scaled(y: Tensor, apart: bool) -> Rows:
    """exp(-y) for `y >= 0`."""
    exponent = ((y if apart else y.amin(-1, keepdim=True)) / LN_2).floor()
    return Rows((exponent * LN_2 - y).exp(), -exponent)


def lanes_apart(function: Callable[..., tuple[Rows, ...]], *tensors: Tensor) -> tuple[Rows, ...]:
    """`function(*tensors)`, called lane by lane on a CPU.

    Vectorised kernels compute the last few elements of a tensor with other instructions than the rest. Called lane by
    lane, which elements these are does not depend on how many lanes the pack has.
    """
    if tensors[0].is_cuda:
        return function(*tensors)
    parts = [function(*(each[k : k + 1] for each in tensors)) for k in range(len(tensors[0]))]
    return tuple(
        Rows(*(torch.cat([getattr(rows, name) for rows in column]) for name in FIELDS))
        for column in zip(*parts, strict=True)
    )


Local = Callable[..., tuple[Rows, ...]]
Walk = Iterator[tuple[int, tuple[Rows, ...]]]


def in_time(function: Local, *tensors: Tensor) -> Walk:
    """Yields (t, result of `function` at time step t) for t = 0 .. T-1.

    Args:
        function: elementwise in time, so that it can be called on chunks of time steps.
        tensors: its arguments over all time steps, each `[K, T, B, N]`.
    """
    for start, end in _chunks(tensors[0]):
        yield from _steps(function, range(start, end), start, end, tensors)


def back_in_time(function: Local, *tensors: Tensor) -> Walk:
    """Like `in_time`, for t = T-1 .. 0."""
    for start, end in reversed(_chunks(tensors[0])):
        yield from _steps(function, reversed(range(start, end)), start, end, tensors)


def _chunks(tensor: Tensor) -> list[tuple[int, int]]:
    _, length, b, n = tensor.shape
    size = max(1, CHUNK // (b * n))
    return [(start, min(start + size, length)) for start in range(0, length, size)]


def _steps(function: Local, order: Iterable[int], start: int, end: int, tensors: Sequence[Tensor]) -> Walk:
    chunk = lanes_apart(function, *(each[:, start:end] for each in tensors))
    for t in order:
        yield t, tuple(rows.at(t - start) for rows in chunk)
