"""No sentence of a report has two spaces, a space before a comma, `1 runs`, or a part that is missing."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from analysis.planted import planted
from sweeps.analysis.loading.records import Records
from sweeps.figures.catalogue import prepared
from sweeps.figures.draw import Drawn
from sweeps.records.paths import SweepPaths
from sweeps.report import make

NOUNS = "run|cell|seed|pair|row|level|combination|architecture|length|figure|update|step|task|comparison|sweep|value"
FAULTS = {
    "two spaces": r"\S  +\S",
    "a space before a mark": r" [,;:!?)]| \.(?![\d.])",
    "no space after a mark": r"[a-z][,;:.!?][A-Z]|[a-z],[a-z]",
    "marks that meet": r",[,.;:]|[;:][,.;:]|\.[,;:]|(?<!\.)\.\.(?!\.)|\( ?\)|\(,|\( ",
    "one of many": rf"(?<![\d.,/-])(?<!- )1 ({NOUNS})s\b",
    "many of one": rf"\b([2-9]|\d\d+) ({NOUNS})\b(?! (of|a|at|per|each|point|size|with)\b)",
    "an ending twice": r"\b(axiss|axises|axess|runss|initss|seedss)\b",
    "a word twice": r"\b(the|a|an|of|in|is|are|and|to|by|with|at) \1\b",
    "no value": r"\b(nan|NaN|inf%)\b|\bNone\b(?! of\b)|\{\w*\}",
    "the wrong article": r"\b[Aa] (architecture|init|LSTM|axis|update|outcome)\b|\b[Aa]n (gain|GRU|seed|run)\b",
    "a sentence that starts small": r"(?<!vs)(?<!e\.g)(?<!i\.e)(?<!\d)[.!?] [a-z]{2,}(?<!log)",
}


def undrawn(records: Records, folder: Path, names: Sequence[str], **more: Any) -> list[Drawn]:
    """In place of `draw`, which takes seconds: the figures that it would draw."""
    return [
        Drawn(name, task, folder / name if task is None else folder / str(task) / name)
        for task, part in records.by_task()
        for name in names
        if prepared(name, part, None, more["preferred"], None) is not None
    ]


def prose(markdown: str) -> str:
    """The sentences of a report: without code, the rows of tables, headings, pictures and lists of facts."""
    text = re.sub(r"```.*?```", "", markdown, flags=re.DOTALL)
    text = re.sub(r"^(\||#|!\[|- ).*$", "", text, flags=re.MULTILINE)
    text = re.sub(r"`[^`\n]*`", "CODE", text)
    return re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text).replace("**", "")


def faults(text: str) -> list[str]:
    return [
        f"{what}: …{text[max(0, found.start() - 60) : found.end() + 40]!r}…"
        for what, pattern in FAULTS.items()
        for found in re.finditer(pattern, text)
    ]


def test_it_finds_faults() -> None:
    for wrong in (
        *(
            "a  b",
            "a , b",
            "a b .",
            "1 runs solved",
            "3 seed solved",
            "the the",
            "the axiss",
            "is nan now",
            "(n = {n})",
        ),
        *("It is a init.", "ended ()", "of 3,, as", "One. two three"),
    ):
        assert faults(wrong), wrong
    assert not faults("Of 12 runs 1 run solved; at T = 50, e.g. in a GRU (p = .03), 1 of 3 runs. Then nothing.")


STUDIES: dict[str, tuple[dict[str, Any], Callable[[Any], Any], int]] = {
    "an axis that decides": (
        {"arch": ("lstm", "gru"), "init__gain": (0.5, 1.0, 2.0)},
        lambda run: run["init__gain"] == 1,
        6,
    ),
    "all diverged": ({"optim__lr": (0.1, 1.0)}, lambda run: "diverged", 2),
    "one run": ({"arch": ("lstm",)}, lambda run: True, 1),
    "one seed, two levels": ({"length": (3, 6)}, lambda run: run["length"] == 3, 1),
    "holes and a third of it diverged": (
        {"arch": ("lstm", "gru", "rnn_tanh"), "arch__hidden": (8, 16), "clip": ("none", "value")},
        lambda run: {"lstm": None if run["clip"] == "value" else True, "gru": run["seed"] == 1}.get(
            run["arch"], "diverged"
        ),
        2,
    ),
    "two tasks": (
        {"task__name": ("adding", "digits"), "init__gain": (0.5, 1.0)},
        lambda run: run["init__gain"] == 1,
        2,
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("study", STUDIES)
def test_no_sentence_of_a_report_has_a_fault(study: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    axes, rule, seeds = STUDIES[study]
    monkeypatch.setattr(make, "draw", undrawn)
    monkeypatch.setattr(make, "to_html", lambda document, folder: "")
    records = planted(tmp_path / "study", rule, seeds=seeds, **axes)
    paths = make.make_report(SweepPaths(tmp_path / "study"), records=records, pages=False)
    text = prose(paths.markdown.read_text())
    assert len(text) > 1500 and not faults(text), "\n".join(faults(text))
