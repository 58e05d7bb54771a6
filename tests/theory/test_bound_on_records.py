"""Pascanu's bound on the records of a sweep: what it is a theorem of holds at every logged step of every run."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sweeps

GAMMA = {"rnn_tanh": 1.0, "rnn_relu": 1.0, "rnn_sigmoid": 0.25}
"""The largest slope of each unit."""


@pytest.fixture(scope="module")
def over(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """By architecture, log10 of the gradient over its bound at every evaluated step and every lag but 0."""
    records = sweeps.train(
        sweeps.compose(
            "arch=rnn_tanh,rnn_relu,rnn_sigmoid,rnn_antisymmetric", "init=orthogonal,random", "init.std=0.2",
            "init.gain=0.5,1,1.5", "task=adding", "task.length=30", "arch.hidden=12", "optim.lr=0.01", "seed=0,1",
            "train.steps=60", "train.batch=8", "train.log_every=20", "train.eval_every=20", "train.eval_size=8",
            "tracker=csv",
        ), tmp_path_factory.mktemp("bound"),
    )  # fmt: skip
    sigma = records.parameters.dropna(subset=["sigma_max"]).set_index(["cell", "step"])["sigma_max"]
    rows = records.gradient.join(sigma, on=["cell", "step"], how="inner")
    end = rows[rows["lag"] == 0].set_index(["cell", "step"])["log10_norm"].rename("end")
    rows = rows[rows["lag"] > 0].join(end, on=["cell", "step"])
    arch = rows["cell"].map(records.cells.set_index("cell")["arch"]).astype(str)
    bound = rows["end"] + rows["lag"] * np.log10(rows["sigma_max"] * arch.map(GAMMA).fillna(1.0))
    return pd.DataFrame({"arch": arch, "lag": rows["lag"], "over": rows["log10_norm"] - bound})


@pytest.mark.parametrize("arch", GAMMA)
def test_no_plain_network_is_above_it(arch: str, over: pd.DataFrame) -> None:
    own = over[over["arch"] == arch]
    assert len(own) == 12 * 4 * 29
    assert own["over"].max() < 1e-5, "the matrix is rounded to float32"
    assert own["over"].max() > -1, "nor is it empty: some gradients come near"


def test_it_is_no_bound_of_a_network_that_adds_to_its_state(over: pd.DataFrame) -> None:
    """h + epsilon tanh(..) of the antisymmetric network has a Jacobian near 1, whatever its W."""
    assert (over.loc[over["arch"] == "rnn_antisymmetric", "over"] > 0.1).any()
