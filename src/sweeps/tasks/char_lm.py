"""The next character of a text, at every time step (Sutskever, Martens & Hinton 2011).

The text is cut into a training part (90%), a validation and a test part (5% each), in its order. Symbols are the
characters of the training part, one-hot, and one more for any other. Inputs are c_t, targets c_{t+1}; the loss is in
nats, bits per character are loss / ln 2. How it is read:

    stream     B readers at equal distances; a batch has the next T characters of each, and the network goes on in the
               state in which it ended the batch before: truncated back-propagation through time
    windows    T characters from anywhere, from the start state

A part is evaluated in windows of T characters whose last T - T // 2 count, so that each is predicted after at least
T // 2 others. Baselines are Markov models with Witten-Bell smoothing, of the training part: of 1, 2 and 6 characters.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

from sweeps.errors import unknown
from sweeps.tasks.base import Batch, at_least, register
from sweeps.tasks.corpora import text
from sweeps.tasks.ngrams import NGrams
from sweeps.tasks.readers import look_back, passes

PARTS = (0.90, 0.95)
"""Where the validation and the test part begin."""
LISTED = 120
"""Characters of an alphabet that a message lists."""
ORDERS = {"unigram": 1, "Markov": 2, "6-gram": 6}
MOST_KINDS = int(2 ** (63 / max(ORDERS.values()))) - 1
"""Characters of an alphabet whose n-grams, that of any other character among them, `ngrams` can number."""


class Corpus(NamedTuple):
    """A text as numbers.

    Attributes:
        symbols: the characters of the training part in order; the number after the last stands for any other.
        codes: int64 `[n]`.
        ends: where the training, the validation and the test part end.
    """

    symbols: str
    codes: np.ndarray
    ends: tuple[int, int, int]


@cache
def corpus_of(corpus: str, path: str, only: str) -> Corpus:
    """The text that these settings mean.

    Raises:
        ValueError: as for `corpora.text`; or it has more kinds of characters than `MOST_KINDS`.
    """
    found = text(corpus, path, only)
    first, second = (round(len(found) * part) for part in PARTS)
    symbols = "".join(sorted(set(found[:first])))
    if len(symbols) > MOST_KINDS:
        where = f"task.path: given {path!r}" if path else f"task.corpus: given {corpus!r}"
        raise ValueError(
            f"{where}, {len(symbols)} kinds of characters in the training part; must be at most {MOST_KINDS} "
            "(task.filter=letters keeps ASCII letters, blanks and .,!? alone)"
        )
    return Corpus(symbols, encoded(found, symbols), (first, second, len(found)))


def encoded(found: str, symbols: str) -> np.ndarray:
    """The number of each character, int64 `[n]`; `len(symbols)` for one that is none of them."""
    known = np.array([ord(each) for each in symbols])
    given = np.frombuffer(found.encode("utf-32-le"), dtype="<u4").astype(np.int64)
    at = np.minimum(np.searchsorted(known, given), len(known) - 1)
    return np.where(known[at] == given, at, len(known))


@cache
def baselines_of(corpus: str, path: str, only: str, begin: int, end: int) -> dict[str, float]:
    """The losses of the Markov models on the characters from `begin` to `end`, in nats."""
    found = corpus_of(corpus, path, only)
    models = _models(corpus, path, only)
    before = max(ORDERS.values()) - 1
    part = found.codes[begin - before : end]
    return {name: float(-np.log(models.probabilities(part, n)[before:]).mean()) for name, n in ORDERS.items()}


@cache
def _models(corpus: str, path: str, only: str) -> NGrams:
    found = corpus_of(corpus, path, only)
    return NGrams(found.codes[: found.ends[0]], len(found.symbols) + 1, max(ORDERS.values()))


class CharLm:
    """V inputs and V outputs, one for each symbol; score = accuracy, the share of characters whose likeliest is right.

    The validation part chooses, the test part reports, each up to its first `evaluated` characters.

    Args:
        corpus: shakespeare, kjv; without meaning where there is a `path`.
        path: a text file; empty: the corpus.
        filter: none, or letters: ASCII letters, blanks and `.,!?` alone.
        evaluated: characters of a part that are evaluated at most.
    """

    loss = "cross_entropy"
    score = "accuracy"
    answers = "every"

    def __init__(self, length: int, solved_at: float, corpus: str, path: str, filter: str, evaluated: int) -> None:
        self.length, self.solved_at = at_least(length, 2, "a character to read before one that counts"), solved_at
        at_least(evaluated, 100, "characters of the validation and of the test part", "evaluated")
        self.symbols, self.codes, ends = corpus_of(corpus, path, filter)
        self.ends = ends[0], min(ends[1], ends[0] + evaluated), ends[1], min(ends[2], ends[1] + evaluated)
        if length > (longest := ends[0] // 2):
            raise ValueError(f"task.length: given {length}, must be at most {longest} (half of the training part)")
        self.inputs = self.outputs = len(self.symbols) + 1
        share = np.bincount(self.codes[self.ends[0] : self.ends[1]], minlength=self.outputs) / (ends[1] - ends[0])
        share = share / share.sum()
        self.chance_loss = float(-sum(p * math.log(p) for p in share if p > 0))
        validation, test = self.ends[:2], self.ends[2:]
        self.baselines = baselines_of(corpus, path, filter, *validation)
        self.test_baselines = baselines_of(corpus, path, filter, *test)

    def encode(self, found: str) -> np.ndarray:
        """The number of each character, int64 `[n]`.

        Raises:
            ValueError: some are not in the training part; the message names them, near ones and the alphabet.
        """
        if strange := sorted(set(found) - set(self.symbols)):
            raise ValueError(_not_learned(strange, self.symbols))
        return encoded(found, self.symbols)

    def decode(self, codes: np.ndarray) -> str:
        """The characters of these numbers; a question mark in a box, U+FFFD, for the one that stands for any other."""
        return "".join((self.symbols + "\ufffd")[code] for code in codes)

    def sample(self, rng: np.random.Generator, batch: int) -> Batch:
        return self._windows(rng.integers(0, self.ends[0] - self.length, batch))

    def evaluation(self, rng: np.random.Generator, size: int) -> Batch:
        del rng, size
        return self._part(*self.ends[:2])

    def test(self, rng: np.random.Generator) -> Batch:
        del rng
        return self._part(*self.ends[2:])

    def _part(self, begin: int, end: int) -> Batch:
        starts, counts = look_back(begin, end, self.length)
        return self._windows(starts - 1)._replace(weights=counts)

    def _windows(self, starts: np.ndarray) -> Batch:
        at = starts + np.arange(self.length)[:, None]
        x = np.zeros((*at.shape, self.inputs), dtype=np.float32)
        np.put_along_axis(x, self.codes[at][..., None], 1, -1)
        return Batch(x, self.codes[at + 1], np.ones(at.shape, dtype=np.float32))


def _not_learned(strange: Sequence[str], symbols: str) -> str:
    """The sentence on characters that a network has not learned: each with the nearest that it has, and all of them."""
    hints = [f"{each!r}" + (f" (nearest: {near!r})" if (near := _near(each, symbols)) else "") for each in strange]
    alphabet = repr(symbols[:LISTED]) + " and others" * (len(symbols) > LISTED)
    return f"not among the {len(symbols)} characters learned: {', '.join(hints)}; learned are {alphabet}"


def _near(character: str, symbols: str) -> str | None:
    """The same letter without its accent, or in the other case, where that is among the symbols."""
    plain = unicodedata.normalize("NFKD", character)[0]
    return next((each for each in (plain, character.swapcase(), plain.swapcase()) if each in symbols), None)


class CharStream(CharLm):
    """The same, read by truncated back-propagation."""

    def stream(self, rng: np.random.Generator, batch: int) -> Iterator[Batch]:
        for starts, goes_on in passes(rng, self.ends[0] - 1, self.length, batch):
            yield self._windows(starts)._replace(goes_on=goes_on)


READ = {"stream": CharStream, "windows": CharLm}


def char_lm(length: int, solved_at: float, corpus: str, path: str, filter: str, evaluated: int, read: str) -> CharLm:
    """The task, read as a stream or in windows."""
    if read not in READ:
        raise ValueError(unknown("task.read", read, READ))
    return READ[read](length, solved_at, corpus, path, filter, evaluated)


register("char_lm", char_lm)
