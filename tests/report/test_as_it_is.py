"""A level with marks of Markdown or HTML in it is read in the report as it is, in sentences, captions and tables."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from analysis.planted import planted
from sweeps.records.paths import SweepPaths
from sweeps.report.as_it_is import escaper
from sweeps.report.document import MARKDOWN
from sweeps.report.make import make_report

LEVELS = ("plain", "x*y*z", "<b>a</b>", "p|q", "_under_", "[l](http://x.y)", "a_b_c", "~~gone~~", "R&amp;D", r"\back")


class Shown(HTMLParser):
    """Text of a page outside scripts and styles, and which elements it has."""

    def __init__(self) -> None:
        super().__init__()
        self.text, self.elements, self.links, self._hidden = "", set[str](), set[str](), False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self._hidden = tag in ("script", "style")
        self.links |= {value or "" for name, value in attrs if name == "href" and tag == "a"}

    def handle_endtag(self, tag: str) -> None:
        self._hidden = False

    def handle_data(self, data: str) -> None:
        self.text += "" if self._hidden else data


def shown(html: str) -> Shown:
    parser = Shown()
    parser.feed(html)
    return parser


@pytest.mark.slow
def test_levels_and_names_with_marks_are_shown_as_they_are(tmp_path: Path) -> None:
    root = tmp_path / "a*b*c <i>"
    records = planted(root, lambda run: run["arch__note"] == "x*y*z", seeds=2, arch__note=LEVELS, arch=("gru",))
    paths = make_report(SweepPaths(root), records=records)
    page = shown(paths.html.read_text())
    again = shown(MARKDOWN.render(paths.markdown.read_text()))
    for each in (page, again):
        assert not {"em", "b", "i", "s"} & each.elements and not any("x.y" in link for link in each.links)
        for level in (*LEVELS, root.name):
            assert each.text.count(level) >= 2, level
    # a reader of Markdown that lets HTML through must not see any either
    assert not re.search(r"(?<!\\)<[bi/]", re.sub(r"```.*?```", "", paths.markdown.read_text(), flags=re.DOTALL))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("**a*b goes** with a*b.", r"**a\*b goes** with a\*b."),
        ("`a*b` and\n```sh\na*b\n```", "`a*b` and\n```sh\na*b\n```"),
        ("[a*b](#a*b) xa*b a*bx", r"[a\*b](#a*b) xa*b a*bx"),
        ("| p\\|q | p|q |", "| p\\|q | p\\|q |"),
        ("rnn_tanh 5 * 3 < 16", "rnn_tanh 5 * 3 < 16"),
    ],
)
def test_only_these_texts_are_changed_and_no_code(text: str, expected: str) -> None:
    assert escaper(["a*b", "p|q", "rnn_tanh", "*", "<"])(text) == expected
