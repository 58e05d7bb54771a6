"""Dates as people write them, to ISO 8601: a source of S characters, a target of 10 (an example of textbooks).

The day is uniform over the 36,524 of the years 1900 to 1999, the notation over six: `3 march 1998`, `march 3, 1998`,
`3 mar 98`, `mar 3, 98`, `3.3.1998`, `3.3.98`. With `length` S the T = S + 10 time steps are

    input   the date, blanks up to S | a symbol to begin, then the target but for its last character (teacher forcing)
    target  nothing is asked         | 1998-03-03

The longer the source, the longer a network must carry the date over blanks, or look back. Every date has one target, so
without the source the best loss is the entropy of the target, the sum over its characters of that of each given those
before: ln 36524 / 10 for each of the 10. The score is the share of dates that are right as a whole. Given the right
characters before, all ten are right exactly when greedy decoding, given its own, writes the right date.
"""

from __future__ import annotations

import math
from datetime import date

import numpy as np

from sweeps.tasks.base import Batch, at_least, register

FIRST, DAYS = date(1900, 1, 1).toordinal(), 36524
MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
          "december")  # fmt: skip
NOTATIONS = (
    "{d} {month} {y}",
    "{month} {d}, {y}",
    "{d} {mon} {yy:02}",
    "{mon} {d}, {yy:02}",
    "{d}.{m}.{y}",
    "{d}.{m}.{yy:02}",
)
TARGET = "0123456789-"
SYMBOLS = TARGET + " ,." + "".join(sorted(set("".join(MONTHS))))
"""Of the input, one column each; one more asks for the first character."""
BEGIN, ISO, LONGEST = len(SYMBOLS), 10, len("september 30, 1998")


class Dates:
    """One-hot characters in; 11 outputs, the digits and the hyphen."""

    inputs, outputs = len(SYMBOLS) + 1, len(TARGET)
    loss, score = "cross_entropy", "sequence accuracy"
    answers = "every"
    chance_loss, chance_score = math.log(DAYS) / ISO, 1 / DAYS

    def __init__(self, length: int, solved_at: float) -> None:
        self.source = at_least(length, LONGEST, "september 30, 1998")
        self.length, self.solved_at = length + ISO, solved_at

    def sample(self, rng: np.random.Generator, batch: int) -> Batch:
        days, notations = rng.integers(0, DAYS, batch), rng.integers(0, len(NOTATIONS), batch)
        when = [date.fromordinal(FIRST + int(day)) for day in days]
        written = [write(each, int(notation)) for each, notation in zip(when, notations, strict=True)]
        iso = codes([each.isoformat() for each in when], ISO)
        shown = np.concatenate([codes(written, self.source), np.full((1, batch), BEGIN), iso[:-1]])
        targets = np.concatenate([np.zeros((self.source, batch), np.int64), iso])
        weights = np.zeros((self.length, batch), np.float32)
        weights[self.source :] = 1
        return Batch(np.eye(self.inputs, dtype=np.float32)[shown], targets, weights)

    def evaluation(self, rng: np.random.Generator, size: int) -> Batch:
        return self.sample(rng, size)


def write(when: date, notation: int) -> str:
    """A date in one of `NOTATIONS`."""
    month = MONTHS[when.month - 1]
    return NOTATIONS[notation].format(
        d=when.day, m=when.month, y=when.year, yy=when.year % 100, month=month, mon=month[:3]
    )


def codes(texts: list[str], length: int) -> np.ndarray:
    """Places in `SYMBOLS`, int64 `[length, B]`, with blanks behind."""
    return np.array([[SYMBOLS.index(each) for each in text.ljust(length)] for text in texts], dtype=np.int64).T


register("dates", Dates)
