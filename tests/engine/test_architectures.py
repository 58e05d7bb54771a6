"""What makes each architecture itself: a limit in which it is another one, an invariant, a closed form."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from helpers import make_cell
from sweeps.engine.architectures import architecture
from sweeps.engine.recurrences import Sizes, build
from sweeps.engine.reference import states
from sweeps.engine.setup import set_up
from sweeps.engine.update import Update

K, T, B, H = 2, 12, 3, 6
INPUTS = 4


def drawn(arch: str, scale: float = 0.7, **options: Any) -> dict[str, Tensor]:
    rng = torch.Generator().manual_seed(3)
    shapes = {name: each.shape for name, each in architecture(arch).parameters_with(INPUTS, H, options).items()}
    return {name: scale * torch.randn(K, *shape, generator=rng, dtype=torch.float64) for name, shape in shapes.items()}


def inputs() -> Tensor:
    return torch.randn(K, T, B, INPUTS, generator=torch.Generator().manual_seed(5), dtype=torch.float64)


def ran(arch: str, p: dict[str, Tensor], x: Tensor | None = None, **options: Any) -> Tensor:
    """h_t, [T, K, B, H]."""
    return torch.stack(states(architecture(arch), p, inputs() if x is None else x, H, **options))


def test_a_leak_of_1_is_the_tanh_network_and_a_small_one_slows_it() -> None:
    p = drawn("rnn_leaky")
    torch.testing.assert_close(ran("rnn_leaky", p, leak=1.0), ran("rnn_tanh", p))
    p = {name: 0 * value for name, value in p.items()} | {"bias": torch.ones(K, H, dtype=torch.float64)}
    steps = 1 - 0.9 ** torch.arange(1, T + 1, dtype=torch.float64)  # towards tanh(1), a tenth of the rest at a time
    torch.testing.assert_close(ran("rnn_leaky", p, leak=0.1)[:, 0, 0, 0], math.tanh(1) * steps)


def test_a_sigmoid_network_is_a_tanh_network_of_half_the_argument() -> None:
    """sigmoid(a) = (1 + tanh(a / 2)) / 2, so s = 2 h - 1 obeys a tanh network whose bias has the mean of h W."""
    p = drawn("rnn_sigmoid")
    w = p["weight_hh"]
    halved = {"weight_hh": w / 4, "weight_ih": p["weight_ih"] / 2, "bias": p["bias"] / 2 + w.sum(1) / 4}
    step, x = architecture("rnn_tanh").step_with({}), inputs()
    state: tuple[Tensor, ...] = (-torch.ones(K, B, H, dtype=torch.float64),)
    out = []
    for x_t in x.unbind(1):
        state = step(halved, x_t, state)
        out.append((1 + state[0]) / 2)
    torch.testing.assert_close(torch.stack(out), ran("rnn_sigmoid", p))


def test_the_state_of_a_linear_network_is_the_sum_of_what_was_read_each_moved_by_a_power_of_w() -> None:
    """h_t = sum_s relu(x_s U + b) W^(t-s), by matrix powers instead of steps."""
    p = drawn("rnn_linear")
    read = (inputs() @ p["weight_ih"].unsqueeze(1) + p["bias"][:, None, None]).clamp(min=0)
    moved = [read[:, s] @ torch.linalg.matrix_power(p["weight_hh"], T - 1 - s) for s in range(T)]
    torch.testing.assert_close(ran("rnn_linear", p)[-1], torch.stack(moved).sum(0))


def test_a_residual_network_begins_nearly_as_the_identity() -> None:
    made = architecture("rnn_residual").parameters_with(INPUTS, H, {})["scale"]
    alpha, beta = (1 / (1 + math.exp(-made.values[name])) for name in made.blocks)
    assert (round(alpha, 3), round(beta, 3)) == (0.047, 0.953)
    p = drawn("rnn_residual")
    p["scale"] = torch.tensor([[60.0, -800.0]] * K, dtype=torch.float64)
    torch.testing.assert_close(ran("rnn_residual", p), ran("rnn_tanh", p))


@pytest.mark.parametrize("gamma", [0.0, 0.15])
def test_a_step_of_an_antisymmetric_network_turns(gamma: float) -> None:
    """At h = 0 the eigenvalues of its Jacobian are 1 + epsilon (i omega - gamma), i omega those of W - W^T."""
    p = drawn("rnn_antisymmetric", with_gate=False) | {"bias": torch.zeros(K, H, dtype=torch.float64)}
    options: dict[str, Any] = {"epsilon": 0.1, "gamma": gamma, "with_gate": False}
    x = torch.zeros(K, 1, INPUTS, dtype=torch.float64)

    def one(h: Tensor) -> Tensor:
        found: Tensor = architecture("rnn_antisymmetric").step_with(options)(p, x, (h.expand(K, 1, H),))[0][0, 0]
        return found

    jacobian = torch.autograd.functional.jacobian(one, torch.zeros(H, dtype=torch.float64))
    w = p["weight_hh"][0]
    omega = torch.linalg.eigvalsh(1j * (w - w.T))
    assert isinstance(jacobian, Tensor)
    want = (1 + 0.1 * torch.complex(torch.full_like(omega, -gamma), omega)).abs().sort().values
    torch.testing.assert_close(torch.linalg.eigvals(jacobian).abs().sort().values, want)
    if not gamma:
        assert want.min() >= 1, "without diffusion the method of Euler spirals outwards"


def test_the_gate_of_an_antisymmetric_network_is_half_open_at_0() -> None:
    """Zeros for what the gate reads, W included: half the step."""
    p = drawn("rnn_antisymmetric", with_gate=True)
    p["weight_hh"].zero_()
    for name in ("weight_ih", "bias"):
        p[name][..., H:] = 0
    plain = {"weight_hh": p["weight_hh"], "weight_ih": p["weight_ih"][..., :H], "bias": p["bias"][..., :H]}
    gated = ran("rnn_antisymmetric", p, epsilon=0.2, gamma=0.0, with_gate=True)
    torch.testing.assert_close(gated, ran("rnn_antisymmetric", plain, epsilon=0.1, gamma=0.0, with_gate=False))


def test_an_oscillator_without_weights_swings_with_its_frequency_and_its_damping() -> None:
    """y'' = tanh(b) - gamma y - epsilon y': after 40 time units at rest at tanh(b) / gamma, on the way as in theory."""
    p = {name: 0 * value for name, value in drawn("cornn").items()} | {"bias": torch.ones(K, H, dtype=torch.float64)}
    gamma, epsilon, dt = 4.0, 0.5, 1e-3
    y = ran("cornn", p, torch.zeros(K, 4000, B, INPUTS, dtype=torch.float64), dt=dt, gamma=gamma, epsilon=epsilon)[
        :, 0, 0, 0
    ]
    t = dt * torch.arange(1, 4001, dtype=torch.float64)
    decay, omega = epsilon / 2, math.sqrt(gamma - epsilon**2 / 4)
    want = (math.tanh(1) / gamma) * (1 - (-decay * t).exp() * ((omega * t).cos() + decay / omega * (omega * t).sin()))
    torch.testing.assert_close(y, want, rtol=0, atol=2e-3 * float(want.max()))


def test_peepholes_of_0_are_none() -> None:
    p = drawn("lstm_peephole")
    without = p | {"peephole": 0 * p["peephole"]}
    torch.testing.assert_close(ran("lstm_peephole", without), ran("lstm", p))
    assert (ran("lstm_peephole", p) - ran("lstm", p)).abs().max() > 0.01


def test_one_gate_keeps_or_takes() -> None:
    """Far below 0 JANET's gate takes the tanh network whole, far above it keeps all; the MGU's the other way round."""
    for arch, taking in (("janet", -60.0), ("mgu", 60.0)):
        options: dict[str, Any] = {"beta": 0.0} if arch == "janet" else {}
        p = drawn(arch)
        p["bias"][:, :H] = taking
        tanh = {name: value[..., H:] for name, value in p.items()}
        torch.testing.assert_close(ran(arch, p, **options), ran("rnn_tanh", tanh))
        p["bias"][:, :H] = -taking
        assert ran(arch, p, **options).abs().max() < 1e-15
    p = drawn("janet")
    p["weight_ih"].zero_(), p["weight_hh"].zero_()
    f, n = p["bias"].sigmoid()[:, :H], p["bias"][:, H:].tanh()
    first = ran("janet", p, beta=1.5)[0]
    torch.testing.assert_close(first[:, 0], (1 - (p["bias"][:, :H] - 1.5).sigmoid()) * n)
    assert (first[:, 0] - (1 - f) * n).abs().max() > 0.01, "beta counts"


@pytest.mark.parametrize("arch", ["rnn_layernorm", "lstm_layernorm"])
def test_a_normalised_sum_forgets_scale_and_mean(arch: str) -> None:
    p = drawn(arch, scale=30.0)
    p |= {name: value / 30 for name, value in p.items() if "weight" not in name}
    other = dict(p)
    for name in ("weight_ih", "weight_hh"):
        other[name] = 2 * p[name] + torch.randn(K, p[name].shape[1], 1, dtype=torch.float64)  # to all units alike
    torch.testing.assert_close(ran(arch, other), ran(arch, p), rtol=0, atol=1e-3)


def test_the_normaliser_of_an_slstm_cancels_what_all_inputs_share() -> None:
    """A constant in every i changes nothing, not even one whose exp float64 cannot hold."""
    for exponential in (False, True):
        p = drawn("slstm")
        x = inputs()
        want = ran("slstm", p, x, exponential=exponential)
        for constant in (-2000.0, -3.0, 50.0, 2000.0):
            moved = p | {"bias": p["bias"] + constant * torch.eye(4, dtype=torch.float64)[0].repeat_interleave(H)}
            torch.testing.assert_close(ran("slstm", moved, x, exponential=exponential), want)
        c, n, h = (torch.zeros(K, B, H, dtype=torch.float64) for _ in range(3))
        for t, x_t in enumerate(x.unbind(1)):
            a = x_t @ p["weight_ih"] + h @ p["weight_hh"] + p["bias"][:, None]
            i, f, o, z = a.chunk(4, -1)
            keep = f.exp() if exponential else f.sigmoid()
            c, n = keep * c + i.exp() * z.tanh(), keep * n + i.exp()
            h = o.sigmoid() * c / n
            torch.testing.assert_close(want[t], h)


def test_an_slstm_reads_a_first_input_that_its_gate_hardly_lets_in() -> None:
    """h_0 = o z whatever i is: n_0 is i itself, far below float32's range, too, where f holds nothing."""
    p = {name: value.float() for name, value in drawn("slstm").items()}
    x = inputs().float()
    o, z = (p["bias"][:, None] + x[:, 0] @ p["weight_ih"]).chunk(4, -1)[2:]
    for constant in (-60.0, -87.0, -300.0):
        moved = p | {"bias": p["bias"] + constant * torch.eye(4)[0].repeat_interleave(H)}
        for exponential in (False, True):
            h = ran("slstm", moved, x, exponential=exponential)
            torch.testing.assert_close(h[0], o.sigmoid() * z.tanh())
            torch.testing.assert_close(h, ran("slstm", p, x, exponential=exponential), rtol=1e-4, atol=1e-5)


def test_the_matrices_of_two_units_turn_by_the_angle_and_by_the_one_of_its_tangent() -> None:
    """A = [[0, w], [-w, 0]]: exp(A) turns by w, Cayley's transform by 2 atan(w / 2)."""
    w = torch.tensor([0.3, 2.5], dtype=torch.float64)
    p = {"weight_hh": w[:, None, None] * torch.tensor([[0.0, 1.0], [0.0, 0.0]], dtype=torch.float64)}
    for cayley, angle in ((False, w), (True, 2 * (w / 2).atan())):
        q = architecture("rnn_orthogonal").prepare_with({"cayley": cayley})(p)["weight_hh"]
        want = torch.stack([angle.cos(), angle.sin(), -angle.sin(), angle.cos()], -1).view(2, 2, 2)
        torch.testing.assert_close(q, want)


@pytest.mark.parametrize("cayley", [False, True])
def test_an_orthogonal_network_of_tanh_is_a_tanh_network_gradient_included(cayley: bool) -> None:
    """In float32 by the recurrence, against the tanh network with its matrix, in float64 by autograd."""
    options: dict[str, Any] = {"cayley": cayley, "modrelu": False}
    p, x = drawn("rnn_orthogonal"), inputs()
    given = torch.randn(K, B, H, generator=torch.Generator().manual_seed(7), dtype=torch.float64)
    leaves = {name: value.requires_grad_() for name, value in p.items()}
    a = leaves["weight_hh"] - leaves["weight_hh"].mT
    one = torch.eye(H, dtype=torch.float64)
    q = torch.linalg.solve(one - a / 2, one + a / 2) if cayley else torch.linalg.matrix_exp(a)
    h = ran("rnn_tanh", {**leaves, "weight_hh": q}, x)[-1]
    want = dict(zip(leaves, torch.autograd.grad(h, [*leaves.values()], given), strict=True))
    recurrence = build("rnn_orthogonal", Sizes(K, T, B, INPUTS, H), options=options)
    single = {name: value.detach().float() for name, value in p.items()}
    grads = {name: torch.empty_like(value) for name, value in single.items()}
    read = x.flatten(1, 2).float()
    torch.testing.assert_close(recurrence.forward(single, read)[:, -1], h.detach().float(), rtol=1e-4, atol=1e-5)
    recurrence.backward(single, read, given.float(), grads)
    for name in p:
        scale = float(want[name].abs().max())
        torch.testing.assert_close(grads[name], want[name].float(), rtol=0, atol=1e-4 * scale)


@pytest.mark.parametrize("cayley", [False, True])
def test_the_matrix_of_an_orthogonal_network_stays_orthogonal_while_it_learns(cayley: bool) -> None:
    """After 500 updates at a high rate, and W far from where it began; the gradient of active units keeps its norm."""
    options: dict[str, Any] = {"cayley": cayley, "modrelu": True}
    cell = make_cell(
        "arch=rnn_orthogonal", f"arch.cayley={cayley}", "task=adding", "task.length=4", "arch.hidden=8", "optim.lr=0.03"
    )
    made = architecture("rnn_orthogonal")
    prepare, step = made.prepare_with(options), made.step_with(options)
    training = set_up([cell])
    before = training.network.p["weight_hh"].clone()
    with torch.no_grad():
        update = Update(training)
        for _ in range(500):
            update.backward()
            update.clip()
            update.apply()
    assert (training.network.p["weight_hh"] - before).norm() > 1
    q = prepare(dict(training.network.p))["weight_hh"][0]
    assert (q @ q.T - torch.eye(8)).abs().max() < 1e-5
    p = drawn("rnn_orthogonal") | {"bias": torch.full((K, H), 1e-3, dtype=torch.float64)}  # |a| + b > 0 everywhere
    h = torch.randn(K, B, H, dtype=torch.float64, requires_grad=True)
    given, x = torch.randn(K, B, H, dtype=torch.float64), inputs()[:, 0]
    [found] = torch.autograd.grad(step(prepare(p), x, (h,))[0], h, given)
    torch.testing.assert_close(found.norm(dim=-1), given.norm(dim=-1))
