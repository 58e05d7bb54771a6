"""Text is printed exactly as it is, whatever characters it holds."""

from __future__ import annotations

import io

import pytest

from sweeps.errors import exception_text
from sweeps.terminal import terminal


@pytest.mark.parametrize(
    "path", ["/tmp/[bold]x", "/tmp/[/bold]", "/tmp/:smile:", "/tmp/" + "long " * 60, "[red]", "\\[x]"]
)
def test_a_path_is_printed_as_it_is(path: str) -> None:
    out = io.StringIO()
    terminal(file=out).print(f"Records: {path}")
    assert out.getvalue() == f"Records: {path}\n"


HEAD = 'Traceback (most recent call last):\n  File "a.py", line 1, in <module>\n    f()\n    ^^^\n'


@pytest.mark.parametrize(
    ("trace", "text"),
    [
        (f"{HEAD}ValueError: one line", "ValueError: one line"),
        (f"{HEAD}RuntimeError: first\n  second\nthird\n", "RuntimeError: first\n  second\nthird"),
        (f"{HEAD}KeyError: 1\n\nDuring handling of it:\n\n{HEAD}my.Own: last", "my.Own: last"),
        ("its worker was killed by SIGKILL, 2 times", "its worker was killed by SIGKILL, 2 times"),
    ],
)
def test_the_type_and_all_the_text_of_an_exception_are_kept(trace: str, text: str) -> None:
    assert exception_text(trace) == text
