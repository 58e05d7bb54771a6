"""The exact gradient of cross entropy for any logits, the shares of weighted answers, and which answer is the last."""

from __future__ import annotations

import mpmath
import pytest
import torch

from sweeps.engine.losses import exact_cross_entropy, last_answer, share


@pytest.mark.parametrize("logits", [(0.3, -1.2, 0.4), (50.0, 0.0, -50.0), (900.0, -900.0, 3.0), (3e8, 1.0, -2e8)])
@pytest.mark.parametrize("right", [0, 1, 2])
def test_exact_gradient_against_many_digits(logits: tuple[float, ...], right: int) -> None:
    rows = exact_cross_entropy(torch.tensor([[logits]], dtype=torch.float64), torch.tensor([[right]]))
    with mpmath.workdps(60):
        powers = [mpmath.e ** (mpmath.mpf(each) - max(logits)) for each in logits]
        p = [each / sum(powers) for each in powers]
        wrong = [0 if n == right else each for n, each in enumerate(p)]
        want = [-sum(wrong) if n == right else each for n, each in enumerate(wrong)]
        exponent = mpmath.mpf(2) ** int(rows.exponent[0, 0, 0])
        for got, exact in zip(rows.value[0, 0].tolist(), want, strict=True):
            if max(map(abs, want)) * mpmath.mpf(10) ** -300 < abs(exact):  # else it is lost beside the row's largest
                # the exponent of exp(x) is x itself: of x = 3e8 float64 keeps 8 digits behind the point
                assert abs(mpmath.mpf(got) * exponent / exact - 1) < 1e-13 * (1 + max(map(abs, logits)))


def test_logits_beyond_all_digits_give_no_nan() -> None:
    rows = exact_cross_entropy(torch.tensor([[[1e29, -1e29, 0.0]]], dtype=torch.float64), torch.tensor([[0]]))
    assert rows.value.isfinite().all() and rows.exponent.isfinite().all()
    assert float(rows.exponent) == pytest.approx(-1e29 / 0.6931471805599453)
    assert rows.value.flatten().tolist() == [-1.0, 0.0, 1.0]


def test_shares_make_a_mean_the_weighted_mean() -> None:
    weights = torch.tensor([[1.0, 0.0, 3.0, 0.0], [2.0, 2.0, 2.0, 2.0]])
    loss = torch.tensor([[5.0, 7.0, 1.0, 9.0], [1.0, 2.0, 3.0, 4.0]])
    assert (loss * share(weights)).mean(1).tolist() == [2.0, 2.5]


def test_the_last_answer_is_found_for_each_sequence() -> None:
    weights = torch.tensor([[[1.0, 0.0, 2.0], [0.5, 1.0, 0.0], [0.0, 3.0, 0.0]]])  # [K, T, B]
    like = torch.zeros(1, 9, 4, dtype=torch.float64)
    assert last_answer(weights.flatten(1), like, 3).view(3, 3).tolist() == [[0, 0, 1], [1, 0, 0], [0, 1, 0]]
    assert last_answer(None, like, 3).view(3, 3).tolist() == [[0, 0, 0], [0, 0, 0], [1, 1, 1]]
