"""`python -m sweeps figure`: any figure of the catalogue by name, in the requested formats and folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.make_records import write_cell
from sweeps.figures.catalogue import FIGURES
from sweeps.figures.from_theory import THEORY
from sweeps.figures.further import FURTHER
from sweeps.main import main


def test_figures_are_drawn_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_cell(tmp_path / "runs" / "small", outcome="solved", end=120)
    where = ["experiment=small", f"runs_dir={tmp_path / 'runs'}"]
    assert main(["figure", "outcomes", "clipping", *where, "formats=svg,png", f"into={tmp_path / 'mine'}"]) == 0
    assert sorted(path.name for path in (tmp_path / "mine").iterdir()) == ["outcomes.png", "outcomes.svg"]
    assert "clipping: these records hold nothing to draw (no run of T = 20 has clipping)" in capsys.readouterr().out
    assert main(["figure", "score_by_level", "metric=decay_start", *where]) == 0
    assert "takes 50 time steps, the longest sequence has 20; metric=change_start is of any" in capsys.readouterr().out
    assert main(["figure", "share_solved", *where]) == 0
    names = sorted(path.name for path in (tmp_path / "runs" / "small" / "report" / "figures").iterdir())
    assert names == ["share_solved.pdf", "share_solved.png", "share_solved.svg"]


def test_what_is_asked_for_lies_beside_the_figures_of_the_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for arch in ("lstm", "gru"):
        write_cell(tmp_path / "small", arch=arch, length=60)
    where = ["experiment=small", f"runs_dir={tmp_path}", "formats=png"]
    own = tmp_path / "small" / "report" / "figures"
    assert main(["figure", "score_by_level", *where]) == 0
    before = (own / "score_by_level.png").read_bytes()
    for asked, folder in {
        "x=arch": "x=arch",
        "metric=grad_norm": "metric=grad_norm",
        "select=arch=lstm length=60": "select=arch=lstm-length=60",
    }.items():
        capsys.readouterr()
        assert main(["figure", "score_by_level", asked, *where]) == 0
        assert capsys.readouterr().out.strip() == str(own / folder / "score_by_level.png")
        assert (own / folder / "score_by_level.png").exists() and (own / "score_by_level.png").read_bytes() == before


def test_without_a_name_the_catalogue_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["figure"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told == [
        f"Figures: {', '.join(FIGURES)}",
        f"Further ones, of probes and on request: {', '.join(FURTHER)}",
        f"Of theory, without records: {', '.join(THEORY)}",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["figure", "loss_curve"], "did you mean 'loss_curves'?"),
        (["figure", "outcomes", "formats=jpg"], "format: 'jpg' is not known"),
        (["figure", "outcomes", "form=png"], "did you mean 'formats=...'?"),
        (["figure", "gradient_by_lag_start", "x=gain"], "role: 'x' is not known (allowed: colour, panel, row)"),
    ],
)
def test_what_does_not_exist_is_refused(
    tmp_path: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write_cell(tmp_path / "small")
    assert main([*arguments, "experiment=small", f"runs_dir={tmp_path}"]) == 2
    assert message in " ".join(capsys.readouterr().err.split())
