"""A report is what its records give, byte for byte; a changed value is found and its file named; nothing is written."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from analysis.make_records import write_sweep
from sweeps.analysis.provenance import read_digests
from sweeps.errors import SweepsError
from sweeps.main import main
from sweeps.records.paths import SweepPaths
from sweeps.report.make import make_report
from sweeps.report.verify import verify


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> SweepPaths:
    sweep = SweepPaths(tmp_path_factory.mktemp("runs") / "small")
    write_sweep(sweep.root, archs=("rnn_tanh",), inits=("random", "identity"), clips=("none", "norm"), lengths=(6, 9))
    make_report(sweep)
    return sweep


@pytest.fixture
def sweep(finished: SweepPaths, tmp_path: Path) -> SweepPaths:
    """A copy for each test: another folder, other file times, the same bytes."""
    shutil.copytree(finished.root, tmp_path / "small")
    return SweepPaths(tmp_path / "small")


@pytest.mark.slow
def test_a_report_and_its_verification_change_nothing(sweep: SweepPaths, capsys: pytest.CaptureFixture[str]) -> None:
    before = state(sweep.report.root)
    make_report(sweep)
    shutil.rmtree(sweep.cache)
    there = sorted(sweep.root.rglob("*"))
    assert main(["verify", "experiment=small", f"runs_dir={sweep.root.parent}"]) == 0
    assert f"All {len(before)} files of" in capsys.readouterr().out and len(before) >= 20
    assert state(sweep.report.root) == before and sorted(sweep.root.rglob("*")) == there


def test_one_value_is_found_and_named_whatever_its_time_and_size(
    sweep: SweepPaths, capsys: pytest.CaptureFixture[str]
) -> None:
    path = next(each.metrics for each in sweep.cells() if "length: 9" in each.config.read_text())
    times, rows = path.stat(), path.read_text().split("\n")
    loss = rows[1].split(",")[2]
    rows[1] = rows[1].replace(loss, loss[:2] + "9" + loss[3:])  # the loss at the start, 0.1... to 0.9...
    path.write_text("\n".join(rows))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert path.stat().st_size == times.st_size
    assert main(["verify", "experiment=small", f"runs_dir={sweep.root.parent}"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("record:")] == [
        line for line in lines[:1] if path.parent.name in line
    ]
    assert f"{path.parent.name}/metrics.csv has changed since the report was made (rnn_tanh, " in lines[0]
    assert "report: figures/loss_curves.png differs" in lines
    assert not any("share_solved.png" in line for line in lines), "its picture is the same"
    assert any("further files differ only in where they say they come from" in line for line in lines)


@pytest.mark.slow
def test_what_is_gone_new_touched_or_left_is_named(sweep: SweepPaths) -> None:
    first, *_ = (each.root for each in sweep.cells())
    first.rename(sweep.root / "0123456789ab")
    with (sweep.report.root / "figures" / "share_solved.svg").open("a") as file:
        file.write("<!-- mine -->")
    table = next((sweep.report.root / "tables").glob("*.csv"))
    table.unlink()
    (sweep.report.root / "notes.txt").write_text("mine")
    verdict = verify(sweep)
    assert f"{first.name}/summary.json is gone since the report was made" in verdict.records
    assert "0123456789ab/summary.json is new since the report was made" in verdict.records
    assert {"figures/share_solved.svg differs", f"tables/{table.name} is missing"} <= set(verdict.report)
    assert verdict.left == ["notes.txt", f"runs/{first.name}.html"], "the page of the run that is gone is left"


def test_without_a_report_there_is_nothing_to_verify(sweep: SweepPaths) -> None:
    shutil.rmtree(sweep.report.root)
    with pytest.raises(SweepsError, match="holds no report that can be verified"):
        verify(sweep)


def test_every_file_of_every_record_has_a_digest(sweep: SweepPaths) -> None:
    sums = read_digests(sweep.report.digests)
    files = {path.relative_to(sweep.root).as_posix() for cell in sweep.cells() for path in cell.root.iterdir()}
    assert sums is not None and set(sums) == files and len(files) == 5 * 16


def state(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
