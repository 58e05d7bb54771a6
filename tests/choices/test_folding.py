"""Docstrings and tables within a width: no line is longer, no word is lost, code stays as it is."""

from __future__ import annotations

import re

import pytest

from sweeps.choices.catalogue import described, groups, options
from sweeps.choices.folding import cut, folded, table

CODE = "    h_t = phi(h_{t-1} W + x_t U + b)"
TEXT = f"""\
A first sentence that is quite a lot longer than the forty columns of this test:

{CODE}
      deeper

| name | what it is |
|---|---|
| one | a text that goes on for longer than there is room for |

Args:
    size: an entry of a list that is folded, with what belongs to it
        in the line below.
    last: short.
"""


def words(lines: list[str]) -> list[str]:
    return sorted(re.findall(r"[^\s|:-]+", " ".join(lines)))


@pytest.mark.parametrize("width", [40, 41, 60, 80, 120])
def test_it_fits_and_no_word_is_lost(width: int) -> None:
    lines = folded(TEXT, width)
    assert max(map(len, lines)) <= width
    assert words(lines) == words(TEXT.splitlines())
    assert CODE in lines and "      deeper" in lines, "code that fits is as it was"
    assert "    last: short." in lines
    entry = next(n for n, line in enumerate(lines) if line.startswith("    size:"))
    assert width > 80 or lines[entry + 1].startswith("        "), "an entry goes on further in"


@pytest.mark.parametrize("width", [66, 80, 200])
def test_every_choice_fits_a_terminal_with_all_of_its_words(width: int) -> None:
    texts = {each.typed: described(each.group, each.name) for group in groups() for each in options(group)}
    assert len([text for text in texts.values() if text]) >= 20
    for name, text in texts.items():
        lines = folded(text, width)
        assert max(map(len, lines), default=0) <= width, name
        assert words(lines) == words(text.splitlines()), name


def test_a_table_that_has_room_is_as_wide_as_its_texts_and_folds_the_widest_column_where_not() -> None:
    heads, rows = ["a", "bb"], [["one", "a long text"], ["four", "x"]]
    assert table(heads, rows, 80) == ["a     bb", "one   a long text", "four  x"]
    assert table(heads, rows, 12) == ["a     bb", "one   a long", "      text", "four  x"]


def test_a_line_that_is_cut_ends_at_a_word() -> None:
    assert cut("three short words", 17) == "three short words"
    assert cut("three short words", 16) == "three short …"
    assert cut("three short words", 12) == "three …"
