"""The report answers from the records alone: whole, the same bytes each time, never with torch."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from matplotlib.figure import Figure

from analysis.make_records import write_cell, write_sweep
from sweeps.errors import SweepsError
from sweeps.records.paths import SweepPaths
from sweeps.report import make_figures, make_report

IMPORTS = """
import sys, sweeps.report, sweeps.analysis
bad = [name for name in ("torch", "hydra", "omegaconf", "wandb") if name in sys.modules]
assert not bad, bad
"""


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> SweepPaths:
    root = tmp_path_factory.mktemp("runs") / "first_look"
    write_sweep(root, archs=("rnn_tanh", "rnn_relu"), inits=("random", "orthogonal", "identity"), lengths=(10, 30))
    make_report(SweepPaths(root), question="# Do gradients survive?\n\nA question.")
    return SweepPaths(root)


def test_no_torch_no_hydra() -> None:
    subprocess.run([sys.executable, "-c", IMPORTS], check=True)


def test_every_link_of_the_report_is_a_file(sweep: SweepPaths) -> None:
    links = re.findall(r"\]\(([^)]+)\)", (sweep.report / "report.md").read_text())
    assert len(links) >= 16
    assert all((sweep.report / link).stat().st_size > 100 for link in links)


def test_the_report_answers(sweep: SweepPaths) -> None:
    text = (sweep.report / "report.md").read_text()
    assert text.startswith("# Do gradients survive?")
    assert "**tanh RNN**: orthogonal init keeps the gradient nearest to constant, 0.97" in text
    assert "4 of 72 runs diverged (6%): 4 of 24 with no clipping, 0 of 24 with clip by norm" in text
    assert "all of them were the ReLU RNN with identity init" in text
    assert "- commit: 0123456789abcdef" in text and "- cells: 72" in text and "- numerics version: 1" in text


def test_the_tables_are_whole_and_precise(sweep: SweepPaths) -> None:
    table = pd.read_csv(sweep.report / "tables" / "comparison.csv", keep_default_na=False, na_values=[""])
    assert len(table) == 2 * 3 * 3 * 2 and table["n"].sum() == 72
    assert set(table["clip"]) == {"none", "norm", "value"}
    assert (sweep.report / "tables" / "comparison.md").read_text().count("\n|") == len(table) + 1
    assert len(pd.read_csv(sweep.report / "tables" / "summary.csv")) == 6


def test_the_same_records_give_the_same_bytes(sweep: SweepPaths) -> None:
    before = _digest(sweep.report)
    assert len(before) == 1 + 7 + 2 * 7
    make_report(sweep, question="# Do gradients survive?\n\nA question.")
    assert _digest(sweep.report) == before


def test_figures_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sweeps.report.save", _lay_out)
    write_cell(tmp_path / "one")
    old = tmp_path / "one" / "report" / "figures" / "clipping.pdf"
    old.parent.mkdir(parents=True)
    old.touch()
    paths = make_figures(SweepPaths(tmp_path / "one"))
    assert len(paths) == 12 and {path.suffix for path in paths} == {".pdf", ".png"}
    assert not any("clipping" in path.name for path in paths) and not old.exists()  # nothing was clipped


@pytest.mark.parametrize(
    "cells",
    [
        [{}],
        [{"outcome": "diverged", "end": 20, "seed": seed} for seed in range(3)],
        [{"best_score": None, "eval_every": 1000}],
        [{"clip": "value", "settings": {"optim.lr": lr, "arch.hidden": h}} for lr in (0.1, 1e-5) for h in (8, 16)],
        [{"length": 5}, {"length": 7, "settings": {"task.name": "digits"}, "clip": "norm"}],
        [{"summary": {"commit": None, "versions": {}, "task": {}, "best": {}, "seconds": None}}],
        [
            {
                "arch": "mgu",
                "init": "cayley",
                "clip": "agc",
                "grad_norm": 0.0,
                "settings": {"clip.threshold": 0.5},
            }
        ],
    ],
    ids=[
        "one cell",
        "all diverged",
        "no score",
        "further axes",
        "two tasks",
        "bare summary",
        "unknown names",
    ],
)
def test_any_sweep_has_a_report(tmp_path: Path, cells: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sweeps.report.save", _lay_out)
    for cell in cells:
        write_cell(tmp_path / "sweep", **cell)
    unfinished = write_cell(tmp_path / "sweep", seed=99)
    (tmp_path / "sweep" / unfinished / "summary.json").unlink()
    text = make_report(SweepPaths(tmp_path / "sweep")).read_text()
    assert text.startswith("# sweep") and f"`{unfinished}`" in text and not re.search(r"\bnan\b", text)


def test_a_swept_learning_rate_is_a_column(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sweeps.report.save", _lay_out)
    for lr in (0.1, 1e-5):
        write_cell(tmp_path / "sweep", settings={"optim.lr": lr})
    make_report(SweepPaths(tmp_path / "sweep"))
    table = (tmp_path / "sweep" / "report" / "tables" / "comparison.md").read_text()
    assert "learning rate" in table and "1e-05" in table


def test_nothing_finished_is_said(tmp_path: Path) -> None:
    with pytest.raises(SweepsError, match="holds no records"):
        make_report(SweepPaths(tmp_path))


def _lay_out(figure: Figure, stem: Path) -> list[Path]:
    """Everything that may go wrong in `save`, without the pixels."""
    figure.draw_without_rendering()
    return [stem.with_suffix(".pdf"), stem.with_suffix(".png")]


def _digest(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
