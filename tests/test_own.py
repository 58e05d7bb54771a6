"""An architecture in a folder of the user's own: found by every command and by workers; what is wrong there is said."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers import SMALL
from sweeps import own
from sweeps.config.places import ROOT
from sweeps.errors import SweepsError
from sweeps.records.paths import CellPaths
from sweeps.records.summary import read_summary

YAML = "# A network of mine   Me 2024\nname: mine\nhidden: 8\nleak: 0.1\n"
TASK = '''
"""Adding, under another name."""
from sweeps.tasks.adding import Adding
from sweeps.tasks.base import register
register("my_adding", lambda length, solved_at: Adding(length, solved_at, "half"))
'''


def code() -> str:
    """That of the docs, under another name."""
    text = (ROOT / "docs" / "add_architecture.md").read_text(encoding="utf-8")
    found, count = re.subn(r'register\("\w+"', 'register("mine"', re.findall(r"```python\n(.*?)```", text, re.S)[0])
    assert count == 1
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("architectures", "tasks", "conf/arch", "conf/task"):
        (tmp_path / "own" / name).mkdir(parents=True)
    return tmp_path / "own"


def sweeps(folder: Path | str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sweeps", *arguments],
        env={**os.environ, own.VARIABLE: str(folder), "COLUMNS": "300"},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


@pytest.mark.slow
def test_cells_train_report_and_are_described(folder: Path, tmp_path: Path) -> None:
    (folder / "architectures" / "mine.py").write_text(code())
    (folder / "conf" / "arch" / "mine.yaml").write_text(YAML)
    (folder / "conf" / "cards.yaml").write_text("arch:\n  mine: {label: my network, marker: P}\n")
    (folder / "tasks" / "my_adding.py").write_text(TASK)
    (folder / "conf" / "task" / "my_adding.yaml").write_text("name: my_adding\nlength: 6\nsolved_at: 0.9\n")
    runs = f"runs_dir={tmp_path / 'runs'}"
    common = (*SMALL, "task=my_adding", runs)
    done = sweeps(folder, "-m", "arch=mine,rnn_tanh", "arch.leak=0.1,0.5", "init=orthogonal,identity", *common)
    assert done.returncode == 0, done.stderr
    assert "6 of 6 cells done" in done.stdout and "arch.leak is a setting of mine alone" in done.stdout
    cells = [path.parent for path in (tmp_path / "runs" / "scratch").glob("*/summary.json")]
    assert len(cells) == 6
    assert len({read_summary(CellPaths(cell)).versions["own"] for cell in cells}) == 1
    again = sweeps(folder, "arch=mine", *common)
    assert again.returncode == 0 and "Already done" in again.stdout, again.stderr
    report = sweeps(folder, "report", runs, "experiment=scratch")
    assert report.returncode == 0, report.stderr
    assert "my network" in (tmp_path / "runs" / "scratch" / "report" / "report.md").read_text()
    told = sweeps(folder, "choices", "arch=mine")
    assert "A network of mine" in told.stdout and code().split('"""')[1][:15] in told.stdout


def set_yaml(folder: Path, text: str = YAML, name: str = "mine") -> None:
    (folder / "conf" / "arch" / f"{name}.yaml").write_text(text)


def set_code(folder: Path, text: str) -> None:
    set_yaml(folder)
    (folder / "architectures" / "mine.py").write_text(text)


WRONG: dict[str, tuple[Callable[[Path], object], str]] = {
    "code that cannot be run": (lambda at: set_code(at, "\nimport nothing_here\n"), "mine.py, line 2: ModuleNotFound"),
    "code that cannot be read": (lambda at: set_code(at, "def f(:\n"), "mine.py, line 1: SyntaxError"),
    "a name of code that is taken": (lambda at: set_code(at, code().replace('"mine"', '"lstm"')),
                                     "mine.py registers 'lstm', a name that is there already"),
    "a name of settings that is taken": (lambda at: set_yaml(at, YAML.replace("mine", "lstm"), "lstm"),
                                         "lstm.yaml: arch=lstm is a choice of the project already"),
    "settings without code": (set_yaml, "conf/arch/mine.yaml is there, and no code registers it: 'mine' is not known"),
    "settings of another name": (lambda at: set_yaml(at, YAML.replace("mine", "yours")),
                                 "mine.yaml must hold settings"),
    "settings that are no YAML": (lambda at: set_yaml(at, "name: ["), "mine.yaml is no YAML"),
    "a group of the project's alone": (lambda at: (at / "conf" / "optim").mkdir(),
                                       "conf/optim: an own folder may add to arch and task, given optim"),
    "no folder": (lambda at: at.rename(at.parent / "gone"), "must name folders that exist"),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_in_a_folder_is_one_sentence(what: str, folder: Path, tmp_path: Path) -> None:
    make, sentence = WRONG[what]
    make(folder)
    done = sweeps(folder, "arch=mine", *SMALL, f"runs_dir={tmp_path / 'runs'}")
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert sentence in " ".join(done.stderr.split()), done.stderr
    assert not (tmp_path / "runs").exists(), "nothing is written"


def test_a_file_that_fails_leaves_the_registry_as_it_was(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And is run again when it is asked for again: a notebook goes on after the file was put right."""
    monkeypatch.setenv(own.VARIABLE, f"{folder}{os.pathsep}{folder}")
    monkeypatch.setattr(own, "_done", set())
    registry: dict[str, object] = {"there": 1}
    monkeypatch.setitem(sys.modules, "registry_of_test", type(sys)("registry_of_test"))
    sys.modules["registry_of_test"].add = registry.__setitem__  # type: ignore[attr-defined]
    (folder / "architectures" / "a.py").write_text("from registry_of_test import add\nadd('new', 2)\n")
    (folder / "architectures" / "b.py").write_text("from registry_of_test import add\nadd('there', 3)\n")
    (folder / "architectures" / "_helper.py").write_text("raise ValueError\n")
    before = own.digest()
    with pytest.raises(SweepsError, match=r"b\.py registers 'there'"):
        own.register_own("architectures", registry)
    assert registry == {"there": 1}
    (folder / "architectures" / "b.py").write_text("")
    for _ in range(2):
        own.register_own("architectures", registry)
        assert registry == {"there": 1, "new": 2}
    assert own.digest() != before


def test_two_folders_with_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b"):
        (tmp_path / name / "conf" / "arch").mkdir(parents=True)
        (tmp_path / name / "conf" / "arch" / "mine.yaml").write_text(YAML)
    monkeypatch.setenv(own.VARIABLE, f"{tmp_path / 'a'}{os.pathsep}{tmp_path / 'b'}")
    with pytest.raises(SweepsError, match=r"arch=mine is in .*a/conf/arch/mine.yaml and in .*b/conf/arch/mine.yaml"):
        own.choice_files("arch")
