"""A text is read in order and evaluated once, symbols are the training part's, baselines those of a plain count."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers import make_cell
from sweeps import tasks
from sweeps.check import task_problems
from sweeps.tasks.char_lm import PARTS, CharLm
from sweeps.tasks.corpora import shakespeare, text
from sweeps.tasks.readers import look_back, passes


def made(length: int = 20, read: str = "stream", **options: Any) -> Any:
    given = {"corpus": "shakespeare", "path": "", "filter": "none", "evaluated": 3000, **options}
    return tasks.make("char_lm", length=length, solved_at=0.6, read=read, **given)


def written(folder: Path, content: str | bytes) -> str:
    path = folder / "text.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def test_the_excerpt_is_seven_plays_of_the_public_domain() -> None:
    found = shakespeare()
    assert len(found) == 993_221 and found.isascii()
    assert found.count("by William Shakespeare\n") == 7
    for line in ("To be, or not to be,--that is the question:--", "O Romeo, Romeo! wherefore art thou Romeo?"):
        assert line in found


@pytest.mark.parametrize("read", ["stream", "windows"])
def test_targets_are_the_next_characters(read: str) -> None:
    task, rng = made(read=read), np.random.default_rng(0)
    batch = next(tasks.batches(task, rng, 5))
    found = shakespeare()
    for b in range(5):
        shown, asked = task.decode(batch.inputs[:, b].argmax(-1)), task.decode(batch.targets[:, b])
        assert shown[1:] == asked[:-1] and shown + asked[-1] in found[: round(0.9 * len(found))]
    assert batch.inputs.sum() == batch.inputs.shape[0] * 5 and set(np.unique(batch.inputs)) == {0, 1}


def test_a_stream_goes_on_and_reads_everything(tmp_path: Path) -> None:
    content = "".join(map(chr, np.random.default_rng(0).integers(97, 123, 2000)))
    task = made(length=30, path=written(tmp_path, content))
    stream, readers, seen = task.stream(np.random.default_rng(1), 4), [""] * 4, 0
    for again, batch in zip(range(14), stream, strict=False):
        assert batch.goes_on == (again > 0)
        for b in range(4):
            readers[b] += task.decode(batch.inputs[:, b].argmax(-1))
            seen += 30
    assert all(each in content[:1800] for each in readers) and seen == 14 * 4 * 30 > 0.9 * 1800
    assert not next(stream).goes_on  # 15 chunks a pass: 1799 // 120 = 14


def test_passes_stay_inside_and_move_on() -> None:
    for steps, length, batch in ((100, 7, 3), (50, 25, 4), (10, 10, 1), (1000, 1, 16)):
        rng, before = np.random.default_rng(0), np.zeros(batch, np.int64)
        for (starts, goes_on), _ in zip(passes(rng, steps, length, batch), range(60), strict=False):
            assert len(starts) == batch and starts.min() >= 0 and starts.max() + length <= steps
            assert not goes_on or (starts == before + length).all()
            before = starts


@pytest.mark.parametrize("length", [2, 7, 20])
def test_every_step_of_a_part_is_judged_once_with_steps_before_it(length: int) -> None:
    starts, counts = look_back(100, 153, length)
    judged = Counter((starts + np.arange(length)[:, None])[counts > 0].tolist())
    assert judged == Counter(range(100, 153))
    assert not counts[: length // 2].any() and set(np.unique(counts)) == {0.0, 1.0}


def test_the_parts_are_evaluated_in_order_and_apart() -> None:
    task = made(length=50, evaluated=10_000)
    found = shakespeare()
    first, second = (round(len(found) * part) for part in PARTS)
    rng = np.random.default_rng(0)
    for batch, begin in ((task.evaluation(rng, 7), first), (task.test(rng), second)):
        asked = batch.targets.T[batch.weights.T > 0]
        assert task.decode(asked) == found[begin : begin + 10_000]


def test_baselines_are_those_of_a_plain_count(tmp_path: Path) -> None:
    """A chain of three letters: the unigram by hand, and the others no worse than it, near the chain's entropy."""
    rng = np.random.default_rng(0)
    content = "".join("abc"[each] for each in np.cumsum(rng.random(20_000) < 0.2) % 3)
    task = made(path=written(tmp_path, content), evaluated=100_000)
    part = content[18_000:19_000]
    counts, total = Counter(content[:18_000]), 18_000
    unigram = -sum(math.log((counts[each] + 3 / 4) / (total + 3)) for each in part) / len(part)
    assert task.baselines["unigram"] == pytest.approx(unigram, rel=1e-9)
    entropy = -(0.8 * math.log(0.8) + 0.2 * math.log(0.2))
    assert task.baselines["Markov"] == pytest.approx(entropy, abs=0.05)
    assert task.baselines["6-gram"] == pytest.approx(entropy, abs=0.06)
    share = [part.count(each) / len(part) for each in "abc"]
    assert task.chance_loss == pytest.approx(-sum(p * math.log(p) for p in share))
    assert list(task.test_baselines) == list(task.baselines) == ["unigram", "Markov", "6-gram"]


def test_a_character_that_was_never_learned_is_one_symbol(tmp_path: Path) -> None:
    task = made(path=written(tmp_path, "ab" * 950 + "xyab" * 25))
    assert task.symbols == "ab" and task.inputs == 3
    assert set(task.codes[1900:].tolist()) == {0, 1, 2} and task.codes[1900] == task.codes[1901] == 2
    assert task.encode("abba").tolist() == [0, 1, 1, 0] and task.decode(np.array([1, 2])) == "b\ufffd"
    with pytest.raises(ValueError, match="not among the 2 characters learned: 'x'; learned are 'ab'"):
        task.encode("axb")


def test_letters_alone(tmp_path: Path) -> None:
    path = written(tmp_path, "What?! 12 -- 'tis\n\tso...  " * 100)
    assert set(text("shakespeare", path, "letters")) == set("What?! tis so...") and "  " not in text(
        "shakespeare", path, "letters"
    )
    assert text("shakespeare", path, "letters").startswith("What?! tis so... What")


def test_a_package_holds_the_second_corpus() -> None:
    found = text("kjv", "", "none")
    assert len(found) > 4_000_000 and "In the beginning God created the heaven and the earth." in found


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "which does not exist; must be a text file"),
        ("", "0 characters of 0 kinds; must be at least 1000 of at least 2"),
        ("a" * 5000, "5000 characters of 1 kinds"),
        (b"\x89PNG\r\n" + bytes(range(256)) * 10, "which cannot be read as UTF-8 text"),
        (b"ab\0" * 1000, "which holds zero bytes"),
        ("".join(map(chr, range(0x4E00, 0x4E00 + 1448))) * 2, "1448 kinds of characters in the training part; must"),
    ],
    ids=["missing", "empty", "one character", "binary", "zeros", "many kinds"],
)
def test_a_file_that_is_no_text_is_told(tmp_path: Path, content: str | bytes | None, said: str) -> None:
    path = str(tmp_path / "none.txt") if content is None else written(tmp_path, content)
    [problem] = task_problems([make_cell("task=char_lm", f"task.path={path}")])
    assert problem.startswith("task=char_lm: task.path: given ") and said in problem


def test_as_many_kinds_of_characters_as_its_baselines_can_count(tmp_path: Path) -> None:
    """One symbol more, for any other character, makes 1448: its sixth power is below 2^63, that of 1449 is not."""
    path = written(tmp_path, "".join(map(chr, range(0x4E00, 0x4E00 + 1447))) * 2)
    assert task_problems([make_cell("task=char_lm", f"task.path={path}")]) == []
    assert 1448**6 < 2**63 < 1449**6


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("task.corpus=shakespear", "task.corpus: 'shakespear' is not known; did you mean 'shakespeare'?"),
        ("task.filter=letter", "task.filter: 'letter' is not known; did you mean 'letters'?"),
        ("task.read=streams", "task.read: 'streams' is not known; did you mean 'stream'?"),
        ("task.length=1", "task.length: given 1, must be at least 2"),
        ("task.evaluated=5", "task.evaluated: given 5, must be at least 100"),
        ("task.length=900000", "task.length: given 900000, must be at most 446949 (half of the training part)"),
    ],
)
def test_what_cannot_be_is_said_before_training(given: str, said: str) -> None:
    try:
        task_problems([make_cell("task=char_lm", given)])
    except MemoryError:
        pytest.fail("asked for before it was refused")
    [problem] = task_problems([make_cell("task=char_lm", given)])
    assert said in problem


def test_the_two_ways_to_read_are_one_task() -> None:
    assert tasks.streams(made()) and not tasks.streams(made(read="windows")) and isinstance(made(), CharLm)
