"""A pass of the native kernels from a start state: states, gradients, dL/dstart and the record.

The truth is a loop in float64 with autograd. Its sigmoid and tanh keep their derivatives where they saturate:
tanh(a) = 2 sigmoid(2a) - 1, and 1/(1 + exp(-a)) is never subtracted from 1.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor

from sweeps.engine.adjoint import Trace
from sweeps.engine.extended import Rows
from sweeps.engine.memory import in_float64, zeros
from sweeps.engine.native import kernels
from sweeps.engine.recurrences import Sizes, build

ARCHS = ("rnn_tanh", "rnn_relu", "lstm", "gru")
GATES = {"lstm": 4, "gru": 3}
T, B, INPUTS, H = 9, 3, 2, 11


@pytest.fixture(autouse=True)
def native() -> None:
    missing = kernels().missing
    if missing is not None and missing.startswith("there is no C++ compiler"):
        pytest.skip(missing)
    assert missing is None


class Case(NamedTuple):
    """K networks, their inputs and starts, and what comes from above."""

    arch: str
    p: dict[str, Tensor]
    x: Tensor  # [K, T*B, INPUTS]
    start: tuple[Tensor, ...]
    dy: Tensor


def case(arch: str, every: bool, lanes: int = 7, seed: int = 0, size: float = 1.0) -> Case:
    """Lane k is the same for every number of lanes."""
    rng, g = torch.Generator().manual_seed(seed), GATES.get(arch, 1) * H
    shapes = {"weight_ih": (INPUTS, g), "weight_hh": (H, g), "bias": (g,)} | (
        {"bias_hn": (H,)} if arch == "gru" else {}
    )

    def draw(*shape: int) -> Tensor:
        return zeros(lanes, *shape).copy_(torch.randn(7, *shape, generator=rng)[:lanes])

    p = {name: draw(*shape).div_(H**0.5) for name, shape in shapes.items()}
    start = tuple(draw(B, H).mul_(size) for _ in range(2 if arch == "lstm" else 1))
    return Case(arch, p, draw(T * B, INPUTS), start, draw(T, B, H) if every else draw(B, H))


class Passed(NamedTuple):
    """What the kernels make of a case."""

    h: Tensor
    end: tuple[Tensor, ...]
    grads: dict[str, Tensor]
    dx: Tensor
    d_start: tuple[Tensor, ...]
    trace: Trace
    dx_rows: Rows


def run(given: Case, truncate: int = 0) -> Passed:
    k = len(given.x)
    recurrence = build(given.arch, Sizes(k, T, B, INPUTS, H, truncate=truncate), "native")
    trace, grads = Trace(k, T), {name: torch.full_like(value, torch.nan) for name, value in given.p.items()}
    dx, d_start = zeros(k, T * B, INPUTS), tuple(torch.full_like(part, torch.nan) for part in given.start)
    with torch.no_grad():
        h = recurrence.forward(given.p, given.x, keep=True, start=given.start)
        rows = recurrence.through_time(given.p, Rows.of(in_float64(given.dy)), trace, below=True)
        recurrence.backward(given.p, given.x, given.dy.clone(), grads, dx, d_start)
    assert rows is not None
    return Passed(h, recurrence.end(), grads, dx, d_start, trace, rows)


def sigmoid(a: Tensor) -> Tensor:
    return 1 / (1 + (-a).exp())


def tanh(a: Tensor) -> Tensor:
    return 2 * sigmoid(2 * a) - 1


def step(arch: str, p: dict[str, Tensor], x: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    h, *c = state
    from_x, from_h = x @ p["weight_ih"] + p["bias"], h @ p["weight_hh"]
    if arch == "gru":
        (x_r, x_z, x_n), (h_r, h_z, h_n) = from_x.chunk(3, -1), from_h.chunk(3, -1)
        z, n = sigmoid(x_z + h_z), tanh(x_n + sigmoid(x_r + h_r) * (h_n + p["bias_hn"]))
        return ((1 - z) * n + z * h,)
    if arch == "lstm":
        i, f, o, g = (from_x + from_h).chunk(4, -1)
        after = sigmoid(f) * c[0] + sigmoid(i) * tanh(g)
        return sigmoid(o) * tanh(after), after
    a = from_x + from_h
    return (tanh(a) if arch == "rnn_tanh" else a * (a > 0),)


class Truth(NamedTuple):
    """The same of one lane in float64; `adjoints` are dL/dh_t, zero where the loss does not reach."""

    state: tuple[Tensor, ...]
    h: Tensor
    grads: dict[str, Tensor]
    dx: Tensor
    d_start: tuple[Tensor, ...]
    adjoints: Tensor


def truth(given: Case, lane: int, truncate: int = 0) -> Truth:
    p = {name: value[lane].double().requires_grad_() for name, value in given.p.items()}
    x = given.x[lane].double().requires_grad_()
    start = tuple(part[lane].double().requires_grad_() for part in given.start)
    state, seen = start, []
    for t in range(T):
        if truncate and t > 0 and (T - t) % truncate == 0:
            state = tuple(part.detach() for part in state)
        state = step(given.arch, p, x.view(T, B, INPUTS)[t], state)
        seen.append(state[0])
    dy = given.dy[lane].double()
    loss = (torch.stack(seen) * dy).sum() if dy.dim() == 3 else (seen[-1] * dy).sum()
    wanted = [*p.values(), x, *start, *seen]
    found = torch.autograd.grad(loss, wanted, allow_unused=True)
    found = tuple(torch.zeros_like(w) if g is None else g for w, g in zip(wanted, found, strict=True))
    n, m = len(p), len(p) + 1 + len(start)
    grads = dict(zip(p, found[:n], strict=True))
    return Truth(state, torch.stack(seen).detach(), grads, found[n], found[n + 1 : m], torch.stack(found[m:]))


def assert_close(got: Tensor, want: Tensor, what: str, relative: float = 1e-5) -> None:
    scale, error = float(want.abs().max()), float((got.double() - want).abs().max())
    assert error <= relative * scale, f"{what}: error {error:.2e} at size {scale:.2e}"


def log10_norms(adjoints: Tensor) -> np.ndarray:
    """log10 of the norm of each, whose squares may leave float64's range."""
    top = adjoints.abs().amax((1, 2), keepdim=True)
    safe = torch.where(top == 0, 1.0, top)
    with np.errstate(divide="ignore"):
        return np.log10(((adjoints / safe).norm(dim=(1, 2)) * top[:, 0, 0]).numpy())


@pytest.mark.parametrize("truncate", [0, 1, 3, 9])
@pytest.mark.parametrize("every", [False, True])
@pytest.mark.parametrize("arch", ARCHS)
def test_agrees_with_autograd_from_any_start(arch: str, every: bool, truncate: int) -> None:
    given = case(arch, every)
    got = run(given, truncate)
    for lane in range(len(given.x)):
        want = truth(given, lane, truncate)
        assert_close(got.h[lane], want.h, "states")
        for part, end in zip(got.end, want.state, strict=True):
            assert_close(part[lane], end.detach(), "end")
        for name, gradient in want.grads.items():
            assert_close(got.grads[name][lane], gradient, name)
        assert_close(got.dx[lane], want.dx, "dx")
        for part, gradient in zip(got.d_start, want.d_start, strict=True):
            assert_close(part[lane], gradient, "dL/dstart")
        recorded = got.trace.log10_norm()[lane]
        np.testing.assert_allclose(recorded, log10_norms(want.adjoints), atol=1e-5)
        rows = (got.dx_rows.value * 2 ** got.dx_rows.exponent.clamp(min=-1000))[lane].view(T * B, INPUTS)
        assert_close(rows, want.dx, "dx of the record")
    reached = every or truncate in (0, 9)
    assert all(bool((part != 0).any()) == reached for part in got.d_start), "no cut lies before step 0"


@pytest.mark.parametrize("truncate", [0, 3])
@pytest.mark.parametrize("every", [False, True])
@pytest.mark.parametrize("arch", ARCHS)
def test_a_lane_has_the_same_bits_in_every_pack(arch: str, every: bool, truncate: int) -> None:
    whole = run(case(arch, every, 7), truncate)
    for lanes in (1, 2):
        part = run(case(arch, every, lanes), truncate)
        pairs = zip(part.end + part.d_start, whole.end + whole.d_start, strict=True)
        for few, many in [*pairs, (part.h, whole.h), (part.dx, whole.dx), (part.trace.norms, whole.trace.norms),
                          *((part.grads[name], whole.grads[name]) for name in part.grads)]:  # fmt: skip
            assert few.numpy().tobytes() == many[:lanes].numpy().tobytes()


@pytest.mark.parametrize("arch", ARCHS)
def test_two_halves_are_the_whole(arch: str) -> None:
    """From the end of the first four steps, the other five have the bits of one pass; without a start it is zeros."""
    given, rows = case(arch, every=False, lanes=2), 4 * B
    first, second = (build(arch, Sizes(2, t, B, INPUTS, H), "native") for t in (4, 5))
    whole = run(given)
    first.forward(given.p, given.x[:, :rows], start=given.start)
    later = second.forward(given.p, given.x[:, rows:], start=first.end())
    assert torch.equal(later, whole.h[:, 4:])
    assert all(torch.equal(one, other) for one, other in zip(second.end(), whole.end, strict=True))
    nothing = tuple(torch.zeros_like(part) for part in given.start)
    from_zeros = first.forward(given.p, given.x[:, :rows], start=nothing).clone()
    first.forward(given.p, given.x[:, :rows], start=given.start)
    assert torch.equal(first.forward(given.p, given.x[:, :rows]), from_zeros)


@pytest.mark.parametrize("arch", ARCHS)
def test_where_nothing_reaches_the_start_its_gradient_is_zero(arch: str) -> None:
    """The backward pass stops early there; what it writes is nan before."""
    given = case(arch, every=False)
    for each, truncate in ((given, 2), (given._replace(dy=torch.zeros_like(given.dy)), 0)):
        assert all(bool((part == 0).all()) for part in run(each, truncate).d_start)


@pytest.mark.parametrize("arch", ARCHS)
def test_to_ask_for_the_start_changes_no_gradient(arch: str) -> None:
    given = case(arch, every=True)
    recurrence = build(arch, Sizes(7, T, B, INPUTS, H), "native")
    recurrence.forward(given.p, given.x, start=given.start)
    grads = {name: torch.zeros_like(value) for name, value in given.p.items()}
    recurrence.backward(given.p, given.x, given.dy.clone(), grads)
    for name, value in run(given).grads.items():
        assert torch.equal(value, grads[name])


@pytest.mark.parametrize(("arch", "size"), [("rnn_tanh", 20.0), ("lstm", 25.0), ("gru", 20.0)])
def test_the_record_from_a_saturated_start(arch: str, size: float) -> None:
    """States of 25 whose tanh is 1 in float32: the record follows them from the start, not from zero."""
    given = case(arch, every=False, lanes=2, size=size)
    blocks = given.p["bias"].chunk(GATES.get(arch, 1), -1)
    if arch != "rnn_tanh":
        blocks[1].add_(6.0)  # the forget gate, and what the GRU keeps of h
    recorded, zero = run(given).trace, run(given._replace(start=tuple(0 * part for part in given.start))).trace
    for lane in range(2):
        want = log10_norms(truth(given, lane).adjoints)
        np.testing.assert_allclose(recorded.log10_norm()[lane], want, atol=2e-4)
        assert abs(zero.log10_norm()[lane] - want).max() > 0.05


def test_the_record_of_a_relu_network_that_fades_from_its_start() -> None:
    """Only the start drives it; its states fall below float32's range, where its units stay active."""
    given = case("rnn_relu", every=False, lanes=2, size=1e-12)
    for name in ("weight_ih", "bias"):
        given.p[name].zero_()
    given.p["weight_hh"].mul_(1e-4)
    got = run(given)
    assert (got.h[:, -1] == 0).all() or got.h[:, -1].abs().max() < 1e-38
    for lane in range(2):
        want = log10_norms(truth(given, lane).adjoints)
        assert np.isfinite(want).all()
        np.testing.assert_allclose(got.trace.log10_norm()[lane], want, atol=1e-4)
