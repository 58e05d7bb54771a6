"""The report is made from the records alone: complete, the same bytes each time, without torch."""

from __future__ import annotations

import hashlib
import html
import io
import json
import math
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from matplotlib.figure import Figure
from PIL import Image

from analysis.make_records import write_cell, write_sweep
from sweeps.analysis.provenance import Provenance
from sweeps.errors import SweepsError
from sweeps.figures.style import FORMATS
from sweeps.records.paths import SweepPaths
from sweeps.report.document import Document, Prose, Section, anchor, readme
from sweeps.report.html import pixels, to_html
from sweeps.report.make import make_figures, make_report

IMPORTS = """
import sys, sweeps.report.make, sweeps.analysis
bad = [name for name in ("torch", "hydra", "omegaconf", "wandb") if name in sys.modules]
assert not bad, bad
"""

README = "# Do gradients survive?\n\nA question.\n\n## Why\n\nBecause.\n"


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> SweepPaths:
    root = tmp_path_factory.mktemp("runs") / "first_look"
    write_sweep(root, archs=("rnn_tanh", "rnn_relu"), inits=("random", "orthogonal", "identity"), lengths=(10, 60))
    make_report(SweepPaths(root), question=README)
    return SweepPaths(root)


def test_no_torch_no_hydra() -> None:
    subprocess.run([sys.executable, "-c", IMPORTS], check=True)


def test_every_link_of_the_markdown_leads_somewhere(sweep: SweepPaths) -> None:
    text = (sweep.report.root / "report.md").read_text()
    links = re.findall(r"\]\(([^)]+)\)", text)
    anchors = {"#" + anchor(title) for title in re.findall(r"^#+ (.+)$", text, re.M)}
    files = [link for link in links if not link.startswith("#")]
    assert len(files) >= 16 and {link for link in links if link.startswith("#")} <= anchors
    assert all((sweep.report.root / link).stat().st_size > 100 for link in files)


def test_the_page_needs_no_other_file(sweep: SweepPaths) -> None:
    page = (sweep.report.root / "report.html").read_text()
    targets = re.findall(r'(?:src|href)="([^"]*)"', page)
    ids = {"#" + name for name in re.findall(r' id="([^"]*)"', page)}
    assert len(targets) >= 15
    pages = {f"runs/{path.name}" for path in sweep.report.runs.iterdir()}
    assert [target[:40] for target in targets if not target.startswith("data:") and target not in ids | pages] == []
    assert len(pages) == 72 and pages <= set(targets)


def test_page_and_markdown_say_the_same(sweep: SweepPaths) -> None:
    text, page = ((sweep.report.root / name).read_text() for name in ("report.md", "report.html"))
    titles = re.findall(r"^##+ (.+)$", text, re.M)
    assert titles == [html.unescape(title) for title in re.findall(r"<h[23][^>]*>(.*?)</h[23]>", page)]
    for kind in ("Table", "Figure"):
        numbers = re.findall(rf"^\*\*{kind} (\d+)\.\*\*", text, re.M)
        assert numbers == [str(n + 1) for n in range(len(numbers))] != []
        assert numbers == re.findall(rf"<strong>{kind} (\d+)\.</strong>", page)
    rows = sum(1 for line in text.splitlines() if line.startswith("|") and not line.startswith("|-"))
    folded = 2 * 3 * 3 * 2 + 1 + 72 + 1  # rows of the tables that only the page has: combinations, runs
    assert page.count("<tr>") == rows + folded


def test_the_report_answers(sweep: SweepPaths) -> None:
    text = (sweep.report.root / "report.md").read_text()
    assert text.startswith("# Do gradients survive?\n\n**In these runs the init goes with the largest part of ")
    assert "\n\n72 runs: 38 solved (38 at the end), 4 diverged, 30 neither. Varied: " in text.partition("\n## ")[0]
    assert "## The question\n\nA question.\n\n### Why\n\nBecause.\n" in text
    assert "72 runs with 2 seeds: a description of these runs, which proves nothing about others." in text
    # planted: 10^-0.012 and 10^0.02 per step, with some scatter
    assert "- **tanh RNN: orthogonal**, 0.97" in text and "- **ReLU RNN: identity**, 1.04" in text
    assert re.findall(r"in all by a factor of (.+?)\. ", text) == ["10^-0.7 to 10^-0.6", "10^1.1"]
    assert "**6% of runs diverged in training** (4 of 72): the ReLU RNN with identity 4." in text
    assert "None of the 72 did at update 0" in text and "diverged, all of them in training." in text
    assert "**In 8% of networks the gradient exploded through time at initialisation** (2 of 24; at T = 60: 2" in text
    assert "Diverged: 0 only with it, 4 only without (ReLU RNN 4)." in text, "what clipping by norm avoided"
    assert "- Commit: 0123456789abcdef" in text and "- Cells: 72" in text and "numerics 1" in text
    assert "`make sweep EXPERIMENT=first_look` does both" in text and "git checkout 0123456789abcdef" in text


@pytest.mark.slow
def test_claims_have_a_section_where_there_are_any(sweep: SweepPaths, tmp_path: Path) -> None:
    assert "## Claims" not in (sweep.report.root / "report.md").read_text()
    made = make_report(sweep, claims="Orthogonal beats random.", into=tmp_path)
    assert "## Claims\n\nOrthogonal beats random." in (tmp_path / "report.md").read_text()
    assert made.html == tmp_path / "report.html" and '<h2 id="claims">Claims</h2>' in made.html.read_text()


def test_a_readme_cannot_reach_outside_of_the_page() -> None:
    text = "A <script>x</script>, ![plot](http://example.org/a.png), [file](sweep.yaml), [more](http://example.org)."
    document = Document("t", [], [Section("Q", [Prose(text)])])
    page = to_html(document, Path("nowhere"))
    body = page[page.index("<main>") : page.index("</main>")]
    assert "<img" not in body and "<script>" not in body and "&lt;script&gt;" in body
    assert re.findall(r'href="([^"]*)"', body) == ["http://example.org/a.png", "http://example.org"]


def test_a_readme_gives_title_and_question() -> None:
    text = "# The *title*\n\nFirst.\n\n## Part\n\n```sh\n# no heading\n```\n\nOther\n=====\n\nLast."
    title, rest = readme(text)
    assert title == "The *title*"
    assert rest == "First.\n\n### Part\n\n```sh\n# no heading\n```\n\n### Other\n\n\nLast."
    assert readme("No title.\n\n# Late") == (None, "No title.\n\n### Late")
    assert readme("# A\n\nOne.\n\n![Its loss](loss_curves.png)\nTwo.") == ("A", "One.\n\nTwo."), "it lies elsewhere"
    assert "![far](https://a.b/c.png)" in readme("# A\n\n![far](https://a.b/c.png)")[1]


def test_the_tables_are_complete_and_precise(sweep: SweepPaths) -> None:
    table = pd.read_csv(sweep.report.root / "tables" / "comparison.csv", keep_default_na=False, na_values=[""])
    assert len(table) == 2 * 3 * 3 * 2 and table["n"].sum() == 72
    assert set(table["clip"]) == {"none", "norm", "value"}
    assert (sweep.report.root / "tables" / "comparison.md").read_text().count("\n|") == len(table) + 1
    assert len(pd.read_csv(sweep.report.root / "tables" / "summary.csv")) == 36, "all four axes that varied"
    diverged = pd.read_csv(sweep.report.root / "tables" / "diverged.csv", keep_default_na=False)
    assert (
        len(diverged) == 4
        and set(diverged["init"]) == {"identity"}
        and set(diverged["diverged_step"]) == {120.0, 140.0}
    )
    for name in ("compare", "rank", "steps_to_solve", "clipping_audit"):
        assert "\\toprule" in (sweep.report.root / "tables" / f"{name}.tex").read_text()


@pytest.mark.slow
def test_the_same_records_give_the_same_bytes(sweep: SweepPaths, tmp_path: Path) -> None:
    before = _digest(sweep.report.root)
    assert {path.split("/")[0] for path in before} == {
        "report.html",
        "report.md",
        "provenance.json",
        "records.sha256",
        "figures",
        "tables",
        "runs",
    }
    make_report(sweep, question=README, into=tmp_path)
    assert _digest(tmp_path) == before == _digest(sweep.report.root)


def test_the_page_carries_the_picture_and_not_its_provenance(sweep: SweepPaths) -> None:
    png = sweep.report.root / "figures" / "outcomes.png"
    assert b"tEXt" in png.read_bytes() and b"tEXt" not in pixels(png)
    with Image.open(png) as original, Image.open(io.BytesIO(pixels(png))) as bare:
        assert original.tobytes() == bare.tobytes()


def test_figures_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sweeps.figures.draw.save", _lay_out)
    write_cell(tmp_path / "one", outcome="solved", end=120)
    old = tmp_path / "one" / "report" / "figures" / "clipping.pdf"
    old.parent.mkdir(parents=True)
    old.touch()
    paths = make_figures(SweepPaths(tmp_path / "one"))
    assert len(paths) == 3 * 8 and {path.suffix for path in paths} == {".pdf", ".svg", ".png"}
    assert not any("clipping" in path.name for path in paths) and not old.exists()  # nothing was clipped


@pytest.mark.slow
@pytest.mark.parametrize(
    "cells",
    [
        [{}],
        [{"outcome": "diverged", "end": 20, "seed": seed} for seed in range(3)],
        [{"best_score": None, "eval_every": 1000}],
        [{"clip": "value", "settings": {"optim.lr": lr, "arch.hidden": h}} for lr in (0.1, 1e-5) for h in (8, 16)],
        [{"length": 5}, {"length": 7, "settings": {"task.name": "digits"}, "clip": "norm"}],
        [{"clip": "norm", "grad_norm": 9.0, "settings": {"clip.threshold": level}} for level in (0.5, 2, math.inf)],
        [{"length": 1}],
        [{"summary": {"commit": None, "versions": {}, "task": {}, "best": {}, "seconds": 0}}],
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
        "three thresholds",
        "one time step",
        "bare summary",
        "unknown names",
    ],
)
def test_any_sweep_has_a_report(tmp_path: Path, cells: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sweeps.figures.draw.save", _lay_out)
    for cell in cells:
        write_cell(tmp_path / "sweep", **cell)
    unfinished = write_cell(tmp_path / "sweep", seed=99)
    (tmp_path / "sweep" / unfinished / "summary.json").unlink()
    text = make_report(SweepPaths(tmp_path / "sweep")).markdown.read_text()
    assert text.startswith("# sweep") and f"`{unfinished}`" in text and not re.search(r"\bnan\b", text)


def test_a_swept_learning_rate_is_a_column(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sweeps.figures.draw.save", _lay_out)
    for lr in (0.1, 1e-5):
        write_cell(tmp_path / "sweep", settings={"optim.lr": lr})
    make_report(SweepPaths(tmp_path / "sweep"))
    table = (tmp_path / "sweep" / "report" / "tables" / "comparison.md").read_text()
    assert "learning rate" in table and "1e-05" in table


@pytest.mark.slow
def test_what_cannot_be_drawn_is_named_with_the_true_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Gradients are there; what lacks is a run without clipping at the longest length, and then a run with it."""
    monkeypatch.setattr("sweeps.figures.draw.save", _lay_out)

    def not_drawn(name: str, *cells: dict[str, Any]) -> str:
        for cell in cells:
            write_cell(tmp_path / name, **cell)
        lines = make_report(SweepPaths(tmp_path / name)).markdown.read_text().splitlines()
        return "\n".join(line for line in lines if line.startswith("Not drawn"))

    archs: list[dict[str, Any]] = [
        {"arch": "gru", "best_score": 0.8},
        {"arch": "lstm", "best_score": 0.1},
    ]  # they matter
    text = not_drawn(
        "one", *(more | each for each in archs for more in ({"length": 10}, {"length": 60, "clip": "norm"}))
    )
    assert text.count("(no run of T = 60 has clip=none)") == 2, "at initialisation, and at the end of training"
    assert "no run of T = 60 has clipping" not in text
    ends: dict[str, Any] = {"outcome": "solved", "end": 120}
    text = not_drawn(
        "two", *(more | each | ends for each in archs for more in ({"length": 60}, {"length": 10, "clip": "norm"}))
    )
    assert text == "Not drawn: Gradient norm before and after clipping (no run of T = 60 has clipping)."
    assert not_drawn("three", ends, {"clip": "norm"}) == ""
    text = not_drawn("four", {"outcome": "diverged"}, {"clip": "norm"})
    assert text == "Not drawn: Share solved (no run solved the task)."


def test_a_report_that_fails_leaves_the_older_one_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sweeps.figures.draw.save", _lay_out)
    write_cell(tmp_path / "sweep", clip="norm")
    report = make_report(SweepPaths(tmp_path / "sweep")).root
    (report / "notes.txt").write_text("mine")
    (report / "figures" / "mine.png").write_text("mine")
    before = _digest(tmp_path)

    def fails(*given: object) -> str:
        raise SweepsError("the disk is full")

    write_cell(tmp_path / "sweep", clip="value", seed=1)
    with monkeypatch.context() as broken, pytest.raises(SweepsError):
        broken.setattr("sweeps.report.make.to_html", fails)
        make_report(SweepPaths(tmp_path / "sweep"))
    assert {path: digest for path, digest in _digest(tmp_path).items() if path in before} == before
    assert [path.name for path in report.parent.iterdir() if path.name.endswith(".new")] == []


@pytest.mark.slow
def test_files_of_an_older_report_go_and_those_of_the_user_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sweeps.figures.draw.save", _lay_out)
    root = tmp_path / "sweep"
    clipped = [write_cell(root, clip="norm", settings={"task.name": task}) for task in ("adding", "digits")]
    report = make_report(SweepPaths(root)).root
    mine = [report / "notes.txt", report / "figures" / "mine.png", report / "tables" / "mine" / "table.csv"]
    for path in mine:
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
    outside = tmp_path / "outside.txt"
    outside.write_text("mine")
    about = json.loads((report / "provenance.json").read_text())
    about["files"] += ["../../outside.txt", str(outside)]
    (report / "provenance.json").write_text(json.dumps(about))
    assert (report / "figures" / "adding" / "clipping.png").exists()
    for cell in clipped:
        shutil.rmtree(root / cell)
    write_cell(root)
    make_report(SweepPaths(root))
    files = json.loads((report / "provenance.json").read_text())["files"]
    there = {path.relative_to(report).as_posix() for path in report.rglob("*") if path.is_file()}
    assert there == {*files, *(path.relative_to(report).as_posix() for path in mine)}
    assert not (report / "figures" / "adding").exists() and outside.exists()
    assert "figures/loss_curves.png" in files and not any("clipping." in name for name in files if "figures" in name)


def test_a_report_that_lists_no_files_loses_its_old_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sweeps.figures.draw.save", _lay_out)
    write_cell(tmp_path / "sweep")
    figures = SweepPaths(tmp_path / "sweep").report.figures
    figures.mkdir(parents=True)
    for name in ("clipping.pdf", "mine.pdf"):
        (figures / name).touch()
    make_report(SweepPaths(tmp_path / "sweep"))
    assert not (figures / "clipping.pdf").exists() and (figures / "mine.pdf").exists()


def test_a_folder_without_records_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SweepsError, match="holds no records"):
        make_report(SweepPaths(tmp_path))


def _lay_out(figure: Figure, stem: Path, about: Provenance, formats: Sequence[str] = FORMATS) -> list[Path]:
    """Everything that may go wrong in `save`, with one pixel in place of the others."""
    figure.draw_without_rendering()
    stem.parent.mkdir(parents=True, exist_ok=True)
    Image.new("1", (1, 1)).save(stem.with_suffix(".png"))
    return [stem.with_suffix(f".{kind}") for kind in formats]


def _digest(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.slow
def test_the_report_lists_changed_settings_and_how_to_make_the_sweep_again(tmp_path: Path) -> None:
    root = tmp_path / "first_look"
    write_sweep(root, archs=("rnn_tanh",), inits=("random",), lengths=(10,))

    def report_of(*typed: str) -> str:
        recorded = {"hydra": {"overrides": {"task": [*typed, "runs_dir=elsewhere"]}}}
        (root / "multirun.yaml").write_text(yaml.safe_dump(recorded))
        return make_report(SweepPaths(root), question=README).markdown.read_text()

    unchanged = report_of("experiment=first_look")
    assert "This sweep was run with" not in unchanged and "`make sweep EXPERIMENT=first_look` does both" in unchanged
    changed = report_of("experiment=first_look", "task.length=10", "seed=range(2)")
    assert "This sweep was run with `task.length=10 'seed=range(2)'`" in changed
    assert "python -m sweeps -m experiment=first_look task.length=10 'seed=range(2)'\n" in changed
    assert "make sweep" not in changed and "elsewhere" not in changed
    without = report_of("arch=rnn_tanh", "task.length=10")
    assert "python -m sweeps -m arch=rnn_tanh task.length=10\n" in without and "This sweep was" not in without


@pytest.mark.slow
def test_a_sweep_over_something_else_is_compared_by_that(tmp_path: Path) -> None:
    """One architecture, one init, one length: the tables have the learning rate and the batch for their axes."""
    for lr in (0.001, 0.05):
        for batch in (8, 32):
            for seed in range(2):
                write_cell(tmp_path, seed=seed, settings={"optim.lr": lr, "train.batch": batch})
    text = make_report(SweepPaths(tmp_path)).markdown.read_text()
    for title in ("At a glance", "Comparison of the best explained variance"):
        part = text[text.index(f"### {title}") :]
        heads = part[part.index("\n|") : part.index("\n|--")]
        assert "batch" in heads and "learning rate = 0.001" in heads and "architecture" not in heads
    ranking = text[text.index("### Ranking by the best") :].split("\n### ")[0]
    assert "**No two of the 4 rows can be told apart by the best explained variance**" in ranking
    assert "\n|" not in ranking and "[rank.tex](tables/rank.tex)" in ranking, "a sentence, and links to the table"
    assert "No run solved the task (0 of 8) within 200 updates." in text
