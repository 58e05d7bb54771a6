"""Tasks are those of their papers: targets recomputed by hand, chance losses in closed form, disjoint splits."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sweeps import tasks
from sweeps.engine.randomness import generator
from sweeps.tasks.digits import split


def test_adding_by_hand() -> None:
    task = tasks.make("adding", length=9, solved_at=0.9)
    x, y, *_ = task.sample(np.random.default_rng(0), 500)
    assert x.shape == (9, 500, 2) and x.dtype == np.float32 and y.shape == (500, 1)
    for b in range(500):
        marked = np.flatnonzero(x[:, b, 1])
        assert len(marked) == 2 and marked[0] < 4 <= marked[1]
        assert y[b, 0] == pytest.approx(sum(x[t, b, 0] for t in marked), abs=1e-6)
    assert x[..., 0].min() >= 0 and x[..., 0].max() < 1
    assert set(np.flatnonzero(x[..., 1].any(1))) == set(range(9))  # every time step is marked in some sequence


def test_adding_baseline_is_a_sixth() -> None:
    task = tasks.make("adding", length=5, solved_at=0.9)
    _, y, *_ = task.sample(np.random.default_rng(1), 200_000)
    assert task.chance_loss == 1 / 6
    assert np.mean((y - 1) ** 2) == pytest.approx(1 / 6, abs=5 * 0.197 / 200_000**0.5)  # sd of the square: .197


def test_binary_sum_by_hand_and_its_entropy() -> None:
    task = tasks.make("binary_sum", length=13, solved_at=0.99)
    x, y, *_ = task.sample(np.random.default_rng(0), 100_000)
    assert set(np.unique(x)) == {-1.0, 1.0}
    assert np.array_equal(y, (x[..., 0] == 1).sum(0) % 10)
    share = np.bincount(y, minlength=10) / 100_000
    assert -(share * np.log(share)).sum() == pytest.approx(task.chance_loss, abs=0.01)
    assert tasks.make("binary_sum", length=1, solved_at=1).chance_loss == pytest.approx(math.log(2))
    assert tasks.make("binary_sum", length=2000, solved_at=1).chance_loss == pytest.approx(math.log(10), abs=1e-6)


def test_digits_are_real_and_split_properly() -> None:
    train, labels, test, test_labels = split()
    assert (len(train), len(test)) == (1437, 360)
    assert train.min() == 0 and train.max() == 1
    share = np.bincount(labels) / len(labels) - np.bincount(test_labels) / len(test_labels)
    assert abs(share).max() < 0.005  # stratified
    assert not {row.tobytes() for row in train} & {row.tobytes() for row in test}


def test_digits_come_pixel_by_pixel_then_blank() -> None:
    task = tasks.make("digits", length=70, solved_at=0.9)
    x, y, *_ = task.evaluation(np.random.default_rng(0), 7)
    _, _, test, labels = split()
    assert x.shape == (70, 360, 1)
    assert np.array_equal(x[:64, :, 0].T, test) and not x[64:].any()
    assert np.array_equal(y, labels)


@pytest.mark.parametrize(("name", "length"), [("adding", 1), ("digits", 63), ("binary_sum", 0)])
def test_impossible_lengths_are_refused_with_what_is_allowed(name: str, length: int) -> None:
    with pytest.raises(ValueError, match=rf"given {length}, must be at least {length + 1}"):
        tasks.make(name, length=length, solved_at=0.9)


def test_streams_are_apart_and_seeds_are_honoured() -> None:
    def first(*key: object) -> float:
        return float(generator(*key).random())  # type: ignore[arg-type]

    assert first(0, "data") == first(0, "data")
    assert (
        len({first(0, "data"), first(1, "data"), first(0, "init"), first(0, "init", "a"), first(0, "init", "b")}) == 5
    )
    with pytest.raises(ValueError):
        generator(-1, "data")
