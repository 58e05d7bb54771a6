"""Derivatives of activation functions against many digits, and their products against finite differences."""

from __future__ import annotations

from collections.abc import Callable

import mpmath
import numpy as np
import pytest

from sweeps.theory import activations

Z = np.array([-300.0, -19.0, -0.3, 0.0, 0.7, 19.0, 300.0])


@pytest.mark.parametrize(
    ("phi", "slope"), [("tanh", lambda z: mpmath.sech(z) ** 2), ("sigmoid", lambda z: mpmath.sech(z / 2) ** 2 / 4)]
)
def test_slopes_keep_their_digits_where_units_saturate(phi: str, slope: Callable[[mpmath.mpf], mpmath.mpf]) -> None:
    with mpmath.workdps(50):
        true = [float(slope(mpmath.mpf(z))) for z in Z]
    found = activations.activation(phi)
    assert found.slope(Z) == pytest.approx(true, rel=1e-13, abs=0)
    assert max(true) == found.largest_slope


def test_ten_layers_of_the_logistic_function_leave_a_millionth() -> None:
    assert activations.largest_product("sigmoid", 10) == 0.25**10
    assert list(activations.largest_product("relu", [1, 10])) == [1, 1]
    z = np.random.default_rng(0).normal(size=(10, 50))
    for phi in activations.ACTIVATIONS:
        products = activations.derivative_products(phi, z)
        assert (products <= activations.largest_product(phi, np.arange(1, 11))[:, None]).all()
        assert products[-1] == pytest.approx(np.prod(activations.activation(phi).slope(z), axis=0))
        assert products[0] == pytest.approx(activations.activation(phi).slope(z[0]))


@pytest.mark.parametrize("phi", list(activations.ACTIVATIONS))
def test_the_derivative_of_a_chain_is_a_difference_of_it(phi: str) -> None:
    x, step = np.array([-1.1, 0.4, 2.0]), 1e-6
    _, derivatives = activations.chain(phi, x, 5, weight=1.7)
    high, low = (activations.chain(phi, x + d, 5, weight=1.7)[0] for d in (step, -step))
    assert derivatives == pytest.approx((high - low) / (2 * step), rel=1e-6, abs=1e-12)
    assert derivatives.shape == (5, 3)


def test_what_is_no_activation_is_refused() -> None:
    with pytest.raises(ValueError, match="phi: 'rleu' is not known; did you mean 'relu'"):
        activations.activation("rleu")
    with pytest.raises(ValueError, match="depth: given 0, must be at least 1"):
        activations.chain("tanh", 0.0, 0)
