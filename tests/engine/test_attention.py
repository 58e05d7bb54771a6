"""What attention and the joint of an encoder and a decoder record, in many digits; and what attention is.

Shares far below float64's range, and a gradient that has faded below it where it enters the source, come from a
textbook's backward pass, which uses none of the engine's states or functions.
"""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import torch
from torch import Tensor

from engine.truth import LONG, MANY, Array, Digits, Truth
from sweeps.config.schema import Stack
from sweeps.engine.adjoint import Trace
from sweeps.engine.attention import Attention, shares
from sweeps.engine.network import Network
from sweeps.engine.recurrences import Sizes

NAMES = ("weight_ih", "weight_hh", "bias", "bias_hn")


def recorded(network: Network, x: Tensor, y: Tensor) -> np.ndarray:
    sizes = network.sizes
    weights = torch.zeros(1, sizes.length * sizes.batch)
    weights[:, sizes.source * sizes.batch :] = 1
    traces, totals = [Trace(1, sizes.length)], [Trace(1, sizes.length)]
    with torch.no_grad():
        network.through_time(x, y, traces, totals, weights)
    return traces[0].log10_norm()[0]


def by_hand(network: Network, x: Tensor, y: Tensor, d: Digits) -> Array:
    """log10 ||dL/dh_t||, [T], L the loss of the last time step."""
    sizes = network.sizes
    own = {name: value[0].numpy() for name, value in network.p.items()}
    w, b = d.hold(own.pop("weight_out")), d.hold(own.pop("bias_out"))
    ends = ("", "_decoder") if network.stack.kind == "encoder_decoder" else ("", "")
    parts = [Truth(network.arch, {n: own[n + end] for n in NAMES if n + end in own}, d) for end in ends]
    at = [parts[t >= sizes.source] for t in range(sizes.length)]
    zero = d.hold(np.zeros((sizes.batch, sizes.hidden)))
    state, kept = (zero, zero), []
    for t, x_t in enumerate(d.hold(x[0].view(sizes.length, sizes.batch, -1).numpy())):
        after, more = at[t].forward(t, x_t, *state)
        kept.append((*state, after[1], *more))
        state = after
    h, above = state[0], {}
    target = y[0].view(sizes.length, sizes.batch)[-1].numpy()
    if network.attention is None:
        dz = d.times(at[0].loss_slope(d.times(h, w) + b, target, network.loss_name), w.T)
        above[sizes.length - 1] = dz
    else:
        e = [kept[s + 1][0] for s in range(sizes.source)]  # the state before the step behind
        scores = np.array([(h * each).sum(1) for each in e])
        weight = d.exp(scores - scores.max(0))
        a = weight / weight.sum(0)
        context = sum(a[s][:, None] * e[s] for s in range(sizes.source))
        outputs = d.times(np.concatenate([h, context], 1), w) + b
        dz = d.times(at[0].loss_slope(outputs, target, network.loss_name), w.T)
        dh, dc = dz[:, : sizes.hidden], dz[:, sizes.hidden :]
        g = np.array([(dc * each).sum(1) for each in e])
        for s in range(sizes.source):
            slope = a[s] * sum(a[r] * (g[s] - g[r]) for r in range(sizes.source))
            above[s] = a[s][:, None] * dc + slope[:, None] * h
            dh = dh + slope[:, None] * e[s]
        above[sizes.length - 1] = dh
    dh, dc, norms = zero, zero, np.empty(sizes.length)
    for t in reversed(range(sizes.length)):
        dh = dh + above.get(t, zero)
        norms[t] = d.log10((dh * dh).sum()) / 2
        back = getattr(at[t], f"back_{network.arch.removeprefix('rnn_')}")
        _, at_h, direct, dc = back(dh, dc, *kept[t])
        dh = d.times(at_h, at[t].p["weight_hh"].T) + direct
    return norms


def network_of(
    arch: str, kernel: str, length: int, source: int, hidden: int, stack: Stack
) -> tuple[Network, Tensor, Tensor]:
    rng = torch.Generator().manual_seed(4)
    network = Network(
        arch, Sizes(1, length, 2, 3, hidden, source=source), 4, "cross_entropy", kernel, stack=stack, every=True
    )
    for name, value in network.p.items():
        value.copy_(torch.randn(value.shape, generator=rng) * (0.1 if "_hh" in name else 0.5))
    x = torch.randn(1, length * 2, 3, generator=rng)
    return network, x, torch.randint(0, 4, (1, length * 2), generator=rng)


@pytest.mark.parametrize("arch", ["rnn_tanh", "lstm", "gru"])
def test_a_gradient_that_has_faded_where_it_enters_the_source(arch: str, any_kernel: str) -> None:
    """Below float64's range the decoder hands over to the encoder what it has, cell state and exponent included."""
    network, x, y = network_of(arch, any_kernel, 320, 20, 6, Stack(kind="encoder_decoder"))
    network.p["weight_hh_decoder"].mul_(0.3)
    if arch == "lstm":
        for name in ("bias", "bias_decoder"):
            network.p[name][..., 6:12].fill_(-4.0)  # the forget gate
    if arch == "gru":
        for name in ("bias", "bias_decoder"):
            network.p[name][..., 6:12].fill_(-5.0)  # the update gate keeps little
    want = by_hand(network, x, y, LONG)
    assert want[19] < -330, "the case must leave float64's range to prove anything"
    np.testing.assert_allclose(recorded(network, x, y), want, atol=4.3e-5)


@pytest.mark.parametrize("arch", ["rnn_tanh", "lstm", "gru"])
def test_attention_is_one_step_to_any_state(arch: str, any_kernel: str) -> None:
    network, x, y = network_of(arch, any_kernel, 204, 200, 6, Stack(kind="encoder_decoder", attention="dot"))
    want = by_hand(network, x, y, LONG)
    assert want.min() > -12, "attention holds up what would have faded"
    np.testing.assert_allclose(recorded(network, x, y), want, atol=4.3e-5)


@pytest.mark.parametrize("kind", ["plain", "encoder_decoder"])
def test_shares_below_the_range_of_float64(kind: str, any_kernel: str) -> None:
    """Relu states of a thousand: what one step of the source holds gets all, of the others' some 10^-400 is left.

    Without recurrent weights there is no other way to them.
    """
    network, x, y = network_of("rnn_relu", any_kernel, 7, 5, 3, Stack(kind=kind, attention="dot"))
    for name, value in network.p.items():
        if "weight_hh" in name or name.startswith("bias"):
            value.zero_()
        if name.startswith("weight_ih"):
            value.copy_(torch.eye(3))
    network.p["weight_out"].mul_(0.01)
    x.abs_()
    x.view(7, 2, 3)[2].add_(30.0)
    x.view(7, 2, 3)[5:].add_(10.0)
    with mpmath.workdps(1200):
        want = by_hand(network, x, y, MANY)
    assert want[0] < -330 < want[2], "the case must leave float64's range to prove anything"
    np.testing.assert_allclose(recorded(network, x, y), want, rtol=1e-6, atol=1e-4)


@pytest.mark.parametrize(
    "gaps", [(0.0, 0.0, 0.0), (0.0, -1.0, 2.0), (0.0, -45.0, -50.0), (-900.0, 0.0, -2000.0), (7.0,)]
)
def test_shares_and_what_is_left_of_the_largest(gaps: tuple[float, ...]) -> None:
    """In 2,000 digits: a_s, and g_s less its mean under a, which is 1e-869 where 1 - a rounds to 0."""
    g = torch.tensor([0.3, -1.7, 0.9], dtype=torch.float64)[: len(gaps)]
    found = shares(torch.tensor(gaps, dtype=torch.float64), g)
    with mpmath.workdps(2000):
        weight = [mpmath.exp(gap) for gap in gaps]
        a = [each / sum(weight) for each in weight]
        mean = sum(one * mpmath.mpf(float(each)) for one, each in zip(a, g, strict=True))
        wanted = (a, [mpmath.mpf(float(each)) - mean for each in g])
        for rows, want in zip(found, wanted, strict=True):
            for value, exponent, each in zip(rows.value, rows.exponent, want, strict=True):
                got = mpmath.mpf(float(value)) * mpmath.mpf(2) ** mpmath.mpf(float(exponent))
                assert abs(got - each) <= mpmath.mpf(1e-12) * abs(each) + (
                    0 if len(gaps) == 3 and min(gaps) < -40 else 1e-15
                )


def test_a_state_that_is_one_of_the_source_finds_it() -> None:
    """Orthogonal states of the source, scaled: the context of a query is the one state that it equals."""
    attention = Attention(Sizes(1, 6, 1, 1, 4, source=4))
    y = torch.zeros(1, 6, 1, 4)
    y[0, :4, 0] = 20 * torch.eye(4)
    y[0, 4, 0], y[0, 5, 0] = y[0, 2, 0], y[0, 1, 0] / 20
    z = attention.forward(y)
    assert torch.equal(z[..., :4], y) and not z[0, :4, :, 4:].any()
    torch.testing.assert_close(z[0, 4, 0, 4:], y[0, 2, 0])
    others = 1 / (np.exp(20) + 3)
    torch.testing.assert_close(z[0, 5, 0, 4:] / 20, torch.tensor([others, 1 - 3 * others, others, others]).float())
