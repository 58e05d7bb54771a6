"""Numbers that introductory texts print, computed by hand (experiments/textbook/README.md shows them)."""

from __future__ import annotations

from fractions import Fraction
from math import exp
from pathlib import Path

import numpy as np
import pytest
import torch

from sweeps import textbook
from sweeps.config.places import EXPERIMENTS
from sweeps.engine.architectures import architecture
from sweeps.engine.reference import states

README = (Path(EXPERIMENTS) / "textbook" / "README.md").read_text()

X = [[0.2, 0.5, 0.1, 0.8], [0.9, 0.7, 0.3, 0.6], [0.4, 0.2, 0.9, 0.5]]
U = [[0.5, 0.3, 0.2, 0.1], [0.4, 0.6, 0.3, 0.5], [0.2, 0.4, 0.7, 0.3]]
W = [[0.8, 0.2, 0.5], [0.3, 0.9, 0.4], [0.6, 0.5, 0.7]]
V = [[0.7, 0.4, 0.6], [0.3, 0.8, 0.5]]
"""The worked forward pass of three words, column vectors: h = tanh(U x + W h + 0.1), o = V h."""


@pytest.mark.parametrize(
    ("power", "printed"),
    [
        ((101, 100, 100), "2.70"),
        ((99, 100, 100), "0.366"),
        ((9, 10, 50), "0.00515"),
        ((8, 10, 100), "2.04e-10"),
        ((11, 10, 50), "117"),
        ((12, 10, 100), "8.28e+07"),
        ((1, 4, 10), "9.54e-07"),
    ],
)
def test_powers(power: tuple[int, int, int], printed: str) -> None:
    top, bottom, exponent = power
    exact = Fraction(top, bottom) ** exponent
    assert f"{float(exact):.3g}" == f"{float(printed):.3g}"
    assert f"| {printed} |" in README


def by_hand() -> tuple[list[list[float]], list[list[float]]]:
    """States and answers, in plain Python: tanh by its exponentials."""
    h, hs, ys = [0.0] * 3, [], []
    for x in X:
        a = [sum(u * v for u, v in zip(U[i], x, strict=True)) + sum(w * v for w, v in zip(W[i], h, strict=True)) + 0.1
             for i in range(3)]  # fmt: skip
        h = [(exp(2 * each) - 1) / (exp(2 * each) + 1) for each in a]
        o = [sum(v * each for v, each in zip(row, h, strict=True)) for row in V]
        hs.append(h)
        ys.append([exp(each) / sum(map(exp, o)) for each in o])
    return hs, ys


def test_the_worked_forward_pass_ends_at_the_other_class() -> None:
    hs, ys = by_hand()
    x = torch.tensor(X, dtype=torch.float64)[None, :, None]  # one lane, one sequence
    p = {"weight_ih": U, "weight_hh": W, "bias": [0.1] * 3}
    weights = {name: torch.tensor(value, dtype=torch.float64).T[None] for name, value in p.items() if name != "bias"}
    weights["bias"] = torch.tensor([p["bias"]], dtype=torch.float64)
    engine = torch.stack(states(architecture("rnn_tanh"), weights, x, 3))[:, 0, 0]
    np.testing.assert_allclose(engine, hs, rtol=1e-12)
    loop, _ = textbook.forward(
        textbook.Weights(np.array(U).T, np.array(W).T, np.full(3, 0.1), np.array(V).T, np.zeros(2)),
        np.array(X)[:, None],
    )
    np.testing.assert_allclose(loop[:, 0], hs, rtol=1e-12)
    printed = ", ".join(f"({a:.2f}, {b:.2f})" for a, b in ys)
    assert printed in README
    assert ys[-1][0] > ys[-1][1], "the first class, where the text prints (.45, .55)"


def test_the_number_of_parameters_does_not_know_the_length() -> None:
    """n_x n_h + n_h^2 + n_h n_y + n_h + n_y of (100, 256, 10)."""
    shapes = architecture("rnn_tanh").parameters_with(100, 256, {})
    count = sum(int(np.prod(each.shape)) for each in shapes.values()) + 256 * 10 + 10
    assert count == 100 * 256 + 256**2 + 256 * 10 + 256 + 10 == 93_962
    assert "93,962" in README
