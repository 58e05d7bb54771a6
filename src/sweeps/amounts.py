"""How many and how long, in words."""

from __future__ import annotations


def number_of(count: int, noun: str, plural: str = "") -> str:
    """`1 run`, `2 runs`; `2 axes` where the plural is given."""
    return f"{count} {noun if count == 1 else plural or f'{noun}s'}"


def duration(seconds: float) -> str:
    """A time for display: 45 s, 3 min 20 s, 2 h 05 min."""
    total = round(seconds)
    if total < 60:
        return f"{total} s"
    if total < 3600:
        return f"{total // 60} min {total % 60:02d} s"
    return f"{total // 3600} h {total % 3600 // 60:02d} min"
