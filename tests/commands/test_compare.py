"""`compare` in a terminal keeps to its width, ids whole; in a pipe it prints Markdown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from analysis.planted import planted
from sweeps.commands.compare import compare


@pytest.fixture
def two(tmp_path: Path) -> list[str]:
    planted(tmp_path / "before", lambda run: False, seeds=2, arch=("lstm", "gru"))
    planted(tmp_path / "after", lambda run: run["arch"] == "gru", seeds=2, arch=("lstm", "gru"))
    return [str(tmp_path / "before"), str(tmp_path / "after")]


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_wider_than_the_terminal_and_no_id_is_broken(
    two: list[str], width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", str(width))
    assert compare(two) == 0
    text = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)
    assert max(map(len, text.splitlines())) <= width and "|--" not in text and "**" not in text
    ids = re.findall(r"^[0-9a-f]{12} ", text, re.M)
    assert len(ids) == 2, "of the two whose outcome changed"
    assert "runs solved" in text and "2 of 4" in text


def test_in_a_pipe_it_is_markdown_with_whole_lines(two: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert compare(two) == 0
    text = capsys.readouterr().out
    assert text.startswith("# before and after side by side\n") and "## In short\n" in text
    assert re.search(r"^\| runs solved +\| 0 of 4 +\| 2 of 4 +\| differs", text, re.M)
