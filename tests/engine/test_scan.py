"""Scans against the loop that they replace: states, gradients, the record; and what no loop is needed to know."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from helpers import make_cell
from sweeps.check import checked
from sweeps.config.command_line import load
from sweeps.config.compose import Composer
from sweeps.engine.architectures import architecture, registered
from sweeps.engine.recurrences.scan import in_pieces, in_turn, scan
from sweeps.engine.setup import set_up
from sweeps.engine.train import prepare_process
from sweeps.engine.update import Update
from sweeps.errors import ConfigError

LINEAR = [name for name in registered() if architecture(name).linear is not None]


@pytest.mark.parametrize("length", [1, 2, 3, 7, 16, 31, 200])
@pytest.mark.parametrize("parts", [1, 2])
def test_a_scan_is_its_loop(length: int, parts: int) -> None:
    rng = torch.Generator().manual_seed(length)

    def drawn(*shape: int) -> Tensor:
        return torch.randn(2, *shape, generator=rng, dtype=torch.float64)

    a = tuple(drawn(length, 3, 6 // parts) for _ in range(parts))
    b, start = drawn(length, 3, 6), drawn(3, 6)
    h, want = start, []
    for t in range(length):
        if parts == 1:
            h = a[0][:, t] * h + b[:, t]
        else:
            product = torch.complex(a[0][:, t], a[1][:, t]) * torch.complex(h[..., :3], h[..., 3:])
            h = torch.cat([product.real, product.imag], -1) + b[:, t]
        want.append(h)
    torch.testing.assert_close(in_pieces(a, b, start), torch.stack(want, 1))
    back = b.flip(1)
    scan(tuple(each.flip(1) for each in a), back, start, backwards=True)
    torch.testing.assert_close(back.flip(1), torch.stack(want, 1))
    in_turn(a, b, start)
    torch.testing.assert_close(b, torch.stack(want, 1))


NETWORKS: list[tuple[str, ...]] = [
    (),
    ("train.truncate=4", "stack.start=learned"),
    ("stack.layers=2", "stack.bidirectional=true", "task=copy", "task.length=7"),
    ("task=binary_sum_variable", "task.length=12", "stack.start=random"),
]


@pytest.mark.parametrize("arch", LINEAR)
@pytest.mark.parametrize("network", NETWORKS, ids=" ".join)
def test_states_gradients_and_record_are_those_of_the_definition(arch: str, network: tuple[str, ...]) -> None:
    """`executor.kernel=reference` runs the time step, one after the other."""
    prepare_process()
    cells = [make_cell(f"arch={arch}", "task.length=13", "arch.hidden=6", f"seed={seed}", *network) for seed in (0, 1)]
    found = []
    for kernel in ("torch", "reference"):
        training = set_up(cells, kernel)
        with torch.no_grad():
            update = Update(training)
            loss, norm = update.backward(traced=True)
            last, total = update.log10_norm()
        found.append((loss, norm, training.network.grads.flat.clone(), last, total))
    (loss, norm, grads, last, total), reference = found
    np.testing.assert_allclose(loss, reference[0], rtol=1e-6)
    np.testing.assert_allclose(norm, reference[1], rtol=1e-5)
    torch.testing.assert_close(grads, reference[2], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(last, reference[3], rtol=0, atol=1e-5)
    assert (total is None) == (reference[4] is None)
    if total is not None and reference[4] is not None:
        np.testing.assert_allclose(total, reference[4], rtol=0, atol=1e-5)


def test_a_linear_unit_fades_by_its_eigenvalue_far_beyond_float32() -> None:
    """All of one modulus r: ||dL/dh_t|| is r^lag of the last, whatever the angles; 10^-155 after 500 steps."""
    radius = 0.49
    training = set_up([make_cell("arch=lru", "task.length=500", "arch.hidden=8", "train.batch=2")])
    training.network.p["nu"].fill_(math.log(-math.log(radius)))
    with torch.no_grad():
        update = Update(training)
        update.backward(traced=True)
        record = update.log10_norm()[0][0, 0]
    lag = np.arange(499, -1, -1)
    float32 = float(training.network.p["nu"][0, 0].double().exp().neg().exp())
    np.testing.assert_allclose(record - record[-1], lag * math.log10(float32), rtol=1e-9)
    assert record[0] < -150


def test_a_gate_that_sees_no_state_multiplies_the_gradient() -> None:
    """minGRU: dh_T/dh_t is the product of 1 - z between them (Feng et al. 2024), here of one constant gate."""
    for bias in (-3.0, 2.0):
        training = set_up([make_cell("arch=mingru", "task.length=40", "arch.hidden=8", "train.batch=2")])
        training.network.p["weight_ih"][..., :8] = 0
        training.network.p["bias"][..., :8] = bias
        with torch.no_grad():
            update = Update(training)
            update.backward(traced=True)
            record = update.log10_norm()[0][0, 0]
        np.testing.assert_allclose(np.diff(record), math.log10(1 + math.exp(bias)), rtol=1e-6)


def test_the_ring_has_the_moduli_and_angles_of_its_source() -> None:
    """|lambda|^2 uniform between r_min^2 and r_max^2, the angle between 0 and max_phase; gamma normalises the state.

    For white inputs E |s|^2 = sum over j of |B_j|^2: the mean of 1 / (1 - |lambda|^2), which Orvieto et al. give for
    gamma = 1, is what gamma takes away.
    """
    training = set_up(
        [make_cell("arch=lru", "arch.hidden=2000", "arch.r_min=0.5", "arch.r_max=0.9", "arch.max_phase=1")]
    )
    p = training.network.p
    modulus = (-p["nu"][0].double().exp()).exp()
    angle = p["theta"][0].double().exp()
    squares = np.sort(((modulus**2 - 0.25) / (0.81 - 0.25)).numpy())
    for values in (squares, np.sort(angle.numpy())):
        assert np.abs(values - (np.arange(1000) + 0.5) / 1000).max() < 1.63 / math.sqrt(1000), "Kolmogorov's 1%"
    p["weight_ih"].fill_(1.0)
    x = torch.randn(1, 4000, 1, p["weight_ih"].shape[1], generator=torch.Generator().manual_seed(0))
    a, b = architecture("lru").linear(p, x)  # type: ignore[misc]
    scan(tuple(each.expand(1, 4000, 1, 1000) for each in a), b, torch.zeros(1, 1, 2000))
    power = b[:, 100:].square().mean() / (x.shape[-1] * 1.0)
    assert power == pytest.approx(1.0, rel=0.05)


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (("arch.hidden=7",), "arch.hidden: given 7, must be even"),
        (("arch.r_min=0.9", "arch.r_max=0.5"), "must be 0 <= r_min < r_max <= 1"),
        (("arch.max_phase=7",), "arch.max_phase: given 7, must be above 0 and at most 2 pi"),
    ],
)
def test_what_is_no_ring_is_told_before_training(overrides: tuple[str, ...], said: str) -> None:
    with pytest.raises(ConfigError, match=said.replace(".", r"\.")):
        checked([["arch=lru", *overrides]], Composer(load))


def test_those_that_ship_are_tried() -> None:
    assert {"lru", "mingru", "minlstm"} <= set(LINEAR)
