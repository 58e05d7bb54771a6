"""A run that was solved counts as solved wherever runs are counted, whatever followed; both counts are shown."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.make_records import write_cell
from sweeps import clipping_audit, compare, comparison, load, overview, pairwise, rank, steps_to_solve
from sweeps.analysis.loading.axes import AXES
from sweeps.analysis.statistics.outcomes import COUNTS, shares
from sweeps.errors import SweepsError
from sweeps.figures.catalogue import figure
from sweeps.records.paths import SweepPaths
from sweeps.report.captions import captions
from sweeps.report.make import make_report
from sweeps.report.what_ran import headline, runs_by_outcome


@pytest.fixture(scope="module")
def blown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixteen ReLU runs: of the eight clipped by norm four are solved at update 300 and diverge at 700."""
    root = tmp_path_factory.mktemp("runs") / "blown"
    for clip in ("none", "norm"):
        for seed in range(8):
            more: dict[str, Any] = {"steps": 1000, "log_every": 100, "eval_every": 100, "length": 5}
            if clip == "norm" and seed < 4:
                last = {"step": 700, "train_loss": "inf", "eval_loss": 0.1, "eval_score": 0.95, "grad_norm": "inf"}
                kept = {"solved_step": 300, "final": last}  # still solved at its last evaluation, then blown up
                more |= {"outcome": "diverged", "end": 700, "best_score": 0.95, "summary": kept}
            write_cell(root, arch="rnn_relu", clip=clip, seed=seed, **more)
    report(root)
    return root


def report(root: Path) -> str:
    """The report as Markdown, without its figures."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sweeps.report.make.draw", lambda *_, **__: [])
        return make_report(SweepPaths(root)).markdown.read_text()


def test_frames_count_it_once_and_alike(blown: Path) -> None:
    records = load(blown)
    assert {name: int(of(records.cells).sum()) for name, of in COUNTS.items()} == {
        **{"solved": 4, "solved_at_end": 0},
        **{"diverged": 4, "diverged_at_start": 0},
    }
    table = comparison(records)
    columns = ["share_solved", "share_solved_at_end", "share_diverged"]
    assert table["clip"].tolist() == ["none", "norm"] and table["solved_step"].iloc[1] == 300
    assert table[columns].to_numpy().tolist() == [[0.0, 0.0, 0.0], [0.5, 0.0, 0.5]]
    assert overview(records)["solved"].tolist() == [0, 4] and overview(records)["runs"].tolist() == [8, 8]
    assert shares(records, AXES)["share_solved"].tolist() == [0.0, 0.5]
    assert compare(records, ("clip",), "solved").frame["value"].tolist() == [0.0, 0.5]
    assert compare(records, ("clip",), "solved_at_end").frame["value"].tolist() == [0.0, 0.0]
    assert steps_to_solve(records, ("clip",)).frame["solved"].tolist() == [0, 4]
    audit = clipping_audit(records).frame.iloc[0]
    assert (audit["solved_gained"], audit["solved_lost"], audit["diverged_caused"]) == (4, 0, 4)
    assert (audit["solved_at_end_gained"], audit["solved_at_end_lost"]) == (0, 0)


def test_headline_and_what_ran_count_it(blown: Path) -> None:
    records = load(blown)
    assert headline(records) == "16 runs: 4 solved (0 at the end), 4 diverged (4 after solving), 12 neither."
    assert list(runs_by_outcome(records).values()) == [4, 0, 4, 0, 4, 12]
    text = (blown / "report" / "report.md").read_text()
    assert "\n\n16 runs: 4 solved (0 at the end), 4 diverged (4 after solving), 12 neither. Varied: " in text
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("| ")]
    ran = {row[0]: row[2:] for row in rows if len(row) == 4 and row[-1].endswith("%")}
    assert ran == {
        "solved": ["4", "25%"],
        "of these, at the end": ["0", "0%"],
        "diverged": ["4", "25%"],
        "of these, after solving": ["4", "25%"],
        "neither": ["12", "75%"],
    }


def test_answer_and_captions_count_it(blown: Path) -> None:
    text = (blown / "report" / "report.md").read_text()
    assert "**25% of runs solved the task** (4 of 16): an evaluation reached 0.9 in explained variance." in text
    assert "At the end 0 of the 4 were still solved." in text
    assert "Solved: no clipping (0 of 8), clip by norm (4 of 8)." in text
    assert (
        "- **Clip by norm**, 8 pairs. Solved: 4 only with it, 0 only without. Solved at the end: 0 only "
        "with it, 0 only without. Diverged: 4 only with it, 0 only without." in text
    )
    assert re.search(r"\| clip by norm \| 4 of 8 \(50%\) +\| +0 of 8 \(0%\) \| 4 of 8 \(50%\) \|", text)
    assert "(4 of 16): clip by norm 4. 4 of the 4 had solved the task before." in text
    records = load(blown)
    texts, by_clip = captions(records), "no clipping (0 of 8), clip by norm (4 of 8)."
    for name in ("share_solved", "loss_curves"):
        assert f"4 of 16 runs solved the task (0 at the end): {by_clip}" in texts[name]
    assert f"4 of 16 runs diverged (25%), none of them at update 0: {by_clip}" in texts["outcomes"]


def test_figures_draw_it(blown: Path) -> None:
    records = load(blown)
    solved, outcomes = figure("share_solved", records), figure("outcomes", records)
    assert solved is not None and outcomes is not None
    drawn = [line.get_ydata() for ax in solved.axes for line in ax.lines if line.get_linestyle() == "None"]
    assert sorted(float(share) for y in drawn for share in np.asarray(y)) == [0.0, 0.5]
    gone, kept = ([text.get_text() for text in ax.texts if text.get_text() == ".50"] for ax in outcomes.axes)
    assert gone == kept == [".50"], "in both maps"


def best_and_last(root: Path) -> None:
    """Clipping by norm gains 3 and loses 1 by any evaluation, and gains 1 and loses 2 by the last one."""
    best = {"none": (0, 0, 0, 1, 1, 0), "norm": (1, 1, 1, 0, 1, 0)}
    last = {"none": (0, 0, 0, 1, 1, 0), "norm": (1, 0, 0, 0, 0, 0)}
    for clip in ("none", "norm"):
        for seed, (reached, kept) in enumerate(zip(best[clip], last[clip], strict=True)):
            final = {"step": 200, "train_loss": 0.1, "eval_loss": 0.1, "eval_score": 0.9 if kept else 0.899}
            more = {"solved_step": 120 if reached else None, "final": {**final, "grad_norm": 1.0}}
            outcome = "solved" if reached else "finished"
            write_cell(root, clip=clip, seed=seed, length=5, outcome=outcome, end=200, best_score=0.95, summary=more)


def test_clipping_is_told_by_the_best_look_and_by_the_last(tmp_path: Path) -> None:
    best_and_last(tmp_path)
    text = report(tmp_path)
    assert (
        "- **Clip by norm**, 6 pairs. Solved: 3 only with it, 1 only without. Solved at the end: 1 only with it, 2 "
        "only without. Diverged: 0 only with it, 0 only without."
    ) in text
    assert re.search(r"\| no clipping  \| 2 of 6 \(33%\) \| +2 of 6 \(33%\) \|", text)
    assert re.search(r"\| clip by norm \| 4 of 6 \(67%\) \| +1 of 6 \(17%\) \|", text)
    assert (
        "solved if any of its evaluations reached the task's score, and solved at the end if the last one did" in text
    )
    row = clipping_audit(load(tmp_path)).rows[0]
    assert [cell.text for cell in row[-3:]] == ["+3 −1", "+1 −2", "+0 −0"]


def test_the_score_to_reach_is_that_of_the_run_and_else_of_its_settings(tmp_path: Path) -> None:
    score = {"step": 200, "train_loss": 0.1, "eval_loss": 0.1, "eval_score": 0.95, "grad_norm": 1.0}
    for seed, task in enumerate(({"solved_at": 0.9}, {"solved_at": 0.99}, {})):
        more = {"task": task, "final": score}
        write_cell(tmp_path, seed=seed, length=3, outcome="solved", end=200, summary=more)
    assert COUNTS["solved_at_end"](load(tmp_path).cells).tolist() == [True, False, True]


# --- runs that end as soon as they are solved


def crossing(root: Path, *, stop: bool = True) -> None:
    """A tanh run crosses the threshold at 0.93 and a GRU at 0.905 though sooner: the best score ranks the stride."""
    for arch, score, end in (("rnn_tanh", 0.93, 160), ("gru", 0.905, 80)):
        for clip in ("none", "norm"):
            for seed in range(8):
                more = {"train.stop_when_solved": stop}
                write_cell(
                    root,
                    arch=arch,
                    clip=clip,
                    seed=seed,
                    length=5,
                    outcome="solved",
                    end=end,
                    best_score=score,
                    settings=more,
                )


def test_scores_of_runs_that_end_when_solved_rank_nothing(tmp_path: Path) -> None:
    crossing(tmp_path)
    records = load(tmp_path)
    for metric in ("best_score", "final_score", "best_loss", "final_loss", "final_eval_loss"):
        with pytest.raises(
            SweepsError, match=rf"{metric} cannot rank \(solved_step and solved can\). Not ranked: 32 of 32 "
        ):
            rank(records, metric=metric)
        table = compare(records, ("arch",), metric)
        assert not table.frame["best"].any() and not table.frame["worse"].any() and table.frame["p"].isna().all()
        assert "Not ranked: 32 of 32 runs ended at the evaluation that solved them" in table.legend
        assert "Tests are" not in table.legend and "Bold" not in table.legend
        assert pairwise(records, ("arch",), metric).frame[["effect", "p", "p_holm"]].isna().all(axis=None)
    audit = clipping_audit(records)
    assert audit.frame[["effect", "p", "p_holm"]].isna().all(axis=None) and "Not ranked: 32 of 32" in audit.legend
    first = rank(records, ("arch",), "solved_step").frame.iloc[0]
    assert (first["arch"], first["rank"], first["better_than"]) == ("gru", 1, 1)


def test_the_report_ranks_them_by_their_updates_and_says_why(tmp_path: Path) -> None:
    crossing(tmp_path)
    text = report(tmp_path)
    assert "Ranking by the best" not in text and "### Ranking by the updates until solved\n" in text
    for part in ("### At a glance", "### Comparison of the best"):
        assert "Not ranked: 32 of 32 runs ended at the evaluation" in text[text.index(part) :].split("\n### ")[0]
    assert "Not ranked: 32 of 32" in (tmp_path / "report" / "tables" / "comparison.md").read_text()
    audit = pd.read_csv(tmp_path / "report" / "tables" / "clipping_audit.csv")
    assert audit["difference"].tolist() == [0.0, 0.0] and audit["p"].notna().all(), "in updates until solved"


def test_without_that_setting_or_without_a_solved_run_scores_rank_as_ever(tmp_path: Path) -> None:
    crossing(tmp_path / "on", stop=False)
    assert rank(load(tmp_path / "on")).frame["arch"].iloc[0] == "rnn_tanh"
    for arch, score in (("rnn_tanh", 0.3), ("gru", 0.5)):
        for seed in range(8):
            more = {"train.stop_when_solved": True}
            write_cell(tmp_path / "none", arch=arch, seed=seed, length=5, best_score=score, settings=more)
    assert rank(load(tmp_path / "none")).frame["arch"].iloc[0] == "gru"
