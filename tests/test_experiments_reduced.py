"""The experiments without training, at reduced size: what theory says must be replicated here too, on other seeds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sweeps import compose, train
from sweeps.claims.claim import parse_claims
from sweeps.claims.judge import REFUTED, REPLICATED, judge
from sweeps.claims.of_experiment import node_of
from sweeps.config.places import EXPERIMENTS

SMALLER: dict[str, tuple[list[str], dict[str, dict[str, Any]]]] = {
    "growth_law": (
        ["arch.hidden=200", "init.gain=0.7,1.1,1.2,1.5", "init.input_scale=1", "seed=range(40,46)"],
        {
            "growth_per_step": {"where": {"init": "orthogonal"}, "for_each": ("gain",)},
            "critical_gain": {"where": {"init": "orthogonal"}, "for_each": ()},
        },
    ),
    "identity_power_law": (
        ["task.length=25,100", "seed=range(40,45)"],
        {
            "survival_law": {},
            "tanh_is_exponential": {"where": {"arch": "rnn_tanh", "init": "orthogonal", "length": 100}},
            "identity_is_not": {"where": {"arch": "rnn_relu", "init": "identity", "length": 100}},
        },
    ),
    "lyapunov_slope": (
        ["arch.hidden=32", "init.gain=0.6,2.5", "seed=range(40,50)"],
        {
            "slope_is_exponent_tanh": {"where": {"arch": "rnn_tanh", "gain": 0.6}},
            "slope_is_exponent_gru": {"where": {"arch": "gru", "gain": 0.6}},
            "order_vanishes": {"where": {"arch": "rnn_tanh", "gain": 0.6}},
            "chaos_explodes": {"where": {"arch": "rnn_tanh", "gain": 2.5}},
        },
    ),
    "curse_of_memory": (
        ["arch=rnn_tanh,lru", "arch.r_max=0.9", "task.length=150", "init.gain=0.8,0.95", "train.steps=30",
         "seed=range(40,52)"],
        {
            # 1 / (1 - lambda^2) and (1 + lambda^2) / (1 - lambda^2)^3 at 0.95 over those at 0.8, and 40% on either side
            "state_grows": {"where": {"arch": "rnn_tanh", "gain": 0.95}, "against": {"gain": 0.8},
                            "low": 3.69 / 1.4, "high": 3.69 * 1.4},
            "sensitivity_grows_as_a_third_power": {"where": {"arch": "rnn_tanh", "gain": 0.95},
                                                   "against": {"gain": 0.8}, "low": 58.3 / 1.7, "high": 58.3 * 1.7},
            "no_gradient_explodes": {},
            "lru_keeps_the_power": {"for_each": (), "low": 0.7, "high": 1.4},
        },
    ),
}  # fmt: skip
"""By experiment: what is smaller, and of each claim what that changes in it. What is claimed are numbers of theory."""


def judged(experiment: str, tmp_path: Path) -> dict[str, str]:
    overrides, claims = SMALLER[experiment]
    records = train(compose(f"experiment={experiment}", "tracker=csv", *overrides), tmp_path)
    declared = {claim.name: claim for claim in parse_claims(node_of(EXPERIMENTS / experiment / "claims.yaml"))}
    return {name: judge(records, replace(declared[name], **changed)).verdict for name, changed in claims.items()}


@pytest.mark.slow
@pytest.mark.parametrize("experiment", SMALLER)
def test_what_theory_says_is_replicated(tmp_path: Path, experiment: str) -> None:
    assert judged(experiment, tmp_path) == dict.fromkeys(SMALLER[experiment][1], REPLICATED)


@pytest.mark.slow
def test_a_law_with_a_wrong_number_is_refuted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The critical gain without inputs, 1, in place of that of the task's inputs, 1.169."""
    overrides, _ = SMALLER["growth_law"]
    wrong = {"critical_gain": {"where": {"init": "orthogonal"}, "for_each": (), "low": 0.97, "high": 1.03}}
    monkeypatch.setitem(SMALLER, "growth_law", (overrides, wrong))
    assert judged("growth_law", tmp_path) == {"critical_gain": REFUTED}
