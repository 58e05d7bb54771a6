"""Generated tasks are those of their papers: sequences decoded again by plain loops, baselines in closed form."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

from sweeps import tasks
from sweeps.tasks import Batch, marked

MANY = 200_000


def drawn(name: str, batch: int = 400, seed: int = 0, **settings: Any) -> tuple[Any, Batch]:
    task = tasks.make(name, solved_at=0.99, **settings)
    return task, task.sample(np.random.default_rng(seed), batch)


def within_three_errors(values: np.ndarray, mean: float) -> None:
    """The mean of these numbers is `mean`, to three standard errors."""
    assert abs(values.mean() - mean) < 3 * values.std() / math.sqrt(len(values)), (values.mean(), mean)


def test_any_marks_every_pair_of_steps_alike() -> None:
    _, (x, y, *_) = drawn("adding", MANY, length=5, variant="any")
    assert np.array_equal(x[..., 1].sum(0), np.full(MANY, 2))
    np.testing.assert_allclose(y[:, 0], (x[..., 0] * x[..., 1]).sum(0), rtol=1e-6)
    pairs = [tuple(np.flatnonzero(column)) for column in x[..., 1].T]
    for pair in itertools.combinations(range(5), 2):
        within_three_errors(np.array([found == pair for found in pairs]), 1 / 10)


@pytest.mark.parametrize("name", ["adding", "multiplication"])
def test_pascanus_marks(name: str) -> None:
    """L = 40: lengths 40 to 43, all answered at T - 1 = 42, blank before they begin."""
    task, (x, y, *_) = drawn(name, 4000, length=43, variant="pascanu")
    lengths, firsts, seconds = set(), set(), set()
    for b in range(4000):
        begin = int(np.flatnonzero(x[:, b, 0])[0])
        length = task.length - begin
        first, second = (int(t) - begin for t in np.flatnonzero(x[:, b, 1]))
        values = x[begin + first, b, 0], x[begin + second, b, 0]
        assert not x[:begin, b].any() and (x[begin:, b, 0] > 0).mean() > 0.9
        assert 0 <= first < int(0.1 * length) <= second < int(0.1 * length) + int(0.4 * length)
        want = (values[0] + values[1]) / 2 if name == "adding" else values[0] * values[1]
        assert y[b, 0] == pytest.approx(want, abs=1e-6)
        lengths.add(length)
        firsts.add(first)
        seconds.add(second)
    assert lengths == {40, 41, 42, 43} and firsts == {0, 1, 2, 3} and seconds == set(range(4, 4 + 17))


@pytest.mark.parametrize("name", ["adding", "multiplication"])
def test_hochreiters_marks(name: str) -> None:
    """L = 40: lengths 40 to 44; -1 marks the first and the last step; a marked first value is 0, of products 1."""
    _, (x, y, *_) = drawn(name, 20_000, length=44, variant="hochreiter")
    seen, rare = set(), 0
    for b in range(20_000):
        begin = int(np.flatnonzero(x[:, b, 1] == -1)[0])
        ones = [int(t) - begin for t in np.flatnonzero(x[:, b, 1] == 1)]
        seen.add(44 - begin)
        assert np.flatnonzero(x[:, b, 1] == -1).tolist() == [begin, 43] and not x[:begin, b].any()
        values = [x[begin + t, b, 0] for t in ones]
        if len(ones) == 1:  # the first step was among the marked
            rare += 1
            values.append(0.0 if name == "adding" else 1.0)
            assert x[begin, b, 0] == values[-1] and ones[0] < 20
        else:
            assert len(ones) == 2 and ones[0] < 10 and ones[1] < 20
        want = 0.5 + sum(values) / 4 if name == "adding" else math.prod(values)
        assert y[b, 0] == pytest.approx(want, abs=1e-6)
    assert seen == {40, 41, 42, 43, 44}
    p = 1 / 10 + 9 / 10 / 19
    assert abs(rare / 20_000 - p) < 3 * math.sqrt(p * (1 - p) / 20_000)
    assert (x[..., 0].min() < -0.9) == (name == "adding")


@pytest.mark.parametrize("steps", range(12, 300))
def test_the_shortest_sequences(steps: int) -> None:
    """T = L + L/10 as in the paper, or the largest L for which that is below T."""
    least = marked.shortest(steps)
    assert least + least // 10 <= steps < least + 1 + (least + 1) // 10
    assert marked.shortest(110) == marked.shortest(109, 1) == 100


BEST = {  # name, variant -> mean of the target
    ("adding", "half"): 1.0,
    ("adding", "any"): 1.0,
    ("adding", "pascanu"): 0.5,
    ("adding", "hochreiter"): 0.5,
    ("multiplication", "pascanu"): 0.25,
    ("multiplication", "hochreiter"): 0.25 + 0.25 * (0.1 + 0.9 / 49),
}


@pytest.mark.parametrize(("name", "variant"), BEST)
def test_the_baseline_is_what_the_best_constant_reaches(name: str, variant: str) -> None:
    task, (_, y, *_) = drawn(name, MANY, length=110, variant=variant)
    best = BEST[name, variant]
    within_three_errors(y[:, 0].astype(float), best)
    within_three_errors((y[:, 0] - best) ** 2, task.chance_loss)
    if task.score == "share within tolerance":
        within_three_errors(abs(y[:, 0] - best) < task.tolerance, task.chance_score)


def test_the_baselines_in_numbers() -> None:
    def made(name: str, variant: str) -> Any:
        return tasks.make(name, length=109, solved_at=0.99, variant=variant)

    assert made("adding", "half").chance_loss == made("adding", "any").chance_loss == 1 / 6
    assert (made("adding", "pascanu").chance_loss, made("adding", "pascanu").chance_score) == (1 / 24, 0.64)
    assert made("adding", "hochreiter").chance_score == pytest.approx(0.154, abs=1e-3)
    assert made("multiplication", "pascanu").chance_loss == pytest.approx(7 / 144, rel=1e-12)
    assert made("multiplication", "pascanu").chance_score == pytest.approx(0.6095, abs=1e-4)
    rare = marked.first_is_marked(10**9)
    assert rare == pytest.approx(0.1), "of long sequences the second marked is never the first step"


@pytest.mark.parametrize(("bits", "starts"), [(2, (4, 20)), (3, (4, 12, 24))])
def test_pascanus_temporal_order(bits: int, starts: tuple[int, ...]) -> None:
    task, (x, y, *_) = drawn("temporal_order", 4000, length=40, bits=bits, variant="pascanu")
    assert (task.inputs, task.outputs) == (6, 2**bits) and np.array_equal(x.sum(-1), np.ones((40, 4000)))
    symbols, places = x.argmax(-1), set()
    for b in range(4000):
        at = [int(t) for t in np.flatnonzero(symbols[:, b] < 2)]
        assert y[b] == sum(int(symbols[t, b]) * 2**n for n, t in enumerate(at))
        assert len(at) == bits and all(0 <= t - start < 4 for t, start in zip(at, starts, strict=True))
        places |= set(at)
    assert places == {start + n for start in starts for n in range(4)}, "every place of each stretch, and no other"
    assert set(np.unique(symbols)) == set(range(6))
    assert task.chance_loss == pytest.approx(math.log(2**bits)) and task.chance_score == 1 / 2**bits
    for label in range(2**bits):
        within_three_errors(y == label, 1 / 2**bits)


@pytest.mark.parametrize(("bits", "starts"), [(2, (10, 50)), (3, (10, 33, 66))])
def test_hochreiters_temporal_order(bits: int, starts: tuple[int, ...]) -> None:
    """His lengths, 100 to 110, and places: 10 to 20 and 50 to 60; of three 10 to 20, 33 to 43, 66 to 76."""
    task, (x, y, *_) = drawn("temporal_order", 4000, length=110, bits=bits, variant="hochreiter")
    lengths, places = set(), set()
    assert (task.inputs, task.outputs) == (8, 2**bits)
    for b in range(4000):
        [begin], [end] = np.flatnonzero(x[:, b, 6]), np.flatnonzero(x[:, b, 7])
        assert end == 109 and not x[:begin, b].any() and (x[begin:, b].sum(-1) == 1).all()
        at = np.flatnonzero(x[:, b, :2].any(-1))
        assert y[b] == sum(int(x[t, b, 1]) * 2**n for n, t in enumerate(at))
        assert len(at) == bits and all(0 <= t - begin - start <= 10 for t, start in zip(at, starts, strict=True))
        lengths.add(110 - int(begin))
        places |= set((at - begin).tolist())
    assert lengths == set(range(100, 111))
    assert places == {start + n for start in starts for n in range(11)}


def test_copy_variable_is_the_copy_task_of_its_gap_after_blanks() -> None:
    task, batch = drawn("copy_variable", 3000, length=7)
    x, y, weights, scored, *_ = batch
    assert task.length == 27 and weights is None and task.chance_loss == 10 * math.log(8) / 27
    assert scored is not None and np.array_equal(scored.sum(1), [0] * 17 + [3000] * 10)
    gaps = set()
    for b in range(3000):
        symbols = x[:, b].argmax(-1)
        at = np.flatnonzero((symbols > 0) & (symbols < 9))
        [ask] = np.flatnonzero(symbols == 9)
        gaps.add(int(ask - at[-1]))
        assert len(at) == 10 == at[-1] - at[0] + 1 and ask == 16
        assert np.array_equal(y[-10:, b], symbols[at]) and not y[:-10, b].any()
    assert gaps == set(range(1, 8))


def test_the_five_bit_task() -> None:
    task, batch = drawn("memorization", 3000, length=4)
    x, y, weights, scored, *_ = batch
    assert (task.length, task.inputs, task.outputs) == (14, 4, 3) and weights is None and scored is None
    assert task.chance_loss == pytest.approx(5 * math.log(2) / 14) and task.chance_score == 1 / 32
    shown = x.argmax(-1)
    assert (shown[5:9] == 2).all() and (shown[9] == 3).all() and (shown[10:] == 2).all()
    assert np.array_equal(y[-5:], shown[:5]) and (y[:-5] == 2).all() and shown[:5].max() == 1
    patterns = (2 ** np.arange(5)) @ shown[:5]
    for pattern in range(32):
        within_three_errors(patterns == pattern, 1 / 32)
    longer = tasks.make("memorization", length=50, solved_at=0.99, symbols=10, values=4)
    assert longer.length == 70 and longer.chance_loss == pytest.approx(10 * math.log(4) / 70)
    assert longer.chance_score == 2**-20  # type: ignore[attr-defined]


@pytest.mark.parametrize("delay", [0, 1, 3])
def test_parity_by_hand(delay: int) -> None:
    task, (x, y, weights, *_) = drawn("parity", 2000, length=9, delay=delay)
    bits = (x[..., 0] > 0).astype(int)
    assert set(np.unique(x)) == {-1.0, 1.0} and task.length == 9 and task.chance_loss == math.log(2)
    for t in range(9):
        assert weights is None or (weights[t] == float(t >= 2 * delay)).all()
        if delay == 0:
            assert np.array_equal(y[t], bits[: t + 1].sum(0) % 2)
        elif t >= 2 * delay:
            assert np.array_equal(y[t], (bits[t - delay] + bits[t - 2 * delay]) % 2)
            within_three_errors(y[t] == 1, 0.5)
    assert (weights is None) == (delay == 0)


def test_selective_copy_by_hand() -> None:
    task, (x, y, weights, *_) = drawn("selective_copy", 3000, length=6, tokens=3, values=4)
    assert (task.length, task.inputs, task.outputs) == (9, 6, 4) and weights is not None
    assert np.array_equal(weights.sum(1), [0] * 6 + [3000] * 3)
    places = np.zeros(6)
    for b in range(3000):
        symbols = x[:, b].argmax(-1)
        at = np.flatnonzero(symbols < 4)
        assert len(at) == 3 and at.max() < 6 and (symbols[6:] == 5).all() and (np.delete(symbols[:6], at) == 4).all()
        assert np.array_equal(y[6:, b], symbols[at])
        places[at] += 1
    assert (abs(places / 3000 - 0.5) < 3 * math.sqrt(0.25 / 3000)).all(), "every place alike"
    assert task.chance_loss == math.log(4) and task.chance_score == 1 / 4
    for value in range(4):
        within_three_errors(y[-3:].ravel() == value, 1 / 4)


@pytest.mark.parametrize(
    ("name", "settings", "sentence"),
    [
        ("adding", {"length": 9, "variant": "pascanu"}, r"task.length: given 9, must be at least 10 \(a marker in the"),
        ("adding", {"length": 11, "variant": "hochreiter"}, "task.length: given 11, must be at least 12"),
        (
            "adding",
            {"length": 11, "variant": "hochreiters"},
            "task.variant: 'hochreiters' .* did you mean 'hochreiter'",
        ),
        ("multiplication", {"length": 50, "variant": "half"}, r"allowed: hochreiter, pascanu"),
        ("temporal_order", {"length": 9}, "given 9, must be at least 10"),
        ("temporal_order", {"length": 50, "bits": 4}, r"task.bits: '4' is not known .*2, 3"),
        ("copy_variable", {"length": 0}, "task.length: given 0, must be at least 1"),
        ("memorization", {"length": 0}, "task.length: given 0, must be at least 1"),
        ("memorization", {"length": 5, "values": 1}, "task.values: given 1, must be at least 2"),
        ("parity", {"length": 20, "delay": 10}, "task.length: given 20, must be at least 21"),
        ("parity", {"length": 20, "delay": -1}, "task.delay: given -1, must be at least 0"),
        ("selective_copy", {"length": 15}, "task.length: given 15, must be at least 16"),
        ("selective_copy", {"length": 15, "tokens": 0}, "task.tokens: given 0, must be at least 1"),
    ],
)
def test_impossible_settings_are_refused_with_what_is_allowed(
    name: str, settings: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        tasks.make(name, solved_at=0.99, **settings)


@pytest.mark.parametrize(
    ("name", "length", "settings"),
    [
        ("adding", 10, {"variant": "pascanu"}),
        ("adding", 12, {"variant": "hochreiter"}),
        ("multiplication", 12, {"variant": "hochreiter"}),
        ("temporal_order", 10, {"bits": 3}),
        ("temporal_order", 11, {"bits": 3, "variant": "hochreiter"}),
        ("copy_variable", 1, {}),
        ("parity", 21, {}),
        ("selective_copy", 16, {}),
    ],
)
def test_the_shortest_allowed(name: str, length: int, settings: dict[str, Any]) -> None:
    """Symbols do not fall on each other, and marked steps are two."""
    task, (x, *_) = drawn(name, 2000, length=length, **settings)
    assert len(x) == task.length
    if name in ("adding", "multiplication"):
        ends = 2 if settings["variant"] == "hochreiter" else 0
        marks = np.unique((x[..., 1] == 1).sum(0))
        assert ((x[..., 1] == -1).sum(0) == ends).all() and marks.tolist() == ([1, 2] if ends else [2])
    if name == "temporal_order":
        assert (x[..., :2].sum((0, 2)) == settings["bits"]).all()
