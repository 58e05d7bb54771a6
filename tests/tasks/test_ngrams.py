"""Witten-Bell n-grams: against a plain recursion over dictionaries, as probabilities, on a chain of known entropy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest

from sweeps.tasks.ngrams import NGrams


def by_definition(text: Sequence[int], before: Sequence[int], symbol: int, symbols: int) -> float:
    """p(symbol | before), by the docstring's recursion."""

    def p(context: tuple[int, ...]) -> float:
        followers = Counter(
            text[at + len(context)]
            for at in range(len(text) - len(context))
            if tuple(text[at : at + len(context)]) == context
        )
        lower = p(context[1:]) if context else 1 / symbols
        times, kinds = sum(followers.values()), len(followers)
        return (followers[symbol] + kinds * lower) / (times + kinds) if times else lower

    return p(tuple(before))


@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_agree_with_the_definition(order: int) -> None:
    rng = np.random.default_rng(order)
    text, other = rng.integers(0, 4, 60), rng.integers(0, 5, 40)  # symbol 4 was never seen
    found = NGrams(text, 5, order).probabilities(other)
    for t, got in enumerate(found):
        before = other[max(0, t - order + 1) : t].tolist()
        assert got == pytest.approx(by_definition(text.tolist(), before, int(other[t]), 5), rel=1e-12), t


def test_a_lower_order_is_that_of_its_own_counts() -> None:
    rng = np.random.default_rng(0)
    text, other = rng.integers(0, 6, 500), rng.integers(0, 6, 200)
    np.testing.assert_array_equal(NGrams(text, 6, 4).probabilities(other, 2), NGrams(text, 6, 2).probabilities(other))


def test_probabilities_sum_to_one_over_the_symbols() -> None:
    rng = np.random.default_rng(1)
    model = NGrams(rng.integers(0, 7, 2000), 8, 4)
    for _ in range(50):
        context = rng.integers(0, 8, 3)
        total = sum(model.probabilities(np.append(context, symbol))[-1] for symbol in range(8))
        assert total == pytest.approx(1, rel=1e-12)


def test_a_markov_chain_costs_its_entropy() -> None:
    """Two symbols that stay with 0.9: an order of 2 finds ln 2 -> 0.325 nats, an order of 1 nothing."""
    rng = np.random.default_rng(2)
    chain = np.cumsum(rng.random(200_000) < 0.1) % 2
    model = NGrams(chain[:100_000], 2, 3)
    entropy = -(0.9 * np.log(0.9) + 0.1 * np.log(0.1))
    for order, want in ((1, np.log(2)), (2, entropy), (3, entropy)):
        assert -np.log(model.probabilities(chain[100_000:], order)).mean() == pytest.approx(want, abs=0.005)


def test_too_many_symbols_for_the_order_are_refused() -> None:
    with pytest.raises(ValueError, match="5000 symbols, order 6: the codes of n-grams do not fit"):
        NGrams(np.zeros(10, np.int64), 5000, 6)
