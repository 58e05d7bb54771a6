"""Tasks are those of their papers: targets recomputed by hand, chance losses in closed form, disjoint splits."""

from __future__ import annotations

import itertools
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


def test_a_variable_binary_sum_by_hand_and_its_entropy() -> None:
    task = tasks.make("binary_sum_variable", length=9, solved_at=0.99, shortest=3)
    batch = task.sample(np.random.default_rng(0), 100_000)
    x, y, lengths = batch.inputs, batch.targets, batch.lengths
    assert lengths is not None
    assert np.bincount(lengths, minlength=10)[3:].min() > 13_500 and lengths.min() == 3 and lengths.max() == 9
    for b in range(200):
        own = x[: lengths[b], b, 0]
        assert set(own) <= {-1.0, 1.0} and not x[lengths[b] :, b].any() and y[b] == (own == 1).sum() % 10
    share = np.bincount(y, minlength=10) / 100_000
    assert -(share * np.log(share)).sum() == pytest.approx(task.chance_loss, abs=0.01)
    fixed, plain = (
        tasks.make("binary_sum_variable", length=9, solved_at=1, shortest=9),
        tasks.make("binary_sum", length=9, solved_at=1),
    )
    assert fixed.chance_loss == pytest.approx(plain.chance_loss, rel=1e-12)
    with pytest.raises(ValueError, match=r"task\.shortest: given 10, must be from 1 to task.length, here 9"):
        tasks.make("binary_sum_variable", length=9, solved_at=1, shortest=10)


def test_the_chance_of_binary_sums_is_that_of_all_bits_listed() -> None:
    """Of every word of 11 and of 12 bits, and of lengths whose classes nobody can list."""
    sums = [[sum(word) % 10 for word in itertools.product((0, 1), repeat=n)] for n in (11, 12)]
    of_11, of_12 = (np.bincount(each, minlength=10) / len(each) for each in sums)
    for name, share, extra in (
        ("binary_sum", of_12, {}),
        ("binary_sum_variable", (of_11 + of_12) / 2, {"shortest": 11}),
    ):
        task = tasks.make(name, length=12, solved_at=1, **extra)
        assert task.chance_loss == pytest.approx(-(share * np.log(share)).sum(), rel=1e-14)
        far = {key: 3_900 for key in extra}
        assert tasks.make(name, length=4_000, solved_at=1, **far).chance_loss == pytest.approx(math.log(10), rel=1e-12)


def test_unpack_asks_for_the_bits_of_its_vector_in_order() -> None:
    batch = tasks.make("unpack", length=7, solved_at=1).sample(np.random.default_rng(0), 1000)
    y, vector = batch.targets, batch.vector
    assert vector is not None and np.array_equal(np.where(y.T == 1, 1.0, -1.0), vector) and not batch.inputs.any()
    assert abs(y.mean() - 0.5) < 4 * 0.5 / 7000**0.5


def test_digits_are_real_and_split_properly() -> None:
    (train, labels), chosen, (test, test_labels) = split(0.2)
    assert chosen is not None and (len(train), len(chosen[0]), len(test)) == (1149, 288, 360)
    assert train.min() == 0 and train.max() == 1
    for own in (chosen[1], test_labels):
        share = np.bincount(labels) / len(labels) - np.bincount(own) / len(own)
        assert abs(share).max() < 0.007  # stratified
    three = [{row.tobytes() for row in images} for images in (train, chosen[0], test)]
    assert sum(map(len, three)) == len(set().union(*three)), "no image is in two parts"


def test_digits_without_a_validation_part_are_those_of_records_that_lack_the_setting() -> None:
    (train, _), chosen, (test, _) = split(0)
    assert chosen is None and len(train) == 1437
    assert {row.tobytes() for row in train} == {row.tobytes() for part in split(0.2)[:2] if part for row in part[0]}
    assert np.array_equal(test, split(0.2)[2][0]), "the test part is the same"
    task = tasks.make("digits", length=64, solved_at=0.9)
    assert np.array_equal(task.evaluation(np.random.default_rng(0), 1).inputs[..., 0].T, test)
    assert tasks.base.held_out(task, np.random.default_rng(0)) is None
    with pytest.raises(ValueError, match=r"given 0\.99, must be from 0\.01 to 0\.9, or 0 for no such part"):
        tasks.make("digits", length=64, solved_at=0.9, validation=0.99)


def test_digits_come_pixel_by_pixel_then_blank() -> None:
    task = tasks.make("digits", length=70, solved_at=0.9, validation=0.2)
    rng = np.random.default_rng(0)
    for given, part in zip((task.evaluation(rng, 7), tasks.base.held_out(task, rng)), split(0.2)[1:], strict=True):
        assert given is not None and part is not None
        x, y, *_ = given
        assert x.shape == (70, len(part[1]), 1)
        assert np.array_equal(x[:64, :, 0].T, part[0]) and not x[64:].any()
        assert np.array_equal(y, part[1])


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
