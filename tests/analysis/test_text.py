"""Ranges of measured numbers have as many digits as tell their ends apart."""

from __future__ import annotations

import pytest

from sweeps.analysis.text import between, digits_apart


@pytest.mark.parametrize(
    ("low", "high", "digits", "text"),
    [
        (0.98, 0.9801, 3, "0.9800 to 0.9801"),
        (0.5512, 0.8741, 2, "0.55 to 0.87"),
        (0.083, 0.94, 2, "0.08 to 0.94"),
        (0.003, 0.94, 2, "0.003 to 0.940"),
        (-0.00001, 0.00002, 3, "-1.0e-5 to 2.0e-5"),
        (-6.0, -5.714, 3, "-6.00 to -5.71"),
        (0.98, 0.98 + 1e-9, 3, "0.98"),
        (0.0, 0.0, 3, "0"),
        (0.0, 0.4, 2, "0.00 to 0.40"),
        (1.0, float("inf"), 2, "1 to inf"),
    ],
)
def test_the_ends_of_a_range(low: float, high: float, digits: int, text: str) -> None:
    assert between(low, high, digits) == text


def test_decimals_are_at_least_those_asked_for() -> None:
    assert between(0.955, 1.069, 2, decimals=3) == "0.955 to 1.069"
    assert between(1.0, 1.0, 2, decimals=3) == "1.000"


def test_digits_that_tell_two_numbers_apart() -> None:
    assert [digits_apart(0.98, other) for other in (0.5, 0.9801, 0.980001, 0.98, float("nan"))] == [3, 4, 6, 3, 3]
