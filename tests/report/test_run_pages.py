"""The pages of all runs belong to the report: the same as each alone, made and removed with it, verified with it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from analysis.make_records import write_cell, write_sweep
from helpers import SMALL
from sweeps.analysis.loading.load import load
from sweeps.analysis.loading.one import read_run
from sweeps.analysis.typed import typed
from sweeps.config.identity import cell_id
from sweeps.errors import SweepsError
from sweeps.in_process import compose, train
from sweeps.main import main
from sweeps.records.paths import SweepPaths
from sweeps.report import make, run_pages
from sweeps.report.in_words import in_words
from sweeps.report.make import make_report
from sweeps.report.run_page import write_run_page
from sweeps.report.run_pages import write_run_pages


@pytest.fixture
def sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SweepPaths:
    """Four runs; figures of the report are not drawn, which is what takes long."""
    monkeypatch.setattr("sweeps.report.make.draw", lambda *_, **__: [])
    write_sweep(
        tmp_path / "runs" / "small", archs=("gru",), inits=("random", "identity"), clips=("none",), lengths=(6,)
    )
    return SweepPaths(tmp_path / "runs" / "small")


def report(sweep: SweepPaths, *more: str) -> int:
    return main(["report", "experiment=small", f"runs_dir={sweep.root.parent}", *more])


def pages(sweep: SweepPaths) -> list[str]:
    return sorted(path.stem for path in sweep.report.runs.glob("*")) if sweep.report.runs.is_dir() else []


@pytest.mark.parametrize("together", [1, 3, 100])
def test_a_page_among_many_is_the_page_of_the_run_alone(
    sweep: SweepPaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, together: int
) -> None:
    monkeypatch.setattr(run_pages, "TOGETHER", together)
    write_cell(sweep.root, outcome="diverged", end=60, arch="lstm", length=60, slope=(-0.3, -0.1), noise=0.2)
    write_cell(sweep.root, outcome="diverged", end=0, seed=5)
    written = write_run_pages(load(sweep.root), tmp_path / "pages")
    assert [path.stem for path in written] == load(sweep.root).cells["cell"].tolist() and len(written) == 6
    for path in written:
        run = read_run(sweep.cell(path.stem))
        words = in_words(load(sweep.root))[run.id]
        write_run_page(run, typed(run.config, run.id), tmp_path / "alone.html", back="../report.html", words=words)
        assert path.read_bytes() == (tmp_path / "alone.html").read_bytes()


def test_a_part_of_the_records_has_its_own_pages(sweep: SweepPaths, tmp_path: Path) -> None:
    part = load(sweep.root).select(init="identity")
    assert [path.stem for path in write_run_pages(part, tmp_path)] == part.cells["cell"].tolist()


def test_the_command_line_of_a_page_makes_the_run(tmp_path: Path) -> None:
    job = [text for text in SMALL if "length" not in text]
    records = train(compose(*job, "arch=lstm", "init.gain=0.7", "task.length=9", "seed=4"), tmp_path / "small")
    [page] = write_run_pages(records, tmp_path / "pages")
    typed_again = re.search(r"<pre><code>python -m sweeps (.*?)</code></pre>", page.read_text())
    assert typed_again is not None
    [settings] = compose(*typed_again[1].split(" "))
    assert cell_id(settings) == page.stem
    assert f"show cell={page.stem} runs_dir={tmp_path} --again</code>" in page.read_text()
    assert '<dt>init.gain</dt><dd class="changed">0.7</dd>' in page.read_text()


def test_a_record_that_changes_meanwhile_is_an_error(sweep: SweepPaths, tmp_path: Path) -> None:
    records = load(sweep.root)
    sweep.cell(records.cells["cell"][1]).summary.unlink()
    with pytest.raises(SweepsError, match="changed since it was loaded"):
        write_run_pages(records, tmp_path)
    sweep.cell(records.cells["cell"][0]).config.unlink()
    with pytest.raises(SweepsError, match="changed since it was loaded"):
        write_run_pages(records, tmp_path)


def test_pages_come_and_go_with_the_report(sweep: SweepPaths, capsys: pytest.CaptureFixture[str]) -> None:
    cells = sorted(load(sweep.root).cells["cell"])
    assert report(sweep) == 0 and pages(sweep) == cells
    listed = json.loads(sweep.report.provenance.read_text())["files"]
    assert {f"runs/{cell}.html" for cell in cells} <= set(listed)
    text = sweep.report.markdown.read_text()
    assert all(f"[`{cell}`](runs/{cell}.html)" in text for cell in cells) and "pages=true" not in text
    for file in sweep.cell(cells[0]).root.iterdir():
        file.unlink()
    sweep.cell(cells[0]).root.rmdir()
    assert report(sweep) == 0 and pages(sweep) == cells[1:], "the page of a cell that has gone"
    (sweep.report.runs / "mine.txt").write_text("mine")
    assert report(sweep, "pages=false") == 0 and pages(sweep) == ["mine"]
    text = sweep.report.markdown.read_text()
    assert "runs/" not in text and "`python -m sweeps report experiment=small pages=true` all of them" in text
    assert "`python -m sweeps show cell=ID page=run.html` makes one" in text
    assert main(["report", "experiment=small", "pages=yes"]) == 2
    assert "pages" in capsys.readouterr().err


def test_a_run_that_diverged_is_told_by_what_varied_and_linked_to_its_page(sweep: SweepPaths) -> None:
    lost = write_cell(sweep.root, arch="gru", init="identity", length=6, seed=7, outcome="diverged", end=60, steps=600)
    for made, named in ((True, f"[`{lost}`](runs/{lost}.html)"), (False, f"`{lost}`")):
        text = make_report(sweep, pages=made).markdown.read_text()
        [_, head, _, row] = (
            text[text.index("## What diverged") : text.index("## Runs")].strip().split("\n\n", 1)[1].split("\n")[-4:]
        )
        assert [each.strip() for each in head.strip("|").split("|")] == ["cell", "because", "init", "seed", "at update"]
        assert row.split("|")[1].strip() == named


def test_above_so_many_runs_pages_are_made_on_demand(sweep: SweepPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make, "MOST", 3)
    make_report(sweep)
    assert pages(sweep) == []
    make_report(sweep, pages=True)
    assert len(pages(sweep)) == 4
    monkeypatch.setattr(make, "MOST", 4)
    make_report(sweep)
    assert len(pages(sweep)) == 4


@pytest.mark.parametrize("more", [[], ["pages=false"]])
def test_a_report_with_or_without_pages_is_verified(
    sweep: SweepPaths, more: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["experiment=small", f"runs_dir={sweep.root.parent}"]
    assert report(sweep, *more) == 0
    assert main(["verify", *where]) == 0
    if more:
        return
    page = next(sweep.report.runs.iterdir())
    page.write_text(page.read_text().replace("Settings", "Setting"))
    capsys.readouterr()
    assert main(["verify", *where]) == 1
    assert f"report: runs/{page.name} differs\n" in capsys.readouterr().out


def test_links_to_pages_that_are_not_there_are_removed(sweep: SweepPaths) -> None:
    cell = load(sweep.root).cells["cell"][0]
    question = f"# Q\n\n[one](runs/{cell}.html), [none](runs/0123456789ab.html), [outside](../plan.csv)"
    text = make_report(sweep, question).html.read_text()
    assert f'<a href="runs/{cell}.html">one</a>, <a>none</a>, <a>outside</a>' in text
