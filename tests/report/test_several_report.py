"""A report of several sweeps: made, verified byte for byte, in a folder that no other command takes for a sweep."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from analysis.make_records import write_cell
from sweeps.commands.compare import compare
from sweeps.commands.report import dashboard, figure, figures, report, verify
from sweeps.commands.runs import find, show
from sweeps.errors import SweepsError

Printed = pytest.CaptureFixture[str]
PLACE = "experiment=soft,hard"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sweeps, of two gains each, one of them in both; and their report."""
    root = tmp_path_factory.mktemp("several") / "runs"
    for name, gains in (("soft", (0.5, 1.0)), ("hard", (1.0, 1.5))):
        for gain in gains:
            for seed in range(2):
                more = {"outcome": "solved", "end": 20, "best_score": 0.95} if gain == 1.0 else {}
                write_cell(
                    root / name,
                    length=4,
                    steps=20,
                    log_every=20,
                    eval_every=20,
                    seed=seed,
                    settings={"init.gain": gain},
                    **more,  # type: ignore[arg-type]
                )
    assert report([PLACE, f"runs_dir={root}"]) == 0
    return root


def test_the_report_is_of_both_and_names_both(runs: Path) -> None:
    text = (runs / "hard+soft" / "report" / "report.md").read_text()
    assert (
        text.startswith("# hard and soft\n\n**These 6 runs cannot tell an effect on the share solved from luck.")
        and "\n\n6 runs: 2 solved" in text
    )
    assert "| gain" in text and "0.5, 1, 1.5" in text, "what differs between the sweeps is an axis"
    assert "2 runs are in more than one of the sweeps with the same record and counted once." in text
    assert "- Experiment: hard,soft\n- Sweeps: hard (4 cells, 2 of them in another sweep too" in text
    assert (
        "python -m sweeps report experiment=hard,soft\n" in text and "The cells of hard and soft come from no" in text
    )


@pytest.mark.slow
def test_it_verifies_in_any_order_until_a_record_of_either_changes(runs: Path, capsys: Printed) -> None:
    where = f"runs_dir={runs}"
    assert verify(["experiment=hard,soft", where]) == 0 and verify([PLACE, where]) == 0
    lines = (runs / "hard+soft" / "report" / "records.sha256").read_text().splitlines()
    sums = {path: sha for sha, path in (line.split("  ") for line in lines)}
    assert len(sums) == 8 * 5
    assert all(hashlib.sha256((runs / path).read_bytes()).hexdigest() == sha for path, sha in sums.items())
    capsys.readouterr()
    [path] = [path for path in sums if path.startswith("soft/") and path.endswith("config.yaml")][:1]
    kept = (runs / path).read_text()
    (runs / path).write_text(kept + "# a note\n")
    assert verify([PLACE, where]) == 1
    assert f"record: {path} has changed since the report was made (rnn_tanh" in capsys.readouterr().out
    (runs / path).write_text(kept)


def test_figures_and_find_take_several(runs: Path, capsys: Printed, tmp_path: Path) -> None:
    where = f"runs_dir={runs}"
    assert figure(["share_solved", PLACE, where, f"into={tmp_path}", "formats=png"]) == 0
    assert (tmp_path / "share_solved.png").exists()
    assert figures([PLACE, where]) == 0 and str(runs / "hard+soft" / "report" / "figures") in capsys.readouterr().out
    assert find([PLACE, where, "gain=1.0", "seed=0"]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split()[:3] == ["cell", "sweep", "gain"] and [row.split()[1] for row in rows] == ["hard", "soft"]


def test_the_folder_of_the_report_is_no_sweep(runs: Path, capsys: Printed) -> None:
    where = f"runs_dir={runs}"
    with pytest.raises(SweepsError, match=r"'other' is not known .*\(allowed: hard, soft\)"):
        report(["experiment=other", where])
    with pytest.raises(SweepsError, match="is none of the 8 cells in 2 sweeps"):
        show(["cell=000000", where])
    for command, name in (
        (dashboard, "soft,hard"),
        (report, "soft,soft"),
        (report, "hard+soft"),
        (report, "soft,,hard"),
    ):
        with pytest.raises(SweepsError, match="experiment: given"):
            command([f"experiment={name}", where])
    with pytest.raises(SweepsError, match="several are taken by report, verify, figures, figure and find"):
        dashboard([PLACE, where])
    with pytest.raises(SweepsError, match="'sof' is not known; did you mean 'soft'"):
        report(["experiment=hard,sof", where])


def test_questions_of_both_stand_one_after_the_other() -> None:
    from sweeps.report.document import readme
    from sweeps.report.several import joined

    text = joined({"a": "# One\n\nWhy?\n\n## Detail\n\nSo.", "b": None, "c": "Only text."}, title=True)
    assert text is not None
    title, body = readme(text)
    assert title == "a and b and c"
    assert body == "### a: One\n\nWhy?\n\n#### Detail\n\nSo.\n\n### c\n\nOnly text."
    assert joined({"a": None, "b": None}, title=False) is None


def test_compare_takes_names_or_folders_and_two_of_them(runs: Path, capsys: Printed, tmp_path: Path) -> None:
    where = f"runs_dir={runs}"
    for words in (["soft", "hard", where], [PLACE, where], [str(runs / "soft"), str(runs / "hard")]):
        assert compare([*words, f"into={tmp_path / 'out'}"]) == 0
        said = capsys.readouterr().out
        assert "All 2 cells are equal, byte for byte. So is every conclusion." in said
        assert "2 cells of a without a finished one in b: 2 not there." in said
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "cells.csv",
        "combinations.csv",
        "side_by_side.md",
    ]
    for words, message in (
        (["soft"], "given soft, must be two"),
        (["soft", "soft", where], "soft is given twice"),
        ([str(runs / "soft"), str(runs / "none")], "none is no folder"),
        (["soft", "hart", where], "did you mean 'hard'"),
        (["soft", "hard", "cell=1"], "argument: 'cell=1' is not known"),
    ):
        with pytest.raises(SweepsError, match=message):
            compare(words)
