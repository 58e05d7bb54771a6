"""The notebooks run from top to bottom, and what is committed is what such a run shows.

Each is executed here in its own folder and a fresh kernel, the second on a small sweep made for it. The committed
outputs must have the same structure: they were made from these cells, in order, by this code.
"""

from __future__ import annotations

import base64
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from nbformat import NotebookNode, read
from PIL import Image

from execute import execute
from sweeps.config.places import ROOT

FOLDER = ROOT / "notebooks"
FIGURES = {"01_gradient_through_time": 4, "02_reading_a_sweep": 3, "03_new_recurrence": 3, "04_lecture": 10}
"""Every notebook, and how many figures it shows."""
LARGEST = 90_000
"""Bytes of a notebook for each of its figures."""

names = pytest.mark.parametrize("name", FIGURES)


@pytest.fixture(scope="module")
def small_sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sweep over the axes that the second notebook compares, some seconds long."""
    runs = tmp_path_factory.mktemp("runs")
    grid = ("arch=rnn_tanh,gru", "init=random,orthogonal", "clip=none,norm", "task.length=4,60", "seed=range(2)")
    small = ("arch.hidden=8", "train.steps=40", "train.batch=8", "train.eval_size=32", "optim.lr=0.01")
    command = (sys.executable, "-m", "sweeps", "-m", *grid, *small, "tracker=csv", f"runs_dir={runs}")
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return runs / "scratch"


@pytest.fixture(scope="module")
def run(small_sweep: Path) -> dict[str, NotebookNode]:
    return {name: execute(FOLDER / f"{name}.ipynb", {"SWEEP": str(small_sweep)}) for name in FIGURES}


def committed(name: str) -> NotebookNode:
    notebook: NotebookNode = read(FOLDER / f"{name}.ipynb", as_version=4)
    return notebook


def code(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def structure(notebook: NotebookNode) -> list[list[tuple[str, ...]]]:
    """Of every code cell the kinds of its outputs: `stream stdout`, or the formats that are shown."""
    return [
        [
            (each.output_type, *((each.name,) if "name" in each else sorted(each.get("data", ()))))
            for each in cell.outputs
        ]
        for cell in code(notebook)
    ]


def pictures(notebook: NotebookNode) -> list[bytes]:
    shown = [each.get("data", {}) for cell in code(notebook) for each in cell.outputs]
    return [base64.b64decode(data["image/png"]) for data in shown if "image/png" in data]


def test_every_notebook_is_tested() -> None:
    assert {path.stem for path in FOLDER.glob("*.ipynb")} == set(FIGURES)


@names
def test_it_runs_and_draws(run: dict[str, NotebookNode], name: str) -> None:
    """A cell that fails has raised in `execute`; a warning would be on standard error."""
    kinds = [kind for cell in structure(run[name]) for kind in cell]
    assert not [kind for kind in kinds if kind[0] == "error" or "stderr" in kind]
    drawn = pictures(run[name])
    assert len(drawn) == FIGURES[name]
    for picture in drawn:
        pixels = np.asarray(Image.open(io.BytesIO(picture)).convert("RGB")).astype(int)
        assert min(pixels.shape[:2]) > 150
        coloured = np.ptp(pixels, axis=2) > 60  # text, axes and grid are grey
        assert coloured.mean() > 0.001, "an empty figure"


@names
def test_what_is_committed_is_such_a_run(run: dict[str, NotebookNode], name: str) -> None:
    """In order, from the first cell to the last, nothing added and nothing left out: `make notebooks` repairs it."""
    there = committed(name)
    assert [cell.execution_count for cell in code(there)] == list(range(1, len(code(there)) + 1))
    assert structure(there) == structure(run[name])


@names
def test_what_is_committed_is_small_and_tells_nothing_of_a_machine(name: str) -> None:
    path = FOLDER / f"{name}.ipynb"
    assert path.stat().st_size < LARGEST * FIGURES[name]
    there = committed(name)
    told = json.dumps([cell.outputs for cell in code(there)])
    assert not re.findall(rf"(?:{re.escape(str(ROOT))}|/(?:tmp|home|root|Users|var|work)/)[\w./-]*", told)
    assert not [cell.metadata for cell in there.cells if cell.metadata]


def test_a_cell_that_fails_leaves_the_file_alone(tmp_path: Path) -> None:
    """`make notebooks` ends with an error and the notebook as it was."""
    path = tmp_path / "broken.ipynb"
    notebook = committed("02_reading_a_sweep")
    path.write_text(json.dumps(notebook), encoding="utf-8")
    before = path.read_bytes()
    script = (sys.executable, str(FOLDER / "execute.py"), str(path))
    here = {**os.environ, "SWEEP": str(tmp_path / "nowhere")}
    done = subprocess.run(script, capture_output=True, text=True, env=here)
    assert done.returncode == 1
    assert "nowhere holds no records" in done.stderr
    assert path.read_bytes() == before
