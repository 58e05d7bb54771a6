"""Every way in which a file of a record is damaged in the tests, by name."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Callable
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

CONFIG, SUMMARY = "config.yaml", "summary.json"
METRICS, GRADIENT, PARAMETERS = "metrics.csv", "gradient_through_time.csv", "parameters.csv"
FILES = (CONFIG, METRICS, GRADIENT, PARAMETERS, SUMMARY)

Damage = Callable[[Path], object]
"""Given the path of a file."""


def _folder(path: Path) -> None:
    path.mkdir()
    (path / "inside").touch()


def _vast(path: Path) -> None:
    path.touch()
    os.truncate(path, 2 << 30)


IN_ITS_PLACE: dict[str, Damage] = {
    "nothing": lambda path: None,
    "an empty file": lambda path: path.touch(),
    "binary": lambda path: path.write_bytes(bytes(range(256)) * 4),
    "no text": lambda path: path.write_bytes(b"seed: \xff\xfe\n"),
    "a folder": _folder,
    "a pipe": lambda path: os.mkfifo(path),
    "a socket": lambda path: os.mknod(path, stat.S_IFSOCK | 0o600),
    "a link to a device that never ends": lambda path: path.symlink_to("/dev/zero"),
    "a link to itself": lambda path: path.symlink_to(path),
    "a link to nothing": lambda path: path.symlink_to(path.with_name("none")),
    "two gigabytes of nothing": _vast,
}
"""What may lie in place of a file, by name: functions that write it to a path where nothing is."""


def replaced(how: Damage) -> Damage:
    def damage(path: Path) -> None:
        path.unlink()
        how(path)

    return damage


def rewritten(change: Callable[[str], str]) -> Damage:
    """Change the text of the file; fails if the change leaves it as it is."""

    def damage(path: Path) -> None:
        text = path.read_text()
        assert change(text) != text, path
        path.write_text(change(text))

    return damage


def entries(**new: Any) -> Damage:
    """Replace entries of summary.json; `final__step` is the entry `step` of the object `final`."""

    def change(text: str) -> str:
        summary = json.loads(text)
        for name, value in new.items():
            *outer, last = name.split("__")
            part = summary
            for each in outer:
                part = part[each]
            part[last] = value
        return json.dumps(summary)

    return rewritten(change)


def setting(section: str, name: str, value: Any) -> Damage:
    def change(text: str) -> str:
        config = yaml.safe_load(text)
        config[section][name] = value
        return yaml.safe_dump(config)

    return rewritten(change)


def lines(change: Callable[[list[str]], list[str]]) -> Damage:
    return rewritten(lambda text: "\n".join(change(text.split("\n"))))


def row(number: int, pattern: str, new: str) -> Damage:
    """Change one row of a CSV file."""

    def change(rows: list[str]) -> list[str]:
        rows[number] = re.sub(pattern, new, rows[number], count=1)
        return rows

    return lines(change)


LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in pairwise("abcdefghij")
)
DEEP = 100_000

SPECIAL: dict[str, dict[str, Damage]] = {
    SUMMARY: {
        "cut in half": rewritten(lambda text: text[: len(text) // 2]),
        "null": rewritten(lambda text: "null"),
        "a list": rewritten(lambda text: "[]"),
        "an empty object": rewritten(lambda text: "{}"),
        "deep": rewritten(lambda text: "[" * DEEP),
        "deep inside": rewritten(lambda text: text.replace('"seconds": 1.5', f'"seconds": {"[" * DEEP}{"]" * DEEP}')),
        "a name twice": rewritten(lambda text: text.replace("{", '{"outcome": "solved",', 1)),
        "seconds null": entries(seconds=None),
        "seconds a text": entries(seconds="long"),
        "seconds below 0": entries(seconds=-1.0),
        "seconds not a number": rewritten(lambda text: text.replace('"seconds": 1.5', '"seconds": NaN')),
        "seconds without end": rewritten(lambda text: text.replace('"seconds": 1.5', '"seconds": 1e999')),
        "seconds of 5000 digits": rewritten(lambda text: text.replace('"seconds": 1.5', f'"seconds": {"9" * 5000}')),
        "seconds of 400 digits": rewritten(lambda text: text.replace('"seconds": 1.5', f'"seconds": {"9" * 400}')),
        "final a list": entries(final=[]),
        "final a text": entries(final="0.1"),
        "final step another": entries(final__step=20),
        "final loss another": entries(final__train_loss=0.0),
        "final loss a list": entries(final__train_loss=[1]),
        "best null": entries(best=None),
        "best a list": entries(best=[0.9]),
        "best score a text": entries(best__eval_score="high"),
        "task a text": entries(task="adding"),
        "task score a number": entries(task__score=1),
        "outcome unknown": entries(outcome="won"),
        "outcome a list": entries(outcome=["solved"]),
        "outcome failed": entries(outcome="failed"),
        "solved at no step": entries(outcome="solved"),
        "finished and solved": entries(solved_step=20),
        "diverged at no step": entries(outcome="diverged"),
        "solved after the end": entries(outcome="solved", solved_step=60),
        "step a text": entries(step="40"),
        "step true": entries(step=True),
        "step below 0": entries(step=-40),
        "step null": entries(step=None),
        "step later": entries(step=60, final__step=60),
        "numerics null": entries(numerics=None),
        "numerics a list": entries(numerics=[1]),
        "numerics another": entries(numerics=2),
        "versions a list": entries(versions=["torch"]),
        "commit a number": entries(commit=1),
        "reason a list": entries(reason=["the loss"]),
        "half a surrogate pair": entries(reason="\ud800"),
        "cell a list": entries(cell=[]),
        "cell null": entries(cell=None),
        "another format": entries(format=2),
        "another cell": entries(cell="0123456789ab"),
    },
    CONFIG: {
        "no settings": rewritten(lambda text: "{}\n"),
        "a list": rewritten(lambda text: "- a\n- b\n"),
        "a text": rewritten(lambda text: "settings\n"),
        "cut in half": rewritten(lambda text: text[: len(text) // 2]),
        "another seed": rewritten(lambda text: re.sub(r"^seed: .*$", "seed: 4711", text, flags=re.M)),
        "a seed twice": rewritten(lambda text: text + "seed: 4711\n"),
        "another learning rate": setting("optim", "lr", 0.011),
        "a setting less": rewritten(lambda text: re.sub(r"^  hidden: .*\n", "", text, flags=re.M)),
        "a setting more": setting("arch", "leak", 0.5),
        "a number as text": setting("optim", "lr", "0.01"),
        "a date": setting("arch", "name", date(2026, 1, 1)),
        "deep": rewritten(lambda text: "a: " + "[" * DEEP + "]" * DEEP),
        "deep in blocks": rewritten(lambda text: "- " * DEEP + "a"),
        "a bomb of aliases": rewritten(lambda text: text + LAUGHS),
        "an object of Python": rewritten(lambda text: text + "more: !!python/object/apply:os.getcwd []\n"),
        "a broken value": rewritten(lambda text: text + "more: !!bool maybe\n"),
        "a day that is none": rewritten(lambda text: text + "more: 2026-13-45\n"),
        "numbers for names": rewritten(lambda text: text + "1: 2\n"),
        "two documents": rewritten(lambda text: text + "---\nseed: 1\n"),
    },
    METRICS: {
        "a header alone": lines(lambda rows: [rows[0], ""]),
        "the first row doubled": lines(lambda rows: [*rows[:2], *rows[1:]]),
        "the last row doubled": lines(lambda rows: [*rows[:-1], *rows[-2:]]),
        "the first row gone": lines(lambda rows: [rows[0], *rows[2:]]),
        "a row in the middle gone": lines(lambda rows: [*rows[:2], *rows[3:]]),
        "the last row gone": lines(lambda rows: [*rows[:-2], ""]),
        "rows exchanged": lines(lambda rows: [rows[0], rows[2], rows[1], *rows[3:]]),
        "cut in a row": rewritten(lambda text: text[:-9]),
        "no end of the last row": rewritten(lambda text: text[:-1]),
        "columns gone": rewritten(lambda text: re.sub(",[^,\n]*,[^,\n]*\n", "\n", text)),
        "step renamed": row(0, "step", "update"),
        "a column twice": row(0, "eval_loss", "train_loss"),
        "a column called cell": row(0, "beyond_float32", "cell"),
        "a name that is no text": lambda path: path.write_bytes(b"\xff" + path.read_bytes()),
        "a field more": row(2, "$", ",1"),
        "a field less": row(2, ",[^,]*$", ""),
        "a text for a number": row(2, r",[^,]*$", ",many"),
        "a number with a line in it": row(2, r",[^,]*$", ",1_0"),
        "half a step": row(2, r"^20,", "20.5,"),
        "a step beyond all": row(2, r"^20,", "99999999999999999999,"),
        "a step below 0": row(1, r"^0,", "-1,"),
        "no step": row(2, r"^20,", ","),
        "an empty row": lines(lambda rows: [*rows[:2], "", *rows[2:]]),
        "quotes": row(2, r"^20,", '"20",'),
        "zeros within": rewritten(lambda text: text.replace("\n20,", "\n\0\0,")),
        "another loss at the end": row(-2, r"^40,[^,]*,", "40,0.125,"),
    },
    GRADIENT: {
        "a header alone": lines(lambda rows: [rows[0], ""]),
        "the last row doubled": lines(lambda rows: [*rows[:-1], *rows[-2:]]),
        "the last row gone": lines(lambda rows: [*rows[:-2], ""]),
        "the last step gone": lines(lambda rows: [*rows[:-5], ""]),
        "a row in the middle gone": lines(lambda rows: [*rows[:6], *rows[7:]]),
        "a step in the middle gone": lines(lambda rows: [*rows[:5], *rows[9:]]),
        "a step more": lines(lambda rows: [*rows[:-1], *(re.sub("^40", "60", each) for each in rows[-5:])]),
        "another step": row(2, "^0,", "1,"),
        "an impossible lag": row(1, ",3,", ",1000000,"),
        "an impossible lag inside": row(2, ",2,", ",1000000,"),
        "a lag below 0": row(2, ",2,", ",-2,"),
        "a lag twice": row(2, ",2,", ",3,"),
        "t and lag exchanged": row(1, "^0,0,3,", "0,3,0,"),
        "half a lag": row(2, ",2,", ",2.5,"),
        "a lag that is not a number": row(2, ",2,", ",nan,"),
        "a lag without end": row(2, ",2,", ",inf,"),
        "a text for a number": row(2, r",[^,]*$", ",many"),
        "a remark": row(2, r",[^,]*$", ",1#"),
        "cut in a row": rewritten(lambda text: text[:-3]),
        "a column gone": rewritten(lambda text: "\n".join(line.rpartition(",")[0] for line in text.split("\n"))),
        "an empty row": lines(lambda rows: [*rows[:2], "", *rows[2:]]),
    },
    PARAMETERS: {
        "a header alone": lines(lambda rows: [rows[0], ""]),
        "the last row doubled": lines(lambda rows: [*rows[:-1], *rows[-2:]]),
        "the last row gone": lines(lambda rows: [*rows[:-2], ""]),
        "the last step gone": lines(lambda rows: [*rows[:-3], ""]),
        "a parameter renamed": row(4, "bias", "bios"),
        "a parameter twice": row(4, "bias", "weight_hh"),
        "a step that was never": row(4, "^20,", "30,"),
        "steps exchanged": lines(lambda rows: [rows[0], *rows[3:5], *rows[1:3], *rows[5:]]),
        "a text for a number": row(2, r",0\.1,", ",many,"),
        "a name that is no text": lambda path: path.write_bytes(path.read_bytes().replace(b"bias", b"bi\xffs")),
        "no step": row(4, "^20,", ","),
        "cut in a row": rewritten(lambda text: text[:-3]),
    },
}

KINDS: dict[str, tuple[str, Damage]] = {
    f"{name}: {kind}": (name, damage)
    for name in FILES
    for kind, damage in (IN_ITS_PLACE | {"no permission": lambda path: path.chmod(0)} | SPECIAL[name]).items()
    for damage in [replaced(damage) if kind in IN_ITS_PLACE else damage]
}
"""`file: kind` -> the name of the file, and what is done to it."""
EXPECTED = {
    f"{SUMMARY}: another format": "other format",
    f"{SUMMARY}: another cell": "foreign",
    f"{SUMMARY}: numerics another": "damaged",
    f"{SUMMARY}: final loss another": "damaged",
    f"{SUMMARY}: step later": "damaged",
}
COMPLETE = {kind for kind, problem in EXPECTED.items() if problem == "damaged"}
"""Kinds of damage that leave a complete summary: only the other files of the record show that it is wrong."""


def problem_of(kind: str) -> str:
    """The problem that a damaged cell is listed with; without a complete summary it is `unfinished`."""
    return EXPECTED.get(kind, "unfinished" if KINDS[kind][0] == SUMMARY else "damaged")


def is_done(kind: str) -> bool:
    """Whether the damaged cell still counts as done, because its summary is complete."""
    return KINDS[kind][0] != SUMMARY or kind in COMPLETE
