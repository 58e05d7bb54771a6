"""Markov models of a text with Witten-Bell smoothing (1991), interpolated over orders: baselines of language models.

With h the n - 1 symbols before, h' all but the first of them, N(h) how often h was followed by any symbol and D(h) by
how many different ones,

    p_n(c | h) = (N(h c) + D(h) p_{n-1}(c | h')) / (N(h) + D(h)),    p_0 = 1 / V,

and p_n = p_{n-1} where h was never seen. n = 1 is the smoothed frequency of each symbol, n = 2 a Markov chain.
"""

from __future__ import annotations

import numpy as np


class NGrams:
    """Counts of all n-grams of a text up to an order.

    Args:
        codes: the text, int64 `[n]`, from 0 to V - 1; V**order must be below 2**63.
        symbols: V.
        order: the largest n.
    """

    def __init__(self, codes: np.ndarray, symbols: int, order: int) -> None:
        if symbols**order >= 2**63:
            raise ValueError(f"{symbols} symbols, order {order}: the codes of n-grams do not fit into 63 bits")
        self.symbols, self.order = symbols, order
        self.grams = [np.unique(windows(codes, n, symbols), return_counts=True) for n in range(1, order + 1)]
        self.contexts = [self._contexts(*each) for each in self.grams]

    def _contexts(self, grams: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Each context, N and D of it."""
        contexts, first = np.unique(grams // self.symbols, return_index=True)
        return contexts, np.add.reduceat(counts, first), np.diff(np.append(first, len(grams)))

    def probabilities(self, codes: np.ndarray, order: int | None = None) -> np.ndarray:
        """p(c | what is before it) of every symbol of a text, float64 `[n]`; the first ones have less before them.

        Args:
            order: n, at most that of the counts; None: that.
        """
        p = np.full(len(codes), 1 / self.symbols)
        for n in range(1, (self.order if order is None else order) + 1):
            grams = windows(codes, n, self.symbols)
            (known, counts), (contexts, followed, different) = self.grams[n - 1], self.contexts[n - 1]
            count = _lookup(known, counts, grams)
            times, kinds = (_lookup(contexts, each, grams // self.symbols) for each in (followed, different))
            seen, at = times > 0, p[n - 1 :]
            at[seen] = (count[seen] + kinds[seen] * at[seen]) / (times[seen] + kinds[seen])
        return p


def windows(codes: np.ndarray, n: int, symbols: int) -> np.ndarray:
    """A number for each n-gram of a text, `[len - n + 1]`; divided by `symbols` it is that of its context."""
    out = np.zeros(max(0, len(codes) - n + 1), dtype=np.int64)
    for k in range(n):
        out = out * symbols + codes[k : k + len(out)]
    return out


def _lookup(keys: np.ndarray, values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The value of each key, 0 for one that is not there; `keys` ascend."""
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[at] == wanted, values[at], 0)
