"""The docs are true: their examples run as printed, their links lead somewhere, their commands exist."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from helpers import make_cell
from sweeps import tasks
from sweeps.analysis.loading.records import Records
from sweeps.commands import COMMANDS
from sweeps.config import command_line, places
from sweeps.config.compose import Composer, settings_of
from sweeps.engine.architectures import base
from sweeps.engine.train import train
from sweeps.report.study import analysis_of

ROOT = places.ROOT
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.S)


@pytest.fixture
def own_conf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of conf/ that a test may add to; registries are put back too."""
    shutil.copytree(places.CONF, tmp_path / "conf")
    monkeypatch.setattr(places, "CONF", tmp_path / "conf")
    monkeypatch.setattr(command_line, "CONF", tmp_path / "conf")
    monkeypatch.setattr(base, "_REGISTRY", dict(base._REGISTRY))
    monkeypatch.setattr(tasks.base, "_REGISTRY", dict(tasks.base._REGISTRY))
    places.choices.cache_clear()
    yield tmp_path / "conf"
    places.choices.cache_clear()


def add(conf: Path, page: str, group: str) -> str:
    """Run the page's file of code and add its YAML; returns the name it adds."""
    code, yaml = blocks(page, "python")[0], blocks(page, "yaml")[0]
    name = re.search(r"name: (\w+)", yaml)
    assert name is not None
    exec(compile(code, page, "exec"), {"__name__": "example"})
    (conf / group / f"{name[1]}.yaml").write_text(yaml)
    return name[1]


def test_the_architecture_of_the_docs_trains(own_conf: Path) -> None:
    name = add(own_conf, "docs/add_architecture.md", "arch")
    cells = [make_cell(f"arch={name}", f"init={init}", "train.steps=4") for init in ("orthogonal", "identity")]
    measured = [m for row in train(cells, lambda pack, lane: None) for m in row]
    assert len(measured) == 6
    assert all(np.isfinite(m.log10_norm).all() for m in measured)


def test_the_task_of_the_docs_trains(own_conf: Path) -> None:
    name = add(own_conf, "docs/add_task.md", "task")
    cell = make_cell(
        f"task={name}", "task.length=2", "arch=gru", "train.steps=200", "optim.lr=0.02", "train.eval_every=100"
    )
    scores = [m.eval_score for row in train([cell], lambda pack, lane: None) for m in row if m.eval_score is not None]
    assert scores[-1] > 0.9


def test_the_experiment_of_the_docs_is_the_grid_that_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "sweep.yaml").write_text(blocks("docs/add_experiment.md", "yaml")[0])
    monkeypatch.setattr(places, "EXPERIMENTS", tmp_path)
    places.choices.cache_clear()
    try:
        cells, _, problems = settings_of(command_line.grid_of(["experiment=mine"]).jobs, Composer(command_line.load))
        chosen = analysis_of("mine")
    finally:
        places.choices.cache_clear()
    assert problems == [] and len(cells) == 60 and sum(cell.arch.name == "lstm" for cell in cells) == 48
    assert chosen.axes == {"arch.forget_bias": "x", "arch": "column", "length": "colour"} and chosen.question
    text = (ROOT / "docs" / "add_experiment.md").read_text(encoding="utf-8")
    assert "96 points are 60 cells: 48 LSTMs and 12 tanh networks" in " ".join(text.split())


def test_links_lead_somewhere() -> None:
    links = [
        (page, target)
        for page in PAGES
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8"))
        if not target.startswith("http")
    ]
    assert len(links) >= 8
    assert not [(page.name, target) for page, target in links if not (page.parent / target).exists()]


def test_commands_exist() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    targets = {first or second for first, second in re.findall(r"^make ([a-z-]+)|`make ([a-z-]+)", text, re.M)}
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert {"sweep", "test", "report", "plan", "bench", "check"} <= targets
    assert not [target for target in targets if not re.search(rf"^{target}:", makefile, re.M)]
    words = set(re.findall(r"python -m sweeps ([a-z]+)(?![a-z.=_])", text))
    assert words and words <= set(COMMANDS)


def test_lines_of_the_docs_are_no_longer_than_120_characters() -> None:
    """But for rows of tables and links of pictures, which cannot be folded."""
    wide = [
        f"{page.name}:{number}"
        for page in PAGES
        for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1)
        if len(line) > 120 and not line.startswith(("|", "!["))
    ]
    assert wide == []


def test_tables_of_the_docs_render_as_tables() -> None:
    """A row after an empty line is text: every run of rows has a head and a rule of as many columns."""
    broken = []
    for page in PAGES:
        for block in re.split(r"\n\s*\n", page.read_text(encoding="utf-8")):
            rows = [line for line in block.splitlines() if line.startswith("|")]
            columns = {len(re.findall(r"(?<!\\)\|", row)) for row in rows}
            if rows and (len(rows) < 3 or not re.fullmatch(r"[|\s:-]+", rows[1]) or len(columns) > 1):
                broken.append(f"{page.name}: {rows[0]}")
    assert broken == []


def test_the_public_names_are_those_of_the_page_and_all_of_them_work() -> None:
    import sweeps

    page = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    table = "\n".join(line for line in page.splitlines() if line.startswith("| `"))
    listed = set(re.findall(r"`([A-Za-z_]+)", table))
    assert set(sweeps.__all__) <= listed
    assert listed - set(sweeps.__all__) == {"cells", "metrics", "gradient", "parameters", "problems"}
    assert all(getattr(sweeps, name).__doc__ for name in sweeps.__all__ if callable(getattr(sweeps, name)))


def test_the_example_of_the_python_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(compile(blocks("docs/python.md", "python")[0], "docs/python.md", "exec"), names)
    records = names["records"]
    assert isinstance(records, Records) and len(records.cells) == 6


def test_every_room_stands_on_the_page_of_words() -> None:
    page = (ROOT / "docs" / "words.md").read_text(encoding="utf-8")
    rooms = {path.parent.name for path in (ROOT / "src" / "sweeps").glob("*/__init__.py")}
    assert rooms == set(re.findall(r"^\| `([a-z]+)` \|", page, re.M))
    named = set(re.findall(r"`([a-z_/]+\.py)`", page))
    files = ["/" + path.relative_to(ROOT).as_posix() for path in (ROOT / "src" / "sweeps").rglob("*.py")]
    assert named and [name for name in named if not any(file.endswith(f"/{name}") for file in files)] == []
