"""A recurrence whose state enters only linearly, unit by unit, computed for many time steps at once.

    h_t = a_t h_{t-1} + b_t

a_t and b_t depend on the inputs alone, so autograd differentiates them for all time steps together. What is left is a
scan, and its adjoint is the same scan backwards in time (Martin & Cundy 2018):

    g_t = dL/dh_t = dy_t + a_{t+1} g_{t+1},   dL/db_t = g_t,   dL/da_t = g_t h_{t-1}

On a CPU a scan is a loop of one multiply-add in place; on a GPU, where each of its steps would wait for the one before,
it goes through pieces of about sqrt(T) steps at the same time, then from piece to piece. With factors (c, d) a state is
H/2 complex numbers, real parts first, and a_t is c + i d; backwards it is c - i d.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from sweeps.config.schema import Value
from sweeps.engine.adjoint import Trace
from sweeps.engine.architectures import Architecture
from sweeps.engine.architectures.base import Factors, Weights
from sweeps.engine.exact_slopes import ExactSlopes
from sweeps.engine.extended import Rows, in_order
from sweeps.engine.memory import in_float64, zeros
from sweeps.engine.recurrences.base import Joint, Sizes, Start


def times(a: Factors, h: Tensor) -> Tensor:
    """a h for states `[..., H]`."""
    if len(a) == 1:
        return a[0] * h
    (c, d), (re, im) = a, h.chunk(2, -1)
    return torch.cat([c * re - d * im, c * im + d * re], -1)


def adjoint(a: Factors) -> Factors:
    """The factors whose product is the transposed one."""
    return a if len(a) == 1 else (a[0], -a[1])


def scan(a: Factors, h: Tensor, start: Tensor, backwards: bool = False) -> None:
    """Write h_0 .. h_{T-1} over b `[K, T, B, H]`, for factors of that shape, from h_{-1} = start `[K, B, H]`.

    Args:
        backwards: from the last step to the first, which follows on `start`.
    """
    if h.device.type == "cpu":
        in_turn(a, h, start, -1 if backwards else 1)
    elif backwards:
        h.copy_(in_pieces(tuple(each.flip(1) for each in a), h.flip(1), start).flip(1))
    else:
        h.copy_(in_pieces(a, h, start))


def in_turn(a: Factors, h: Tensor, start: Tensor, way: int = 1) -> None:
    """`scan`, one step after the other."""
    before = start
    for own, *factors in zip(*(each.unbind(1)[::way] for each in (h, *a)), strict=True):
        if len(factors) == 1:
            own.addcmul_(factors[0], before)
        else:
            (re, im), (re_before, im_before), (c, d) = own.chunk(2, -1), before.chunk(2, -1), factors
            re.addcmul_(c, re_before).addcmul_(d, im_before, value=-1)
            im.addcmul_(c, im_before).addcmul_(d, re_before)
        before = own


def in_pieces(a: Factors, b: Tensor, start: Tensor) -> Tensor:
    """What `scan` writes, by many steps at the same time."""
    k, length, *shape = b.shape
    piece = math.isqrt(length)
    pieces = -(-length // piece)
    more = pieces * piece - length  # steps of nothing behind the last

    def cut(of: Tensor) -> Tensor:
        padded = torch.nn.functional.pad(of, (0, 0, 0, 0, 0, more)) if more else of
        return padded.reshape(k, pieces, piece, *of.shape[2:])

    factors, added = tuple(cut(each) for each in a), cut(b)
    h, whole = [added[:, :, 0]], [tuple(each[:, :, 0] for each in factors)]
    for n in range(1, piece):
        own = tuple(each[:, :, n] for each in factors)
        h.append(times(own, h[-1]) + added[:, :, n])
        whole.append(_product(own, whole[-1]))
    ends, through = [start], tuple(each for each in whole[-1])
    for n in range(pieces - 1):
        ends.append(times(tuple(each[:, n] for each in through), ends[-1]) + h[-1][:, n])
    before = torch.stack(ends, 1)
    out = torch.stack([own + times(factor, before) for own, factor in zip(h, whole, strict=True)], 2)
    return out.reshape(k, pieces * piece, *shape)[:, :length]


def _product(a: Factors, b: Factors) -> Factors:
    if len(a) == 1:
        return (a[0] * b[0],)
    return a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]


class Scan:
    """The `Recurrence` of an architecture with `linear`.

    Args:
        options: of the choice, equal in all lanes where the time step takes them.
    """

    def __init__(self, sizes: Sizes, architecture: Architecture, options: Mapping[str, Value]) -> None:
        assert architecture.linear is not None
        self.sizes, self.linear = sizes, architecture.linear
        self.names = tuple(architecture.parameters_with(sizes.inputs, sizes.hidden, options))
        states = zeros(sizes.lanes, sizes.length + 1, sizes.batch, sizes.hidden, device=sizes.device)
        self.start, self.before, self.h = states[:, 0], states[:, :-1], states[:, 1:]

    def forward(self, p: Mapping[str, Tensor], x: Tensor, keep: bool = False, start: Start = None) -> Tensor:
        self._leaves = {name: value.detach().requires_grad_() for name, value in p.items() if name in self.names}
        self._x = x.detach().unflatten(1, (self.sizes.length, self.sizes.batch)).requires_grad_()
        with torch.enable_grad():
            self._a, self._b = self.linear(self._leaves, self._x)
        if start is None:
            self.start.zero_()
        else:
            self.start.copy_(start[0])
        self.h.copy_(self._b.detach())
        scan(self._factors(), self.h, self.start)
        return self.h

    def _factors(self) -> Factors:
        return tuple(each.detach().expand(*self.h.shape[:3], each.shape[-1]) for each in self._a)

    def end(self) -> tuple[Tensor, ...]:
        return (self.h[:, -1],)

    def backward(
        self,
        p: Mapping[str, Tensor],
        x: Tensor,
        dy: Tensor,
        grads: Mapping[str, Tensor],
        dx: Tensor | None = None,
        d_start: Start = None,
        d_end: Start = None,
    ) -> None:
        g = self._adjoint(dy)
        wanted = [*self._leaves.values(), *([self._x] if dx is not None else [])]
        d_a = _to_factors(g, self.before, len(self._a))
        found = torch.autograd.grad(
            [*self._a, self._b], wanted, [_summed(d, each) for d, each in zip(d_a, self._a, strict=True)] + [g],
            materialize_grads=True,
        )  # fmt: skip
        for name, gradient in zip(self._leaves, found, strict=False):
            grads[name].copy_(gradient)
        if dx is not None:
            dx.copy_(found[-1].flatten(1, 2))
        if d_start is not None:
            d_start[0].copy_(times(tuple(each[:, 0] for each in adjoint(self._factors())), g[:, 0]))

    def _adjoint(self, dy: Tensor) -> Tensor:
        """g_t for all t, `[K, T, B, H]`: the scan of dy backwards in time, with the factors of the step after."""
        if dy.dim() == 3:
            g = torch.zeros_like(self.h)
            g[:, -1] = dy
        else:
            g = dy.clone()
        after = tuple(each[:, 1:] for each in adjoint(self._factors()))
        if cuts := [t - 1 for t in range(1, self.sizes.length) if self.sizes.cut_before(t)]:
            after = tuple(each.clone() for each in after)
            for each in after:
                each[:, cuts] = 0.0
        scan(after, g[:, :-1], g[:, -1], backwards=True)
        return g

    def through_time(
        self, p: Mapping[str, Tensor], dy: Rows, trace: Trace, below: bool = False, joint: Joint | None = None
    ) -> Rows | None:
        """Compute the factors again in float64; each g_t has an exponent of its own."""
        weights: Weights = {name: in_float64(value.detach()) for name, value in self._leaves.items()}
        x = self._x.detach().double().requires_grad_()
        with torch.enable_grad(), ExactSlopes():
            made, b = self.linear(weights, x)
        a = adjoint(tuple(each.detach().expand(*self.h.shape[:3], each.shape[-1]) for each in made))
        dh, above = dy.last_and_others()
        kept: list[Rows] = []
        for t in reversed(range(self.sizes.length)):
            dh = dh.settled()
            trace.note(t, dh)
            kept.append(dh)
            if self.sizes.cut_before(t):
                dh = dh.nothing()
            else:
                dh = Rows(times(tuple(each[:, t] for each in a), dh.value), dh.exponent)
            if above is not None and t > 0:
                dh = dh.settled() + above.at(t - 1).settled()
        if joint is not None:
            joint.start = (dh.settled(),)
        if not below:
            return None
        g = in_order(kept)
        d_a = [
            _summed(d, each) for d, each in zip(_to_factors(g.value, self.before.double(), len(a)), made, strict=True)
        ]
        parts = [(out, d) for out, d in zip([*made, b], [*d_a, g.value], strict=True) if out.requires_grad]
        outputs, given = zip(*parts, strict=True)
        [found] = torch.autograd.grad(outputs, [x], given, materialize_grads=True)
        return Rows(found, g.exponent)


def _to_factors(g: Tensor, before: Tensor, parts: int) -> tuple[Tensor, ...]:
    """dL/da_t from dL/dh_t and h_{t-1}."""
    if parts == 1:
        return (g * before,)
    (g_re, g_im), (re, im) = g.chunk(2, -1), before.chunk(2, -1)
    return g_re * re + g_im * im, g_im * re - g_re * im


def _summed(gradient: Tensor, like: Tensor) -> Tensor:
    """The gradient of factors that are the same at all time steps or in all sequences, summed over these."""
    over = [n for n, size in enumerate(like.shape) if size == 1 and gradient.shape[n] > 1]
    return gradient.sum(over, keepdim=True) if over else gradient
