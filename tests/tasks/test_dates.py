"""Dates: the notations by hand, the days without a gap, and the loss without the source, by enumeration."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import numpy as np
import pytest

from sweeps import tasks
from sweeps.tasks.dates import BEGIN, DAYS, NOTATIONS, SYMBOLS, TARGET, write


def every_day() -> list[date]:
    day, days = date(1900, 1, 1), []
    while day < date(2000, 1, 1):
        days.append(day)
        day += timedelta(1)
    return days


def test_the_notations() -> None:
    assert [write(date(1908, 3, 4), n) for n in range(len(NOTATIONS))] == [
        "4 march 1908", "march 4, 1908", "4 mar 08", "mar 4, 08", "4.3.1908", "4.3.08",
    ]  # fmt: skip


def test_no_two_days_are_written_alike_and_all_fit() -> None:
    days = every_day()
    assert len(days) == DAYS
    for notation in range(len(NOTATIONS)):
        written = {write(day, notation) for day in days}
        assert len(written) == DAYS and max(map(len, written)) <= 18
        assert set("".join(written)) <= set(SYMBOLS)


@pytest.mark.parametrize("length", [18, 31])
def test_a_sample_by_hand(length: int) -> None:
    task = tasks.make("dates", length=length, solved_at=0.9)
    x, y, weights, *_ = task.sample(np.random.default_rng(0), 300)
    assert x.shape == (length + 10, 300, task.inputs) and x.dtype == np.float32 and (x.sum(-1) == 1).all()
    assert weights is not None and not weights[:length].any() and (weights[length:] == 1).all()
    shown, notations, seen = x.argmax(-1), Counter[int](), set()
    for b in range(300):
        text = "".join(SYMBOLS[code] for code in shown[:length, b]).rstrip()
        iso = "".join(TARGET[code] for code in y[length:, b])
        seen.add(iso)
        which = [n for n in range(len(NOTATIONS)) if write(date.fromisoformat(iso), n) == text]
        assert which, f"{text} is not {iso}"
        notations[which[0]] += 1
        assert shown[length, b] == BEGIN
        assert "".join(SYMBOLS[code] for code in shown[length + 1 :, b]) == iso[:-1]
    assert len(seen) > 290 and min(notations.values()) > 25


def test_the_baseline_is_the_entropy_of_each_character_given_those_before() -> None:
    """By enumeration of all days, character after character: what teacher forcing leaves to be known."""
    texts = [day.isoformat() for day in every_day()]
    total = 0.0
    for place in range(10):
        before = Counter(text[:place] for text in texts)
        for prefix, count in Counter(text[: place + 1] for text in texts).items():
            total -= count / len(texts) * np.log(count / before[prefix[:-1]])
    assert tasks.make("dates", length=18, solved_at=0.9).chance_loss == pytest.approx(total / 10, rel=1e-12)


def test_the_first_and_the_last_day_are_drawn() -> None:
    """Days are uniform: of 400,000 draws each day expects 11; the sum over days of the scaled square is chi-squared."""
    drawn = np.random.default_rng(3)
    task = tasks.make("dates", length=18, solved_at=0.9)
    _, y, *_ = task.sample(drawn, 60_000)
    years = y[18 + 2 : 18 + 4].T @ [10, 1]
    expected = np.bincount([day.year - 1900 for day in every_day()]) / DAYS * 60_000
    square = ((np.bincount(years, minlength=100) - expected) ** 2 / expected).sum()
    assert abs(square - 99) < 3 * (2 * 99) ** 0.5


def test_a_source_that_is_too_short_is_refused() -> None:
    with pytest.raises(ValueError, match=r"task.length: given 17, must be at least 18 \(september 30, 1998\)"):
        tasks.make("dates", length=17, solved_at=0.9)
