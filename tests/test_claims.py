"""Claims on planted records: a verdict for what is true, false, unclear, diverged, and tuned by more tries."""

from __future__ import annotations

import importlib
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from analysis.make_records import write_cell
from analysis.planted import planted
from sweeps import compose, load, train
from sweeps.analysis.statistics.measures import MEASURES, per_run
from sweeps.claims.claim import Claim, parse_claims
from sweeps.claims.index import index
from sweeps.claims.judge import NOT_HERE, REFUTED, REPLICATED, judge
from sweeps.claims.numbers import number_named
from sweeps.claims.of_experiment import claims_of, write_verdicts
from sweeps.config.places import EXPERIMENTS
from sweeps.errors import SweepsError
from sweeps.main import main
from sweeps.tasks.regression import split

LUCK = np.random.default_rng(5).normal(0, 0.01, (100, 8))


def claim(**given: Any) -> Claim:
    base = {"name": "c", "says": "It does.", "source": "Somebody 2000", "number": "best_score"}
    [found] = parse_claims({"claims": [base | given]})
    return found


@pytest.mark.parametrize(
    ("score", "given", "verdict"),
    [
        (0.95, {"above": 0.9}, REPLICATED),
        (0.80, {"above": 0.9}, NOT_HERE),  # more updates might do it
        (0.95, {"below": 0.9}, REFUTED),  # said to fail, and it learned
        (0.80, {"below": 0.9}, REPLICATED),
        (0.90, {"above": 0.9}, NOT_HERE),  # the interval is on both sides
        (0.90, {"from": 0.8, "to": 1.0}, REPLICATED),
    ],
)
def test_a_claim_about_one_side(tmp_path: Path, score: float, given: dict[str, float], verdict: str) -> None:
    records = planted(tmp_path, lambda run: score + LUCK[run["seed"], 0], seeds=8, arch=("lstm",))
    found = judge(records, claim(**given))
    assert found.verdict == verdict and found.seeds == 8
    values = sorted(score + LUCK[:8, 0])
    assert (found.low, found.high) == pytest.approx((values[1], values[-2])), "P(B < 2) = 9/256, 5% beyond each end"


@pytest.mark.parametrize(("seeds", "verdict"), [(4, NOT_HERE), (5, REPLICATED)])
def test_four_seeds_show_nothing(tmp_path: Path, seeds: int, verdict: str) -> None:
    records = planted(tmp_path, lambda run: 0.99, seeds=seeds, arch=("lstm",))
    found = judge(records, claim(above=0.9))
    assert found.verdict == verdict
    assert (found.why == "4 seeds are too few for an interval") == (seeds == 4)


@pytest.mark.parametrize(
    ("gap", "statistic", "bound", "verdict"),
    [
        (0.2, "difference", {"above": 0.1}, REPLICATED),
        (0.05, "difference", {"above": 0.1}, NOT_HERE),
        (-0.2, "difference", {"above": 0.1}, REFUTED),
        (-0.2, "difference", {"below": -0.1}, REPLICATED),
        (0.2, "difference", {"below": -0.1}, REFUTED),
        (0.4, "ratio", {"above": 1.5}, REPLICATED),
        (-0.2, "ratio", {"above": 1.5}, REFUTED),
    ],
)
def test_a_comparison_is_paired_by_seed(
    tmp_path: Path, gap: float, statistic: str, bound: dict[str, float], verdict: str
) -> None:
    """The seeds differ by far more than what is compared."""

    def rule(run: Any) -> float:
        return 0.3 + run["seed"] / 30 + gap * (run["arch"] == "lstm") + LUCK[run["seed"], 1] / 10

    records = planted(tmp_path, rule, seeds=8, arch=("lstm", "gru"))
    given = {"where": {"arch": "lstm"}, "against": {"arch": "gru"}, "statistic": statistic, **bound}
    assert judge(records, claim(**given)).verdict == verdict


def test_levels_that_are_true_and_false_are_compared(tmp_path: Path) -> None:
    rule = lambda run: 0.5 + 0.3 * (run["stack__residual"] is True) + LUCK[run["seed"], 0]  # noqa: E731
    records = planted(tmp_path, rule, seeds=6, stack__residual=(True, False))
    found = judge(
        records, claim(where={"residual": True}, against={"residual": False}, statistic="difference", above=0)
    )
    assert found.verdict == REPLICATED and found.value == pytest.approx(0.3, abs=0.05)


def test_diverged_runs_count_as_the_worst(tmp_path: Path) -> None:
    records = planted(tmp_path, lambda run: "diverged" if run["seed"] < 3 else 0.95, seeds=8, arch=("lstm",))
    assert judge(records, claim(above=0.9)).verdict == NOT_HERE
    fewer = planted(tmp_path / "b", lambda run: "diverged" if run["seed"] < 1 else 0.95, seeds=8, arch=("lstm",))
    assert judge(fewer, claim(above=0.9)).verdict == REPLICATED


@pytest.mark.parametrize(("solved", "verdict"), [(8, REPLICATED), (6, NOT_HERE)])
def test_a_share_has_an_exact_interval(tmp_path: Path, solved: int, verdict: str) -> None:
    records = planted(tmp_path, lambda run: run["seed"] < solved, seeds=8, arch=("lstm",))
    found = judge(records, claim(number="solved", statistic="share", above=0.6))
    assert found.verdict == verdict and found.value == solved / 8
    if solved == 8:
        assert found.low == pytest.approx(0.05 ** (1 / 8))


@pytest.mark.parametrize("init", ["random", "chrono"])
def test_the_carry_without_weights_is_that_of_constant_gates(tmp_path: Path, init: str) -> None:
    cells = compose(
        "arch=lstm", "arch.hidden=400", "arch.forget_bias=0,2", f"init={init}", "init.gain=0", "init.input_scale=0",
        "task.length=12", "train.steps=1", "train.log_every=1", "train.eval_every=1", "train.eval_size=8",
        "train.batch=2", "probe=gates", "tracker=csv",
    )  # fmt: skip
    found = number_named("carry_over_theory").values(train(cells, tmp_path))
    luck = 1e-6 if init == "random" else 0.1  # time scales are drawn, one a unit
    assert found.tolist() == pytest.approx([1.0] * len(found), abs=luck) and len(found)


def test_sensitivity_and_power_of_a_linear_network_are_those_of_its_inputs(tmp_path: Path) -> None:
    """W = 0.5 I and inputs so small that tanh is linear: h = s U with s = sum of 0.5^k x_{T-1-k}, by hand."""
    cells = compose(
        "arch=rnn_tanh", "arch.hidden=3", "init=identity", "init.gain=0.5", "init.input_scale=1e-4", "task=regression",
        "task.data=linear", "task.length=5", "task.samples=50", "optim=sgd", "optim.lr=1e-12", "train.batch=1",
        "train.steps=300", "train.log_every=1", "train.eval_every=1", "seed=0,1,2,3", "tracker=csv",
    )  # fmt: skip
    records = train(cells, tmp_path)
    x = split("linear", 5, 50, 1.0, 0.15, 0.25)[0][0]  # the sequences that train; each is drawn often
    power = np.mean((x @ 0.5 ** np.arange(4, -1, -1.0)) ** 2)
    slope = np.mean((x[:, :4] @ (np.arange(4, 0, -1) * 0.5 ** np.arange(3, -1, -1.0))) ** 2)
    assert number_named("state_power").values(records).mean() == pytest.approx(power, rel=0.1)
    assert number_named("sensitivity").values(records).mean() == pytest.approx(slope, rel=0.1)
    first: Any = (
        pd.read_csv(tmp_path / records.cells["cell"].iloc[0] / "parameters.csv").iloc[:4].set_index("parameter")
    )
    ratio = math.log10(first.loc["weight_ih", "grad_norm"] / first.loc["weight_hh", "grad_norm"])
    assert number_named("input_over_recurrent").values(records).iloc[0] == pytest.approx(ratio)


def test_a_loss_is_the_lowest_of_a_run_and_tuned_by_itself(tmp_path: Path) -> None:
    """A rate of 1 throws the network away after its first evaluation, so the last one is not the lowest."""
    cells = compose(
        "arch=rnn_tanh", "arch.hidden=4", "optim=sgd", "optim.lr=0.001,1", "task.length=4", "train.steps=20",
        "train.log_every=10", "train.eval_every=10", "train.eval_size=32", "seed=0,1,2,3,4", "tracker=csv",
    )  # fmt: skip
    records = train(cells, tmp_path)
    read = {path.parent.name: pd.read_csv(path) for path in tmp_path.rglob("metrics.csv")}
    lowest = [read[cell]["eval_loss"].min() for cell in records.cells["cell"]]
    assert per_run(records, MEASURES["lowest_loss"]).tolist() == pytest.approx(lowest)
    assert lowest != [read[cell]["eval_loss"].dropna().iloc[-1] for cell in records.cells["cell"]]
    slow = records.cells["lr"].astype(float) == 0.001
    assert judge(records, claim(number="loss_over_chance", below=3, tuned=["optim.lr"])).value == pytest.approx(
        6 * np.median(np.array(lowest)[slow])
    )


def test_every_combination_must_hold(tmp_path: Path) -> None:
    def rule(run: Any) -> float:
        return 0.95 - 0.3 * (run["arch"] == "gru" and run["init"] == "random") + LUCK[run["seed"], 2]

    records = planted(tmp_path, rule, seeds=6, arch=("lstm", "gru"), init=("random", "orthogonal"))
    found = judge(records, claim(above=0.9, for_each=["arch", "init"]))
    assert found.verdict == NOT_HERE and found.why == "holds at 3 of 4"
    assert {name: part.verdict for name, part in found.parts}["GRU, random"] == NOT_HERE
    assert judge(records, claim(above=0.9, for_each=["init"], where={"arch": "lstm"})).verdict == REPLICATED


def test_slopes_and_crossings_are_of_every_seed(tmp_path: Path) -> None:
    for seed in range(6):
        for length in (60, 120, 240):
            write_cell(
                tmp_path / "a",
                length=length,
                seed=seed,
                slope=float(-(0.5 + LUCK[seed, 3]) * np.log10(length) / (length - 1)),
            )
        for gain in (0.8, 1.0, 1.2, 1.4):
            slope = float(gain - 1.1 + LUCK[seed, 4] / 10) / 10
            write_cell(tmp_path / "b", length=60, seed=seed, slope=slope, settings={"init.gain": gain})
    found = judge(
        load(tmp_path / "a"), claim(number="left", statistic="slope", over="length", **{"from": -1.1, "to": -0.9})
    )
    assert found.verdict == REPLICATED and found.seeds == 6
    found = judge(
        load(tmp_path / "b"),
        claim(number="decay_start", statistic="crossing", over="gain", **{"from": 1.07, "to": 1.13}),
    )
    assert found.verdict == REPLICATED and found.value == pytest.approx(1.1, abs=0.01)


def test_the_side_with_more_tries_has_no_advantage(tmp_path: Path) -> None:
    """Nothing matters: the best of 12 rates against one. On the same runs it would be a difference of 1.6 sd."""
    luck = np.random.default_rng(8).normal(0, 0.05, 1000).tolist()

    def rule(run: Any) -> float | None:
        if run["arch"] == "gru" and run["optim__lr"] != 0.001:
            return None
        return 0.5 + luck.pop()

    rates = tuple(0.001 * 2**at for at in range(12))
    records = planted(tmp_path, rule, seeds=12, arch=("lstm", "gru"), optim__lr=rates)
    given = {"where": {"arch": "lstm"}, "against": {"arch": "gru"}, "statistic": "difference", "above": 0.0}
    assert judge(records, claim(**given, tuned=["optim.lr"])).verdict != REPLICATED
    best = (
        records.cells.groupby(["arch", "lr"], observed=True)["best_score"].median().groupby("arch", observed=True).max()
    )
    assert best["lstm"] - best["gru"] > 0.02, "chosen and reported on the same runs it looks like one"


def test_the_side_that_is_better_when_tuned_is_found(tmp_path: Path) -> None:
    def rule(run: Any) -> float:
        own = {"lstm": 0.1, "gru": 0.01}[run["arch"]]
        return 0.8 - 0.2 * abs(np.log10(run["optim__lr"] / own)) + 0.1 * (run["arch"] == "gru") + LUCK[run["seed"], 5]

    records = planted(tmp_path, rule, seeds=8, arch=("lstm", "gru"), optim__lr=(0.1, 0.01))
    given: dict[str, Any] = {"against": {"arch": "lstm"}, "statistic": "difference", "above": 0.05}
    given["where"] = {"arch": "gru"}
    assert judge(records, claim(**given, tuned=["lr"])).verdict == REPLICATED
    given["where"] = {"arch": "gru", "lr": 0.1}
    assert judge(records, claim(**given)).verdict == REFUTED, "at the rate that suits the other"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"number": "best_scor"}, "claims.c.*best_scor.*best_score"),
        ({"above": "much"}, "claims.c.above: given 'much', must be a number"),
        ({"above": None}, "above: given None"),
        ({"statistic": "mean", "above": 1}, "claims.c.statistic.*mean.*median"),
        ({"statistic": "ratio", "above": 1}, "against goes with ratio and difference"),
        ({"statistic": "slope", "above": 1}, "over goes with slope and crossing"),
        ({"above": 1, "wehre": {}}, "wehre.*where"),
        ({"above": 1, "says": ""}, "claims.c.says: must be given"),
        ({"above": 1, "below": 0}, "from 1 to 0 holds no number"),
        ({"above": 1, "for_each": "arch"}, "must be a list of axes"),
        ({"statistic": "ratio", "above": 1, "against": {"arch": "gru"}}, "against.arch: must be in where, too"),
    ],
)
def test_a_claim_that_is_wrong_is_told(given: dict[str, Any], message: str) -> None:
    with pytest.raises(SweepsError, match=message):
        claim(**given)


def test_verdicts_are_written_with_their_source(tmp_path: Path) -> None:
    records = planted(tmp_path / "runs", lambda run: 0.95 + LUCK[run["seed"], 6], seeds=6, arch=("lstm",))
    each = {"name": "it_learns", "says": "It learns.", "source": "Somebody 2000", "number": "best_score"}
    file = tmp_path / "claims.yaml"
    file.write_text(yaml.safe_dump({"claims": [each | {"above": 0.9}, each | {"name": "more", "above": 0.99}]}))
    found = claims_of(file, records)
    text = write_verdicts(records, found, tmp_path / "out")[0].read_text()
    assert text.startswith("2 claims: 1 replicated, 1 not replicated at this budget.")
    assert "✓ **it_learns: replicated.** It learns. (Somebody 2000)" in text
    assert "n = 6 seeds, 20 updates" in text and "Records: sha256" in text
    assert claims_of(tmp_path / "none.yaml", records) == []
    file.write_text("claims: [")
    with pytest.raises(SweepsError, match="is no YAML"):
        claims_of(file, records)
    file.write_text(yaml.safe_dump({"claims": [each | {"above": 0.9, "where": {"arch": "grru"}}]}))
    with pytest.raises(SweepsError, match=r"claims\.it_learns: .*grru"):
        claims_of(file, records)


def test_the_command_judges_and_requires(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """Exit status 0 whatever the verdicts, 1 with --require; a name that is none is told."""
    module = importlib.import_module("sweeps.commands.claims")  # its name is also that of the command
    monkeypatch.setattr(module, "EXPERIMENTS", tmp_path)
    monkeypatch.setattr(module, "choices", lambda group: ["study", "plain"])
    planted(tmp_path / "runs" / "study", lambda run: 0.95 + LUCK[run["seed"], 7], seeds=6, arch=("lstm",))
    (tmp_path / "study").mkdir()
    each = {"name": "it_learns", "says": "It learns.", "source": "Somebody 2000", "number": "best_score", "above": 0.99}
    (tmp_path / "study" / "claims.yaml").write_text(yaml.safe_dump({"claims": [each]}))
    where = ["claims", "experiment=study", f"runs_dir={tmp_path / 'runs'}"]
    assert main(where) == 0 and main([*where, "--require"]) == 1
    told = capsys.readouterr().out
    assert "– it_learns: not replicated at this budget" in told and "1 claim: 1 not replicated at this budget." in told
    assert (tmp_path / "runs" / "study" / "claims.csv").is_file()
    for name, message in (("plain", "plain has no claims"), ("stduy", "did you mean 'study'")):
        assert main(["claims", f"experiment={name}"]) == 2
        assert message in " ".join(capsys.readouterr().err.split())


def test_the_page_of_experiments_is_that_of_their_results() -> None:
    """`python -m sweeps claims --index` makes it again."""
    assert (EXPERIMENTS / "README.md").read_text(encoding="utf-8") == index(EXPERIMENTS)


def test_a_result_of_other_claims_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    (folder / "result").mkdir(parents=True)
    (folder / "README.md").write_text("# study: a question\n")
    each = {"name": "it_learns", "says": "It learns.", "source": "Somebody 2000", "number": "best_score", "above": 0.9}
    (folder / "claims.yaml").write_text(yaml.safe_dump({"claims": [each]}))
    head = "claim,part,verdict,value,low,high,seeds,steps,criterion,source\n"
    (folder / "result" / "claims.csv").write_text(f"{head}it_learns,,replicated,0.95,0.94,0.96,6,20,c,s\n")
    assert "| It learns. | ✓ replicated | 0.95, n = 6 | Somebody 2000 |" in index(tmp_path)
    (folder / "result" / "claims.csv").write_text(f"{head}other,,replicated,0.95,0.94,0.96,6,20,c,s\n")
    with pytest.raises(SweepsError, match="not of the claims that are declared"):
        index(tmp_path)
