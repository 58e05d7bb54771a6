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
from sweeps.commands import COMMANDS
from sweeps.config import places, precheck
from sweeps.engine.recurrences import base
from sweeps.engine.train import train

ROOT = places.ROOT
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.S)


@pytest.fixture
def own_conf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of conf/ that a test may add to; registries are put back too."""
    shutil.copytree(places.CONF, tmp_path / "conf")
    monkeypatch.setattr(places, "CONF", tmp_path / "conf")
    monkeypatch.setattr(precheck, "CONF", tmp_path / "conf")
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
