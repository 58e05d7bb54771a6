"""The init that keeps gradients alive is named by its dynamics, not by its readout, its length or a zero gradient."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.make_records import write_cell
from sweeps import load
from sweeps.analysis.statistics.summaries import SHORTEST, decay_rates, per_cell
from sweeps.report.before_training import at_initialisation
from sweeps.report.document import Prose, Tabular
from sweeps.report.gradients_alive import alive

FAST, SLOW = -0.3, -0.02
"""Decades per step: within 20 lags of the readout, and beyond, where the dynamics alone decide."""


def alive_at(root: Path) -> tuple[str, str]:
    """The sentences and the table of `alive`."""
    records = load(root)
    blocks = alive(records, at_initialisation(records))
    prose, table = blocks[0], blocks[-1]
    assert isinstance(prose, Prose)
    return prose.text, table.text if isinstance(table, Tabular) else ""


def transient(lag: int) -> float:
    """20 lags of a readout that the network forgets fast, then a slow decay."""
    return FAST * min(lag, 20) + SLOW * max(lag - 20, 0)


def zero_from_one_step_back(lag: int) -> float:
    """A gradient that is exactly zero one step back."""
    return -math.inf if lag else 0.0


@pytest.mark.parametrize("length", [50, 64, 100, 200])
def test_the_factor_per_step_is_the_same_at_every_length(tmp_path: Path, length: int) -> None:
    """A line through all lags reads 0.75 at T = 50 and 0.94 at T = 200; the process never changes."""
    write_cell(tmp_path, length=length, steps=20, curve=transient)
    write_cell(tmp_path, init="random", length=length, steps=20, slope=-0.05)
    start = at_initialisation(load(tmp_path)).set_index("init")
    assert start.loc["orthogonal", "rate"] == pytest.approx(SLOW, abs=1e-12)
    assert start.loc["orthogonal", "change"] == pytest.approx(transient(length - 1) / (length - 1))
    text, table = alive_at(tmp_path)
    assert "- **tanh RNN: orthogonal**, 0.955 per step (n = 1); end to end the gradient changes by" in text
    assert "| orthogonal | **0.955 (" in table
    otherwise = "End to end it is random that changes least (0.050 decades per step)."
    assert (otherwise in text) is (length < 200), "what arrives still depends on the transient, and is named"


@pytest.mark.parametrize("length", [10, 20, 49])
def test_a_length_that_does_not_reach_past_the_transient_names_no_init(tmp_path: Path, length: int) -> None:
    write_cell(tmp_path, length=length, steps=20, curve=transient)
    write_cell(tmp_path, init="random", length=length, steps=20, slope=-0.05)
    text, table = alive_at(tmp_path)
    assert f"At T = {length}, the longest here, no init is named" in text and "**" not in text + table
    assert f"that takes {SHORTEST} steps" in text
    assert f"{transient(length - 1) / (length - 1):+.3f}" in table and "-0.050" in table
    assert at_initialisation(load(tmp_path))["rate"].isna().all()


def test_a_sequence_that_starts_from_zero_is_left_out_as_well(tmp_path: Path) -> None:
    """What the first steps do to a state that leaves 0 is no property of the dynamics either."""
    write_cell(tmp_path, length=60, steps=20, curve=lambda lag: SLOW * min(lag, 40) + 0.2 * max(lag - 40, 0))
    assert at_initialisation(load(tmp_path))["rate"].item() == pytest.approx(SLOW, abs=1e-12)


def test_a_gradient_that_is_exactly_zero_cannot_win(tmp_path: Path) -> None:
    """Zero from lag 3 on and constant before: were its zeros dropped, it would be the most constant of all."""
    for seed in range(4):
        write_cell(
            tmp_path, init="he", seed=seed, length=60, steps=20, curve=lambda lag: -math.inf if lag > 2 else -1.0
        )
        write_cell(tmp_path, init="identity", seed=seed, length=60, steps=20, slope=-0.005)
    text, table = alive_at(tmp_path)
    assert "- **tanh RNN: identity**, 0.989 per step (n = 4: 0.989); end to end" in text
    assert "by -0.0050 decades per step, in all by a factor of 10^-0.3." in text
    assert "it is the nearest to constant in 4 of 4" in text
    assert "| He       |            0 (-inf) |" in table
    start = at_initialisation(load(tmp_path))
    assert (start.loc[start["init"] == "he", ["rate", "late", "early", "change", "total"]] == -math.inf).all(axis=None)
    assert start.loc[start["init"] == "he", "lost"].sum() == 0


def test_one_zero_before_the_last_step_makes_the_gradient_zero(tmp_path: Path) -> None:
    rates = pd.DataFrame({"cell": "a", "step": 0, "t": range(60), "lag": range(59, -1, -1), "log10_norm": -1.0})
    rates.loc[rates["lag"] == 59, "log10_norm"] = -math.inf
    row = decay_rates(rates).iloc[0]
    assert (row["decay_rate"], row["change"], row["zeros"]) == (-math.inf, -math.inf, 1 / 60)


def test_a_minority_of_zero_gradients_is_reported_and_a_majority_loses(tmp_path: Path) -> None:
    for seed in range(5):
        curve = zero_from_one_step_back if seed < 2 else None
        write_cell(tmp_path, seed=seed, length=60, steps=20, slope=0.0, curve=curve)
        write_cell(tmp_path, init="he", seed=seed, length=60, steps=20, slope=-0.1)
    text, _ = alive_at(tmp_path)
    assert "**tanh RNN: not decided** between orthogonal (1.000, n = 5) and He (0.794, n = 5)" in text
    assert "orthogonal by the median, but compared by seed it is the nearest to constant in 3 of 5 and He in 2." in text
    for seed in range(5, 7):
        write_cell(tmp_path, seed=seed, length=60, steps=20, curve=zero_from_one_step_back)
        write_cell(tmp_path, init="he", seed=seed, length=60, steps=20, slope=-0.1)
    text, _ = alive_at(tmp_path)
    assert "He by the median, but compared by seed it is the nearest to constant in 4 of 7 and orthogonal in 3." in text


def test_an_architecture_whose_gradients_are_all_zero_has_no_winner(tmp_path: Path) -> None:
    for init in ("he", "identity"):
        write_cell(tmp_path, init=init, length=60, steps=20, curve=lambda lag: -math.inf)
    text, table = alive_at(tmp_path)
    assert "- **tanh RNN: none**; in all of its 2 networks the gradient is exactly zero or not finite." in text
    assert "**" not in table


def test_a_network_without_a_finite_gradient_is_infinitely_far_from_constant(tmp_path: Path) -> None:
    """Two of three He networks diverge at update 0; the third is level: leaving them out would make He the winner."""
    for seed in range(3):
        diverges = seed < 2
        write_cell(
            tmp_path,
            init="he",
            seed=seed,
            length=60,
            steps=20,
            slope=0.0,
            outcome="diverged" if diverges else "finished",
            end=0,
        )
        write_cell(tmp_path, seed=seed, length=60, steps=20, slope=-0.05)
    text, _ = alive_at(tmp_path)
    assert "orthogonal by the median, but compared by seed it is the nearest to constant in 2 of 3 and He in 1." in text
    assert at_initialisation(load(tmp_path))["lost"].sum() == 2


def test_halves_that_name_different_inits_decide_nothing(tmp_path: Path) -> None:
    """A readout that is felt over 50 lags: near the end of the sequence one init is level, before it the other."""
    write_cell(tmp_path, length=100, steps=20, curve=lambda lag: -0.3 * min(lag, 50))
    write_cell(tmp_path, init="identity", length=100, steps=20, curve=lambda lag: -0.05 * lag)
    text, table = alive_at(tmp_path)
    assert "**tanh RNN: not decided** between identity (0.891, n = 1) and orthogonal (" in text
    assert "**" not in table


def test_runs_that_differ_in_what_acts_later_are_one_network(tmp_path: Path) -> None:
    for clip in ("none", "norm"):
        for lr in (0.1, 0.2):
            write_cell(tmp_path, clip=clip, length=60, steps=20, settings={"optim.lr": lr})
    for hidden in (8, 16):
        write_cell(tmp_path, length=60, steps=20, curve=lambda lag: -math.inf, settings={"arch.hidden": hidden})
    start = at_initialisation(load(tmp_path))
    assert sorted(start["hidden"]) == [8, 16, 32], "two zero-gradient networks of different sizes count as two"


def test_networks_are_seen_where_the_longest_sequence_has_no_unclipped_run(tmp_path: Path) -> None:
    write_cell(tmp_path, length=10, steps=20)
    write_cell(tmp_path, length=60, steps=20, clip="norm")
    assert "- **tanh RNN: orthogonal**, 0.794 per step (n = 1)" in alive_at(tmp_path)[0]


def test_one_time_step_has_a_gradient_and_no_step_back(tmp_path: Path) -> None:
    write_cell(tmp_path, length=1, steps=20)
    text, _ = alive_at(tmp_path)
    assert text == "At T = 1, the longest here, there is no step back in time: no init is named."


def test_the_tables_have_the_same_numbers(tmp_path: Path) -> None:
    write_cell(tmp_path, length=60, steps=20, curve=transient)
    records = load(tmp_path)
    row = per_cell(records.metrics, records.gradient).iloc[0]
    assert row["decay_start"] == row["decay_training"] == pytest.approx(SLOW)
    assert row["change_start"] == row["change_training"] == pytest.approx(transient(59) / 59)


def test_equal_gradients_are_a_tie(tmp_path: Path) -> None:
    for seed in range(3):
        for init in ("orthogonal", "random"):
            write_cell(tmp_path, init=init, length=100, steps=20, seed=seed, slope=-0.05)
    text, table = alive_at(tmp_path)
    assert "**" not in table, "nothing is bold in a tie"
    assert (
        "**tanh RNN: a tie** between" in text and "0.891 per step each" in text and "nearest to constant in" not in text
    )


def test_an_init_that_loses_most_pairs_is_not_the_nearest(tmp_path: Path) -> None:
    """By the median orthogonal is nearer to constant; with three seeds of five identity is."""
    slopes = {"orthogonal": (-0.10, -0.11, -0.30, -0.01, -0.02), "identity": (-0.09, -0.10, -0.29, -0.12, -0.13)}
    for init, by_seed in slopes.items():
        for seed, slope in enumerate(by_seed):
            write_cell(tmp_path, init=init, length=100, steps=20, seed=seed, slope=slope)
    text, table = alive_at(tmp_path)
    assert "**tanh RNN: not decided** between orthogonal (0.794, n = 5) and identity (0.759, n = 5)" in text
    assert "by seed it is the nearest to constant in 2 of 5 and identity in 3." in text and "**" not in table


def test_of_inits_that_differ_by_luck_alone_none_is_named(tmp_path: Path) -> None:
    """Two equal inits: one has the smaller median whatever happens, and by luck all of 8 seeds once in 128."""
    named, rng = 0, np.random.default_rng(5)
    for study in range(20):
        for init, seed in itertools.product(("orthogonal", "identity"), range(8)):
            write_cell(
                tmp_path / f"{study}", init=init, length=60, steps=20, seed=seed, slope=float(rng.normal(-0.1, 0.02))
            )
        named += "not decided" not in alive_at(tmp_path / f"{study}")[0]
    assert named <= 2
