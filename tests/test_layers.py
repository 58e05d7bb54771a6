"""Imports point one way: errors, config, plan; tasks, engine, probes; and the analysis knows files alone."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sweeps.config.places import ROOT

SRC = ROOT / "src"
PACKAGE = SRC / "sweeps"

PURE = {"errors"}
CONFIG = {*PURE, "config"}
RECORDS = {*PURE, "records"}
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "config": CONFIG,
    "tasks": {"config.schema", "tasks"},
    "plan": {*CONFIG, "plan"},
    "engine": {"config.schema", "tasks", "engine"},
    "probes": {"engine", "probes"},
    "records": {*RECORDS, "config.places", "config.identity"},
    "execute": {*CONFIG, "tasks", "plan", "engine", "probes", "records", "execute"},
    "analysis": {*RECORDS, "analysis"},
    "report": {*RECORDS, "analysis"},
    "launch": {*CONFIG, "tasks", "plan", "records", "execute"},
    "solo": {*CONFIG, "plan", "records", "execute", "launch"},
    "verify": {*RECORDS, "analysis", "report"},
    "dashboard": {*RECORDS, "analysis", "dashboard"},
    "commands": {*PURE, "config.places", "records", "analysis", "report", "verify", "dashboard", "main"},
    "main": {*CONFIG, "commands", "solo"},
    "__main__": {"main"},
    "textbook": set(),
    "__init__": set(),
}
"""What each part of the package may import of the package; a dotted name allows that module alone."""

TORCH = {"engine", "probes"}
HYDRA = {"config", "main", "launch", "solo", "commands"}
NUMBERS = {"pandas", "scipy", "seaborn", "matplotlib", "sklearn", "statsmodels"}


def files() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def part(path: Path) -> str:
    """The part of the package that a file belongs to: its folder, or the module at the top."""
    inside = path.relative_to(PACKAGE)
    return inside.parts[0] if len(inside.parts) > 1 else inside.stem


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in it, in full."""
    package = list(path.relative_to(SRC).parent.parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *(node.module.split(".") if node.module else [])])
            for each in node.names:
                inner = SRC.joinpath(*module.split("."), each.name)
                is_module = inner.is_dir() or inner.with_suffix(".py").exists()
                yield f"{module}.{each.name}" if is_module else module


EDGES = [(path, part(path), module) for path in files() for module in imports(path)]


def test_the_reader_of_imports_sees_them() -> None:
    """A floor, so that the tests below cannot pass by seeing nothing."""
    assert len(files()) >= 60
    seen = {(str(path.relative_to(PACKAGE)), module) for path, _, module in EDGES}
    assert len([module for _, module in seen if module.startswith("sweeps.")]) >= 100
    assert ("launch.py", "sweeps.tasks") in seen, "`from sweeps import tasks`"
    assert ("records/mirror.py", "sweeps.records.files") in seen, "`from .files import ...`"
    assert ("records/mirror.py", "sweeps.errors") in seen, "`from ..errors import ...`"
    assert ("execute/local.py", "sweeps.execute.worker") in seen, "an import inside a function"


def test_every_part_has_its_rule() -> None:
    assert {part(path) for path in files()} == set(ALLOWED)


@pytest.mark.parametrize("name", ALLOWED)
def test_imports_point_backwards(name: str) -> None:
    wrong = []
    for path, where, module in EDGES:
        if where != name or not (module == "sweeps" or module.startswith("sweeps.")):
            continue
        inside = module.removeprefix("sweeps").removeprefix(".")
        if not any(inside == allowed or inside.startswith(f"{allowed}.") for allowed in ALLOWED[name]):
            wrong.append(f"{path.relative_to(ROOT)} imports {module}")
    assert wrong == []


@pytest.mark.parametrize(
    ("library", "may"),
    [
        ("torch", TORCH),
        ("hydra", HYDRA),
        ("omegaconf", HYDRA),
        ("wandb", {"records"}),
        ("wandb_workspaces", {"dashboard"}),
        *((library, {"analysis", "report", "tasks"}) for library in sorted(NUMBERS)),
        ("rich", {"execute", "launch", "solo", "commands", "main"}),
        ("submitit", {"execute"}),
        ("ray", {"execute"}),
    ],
)
def test_libraries_stay_where_they_belong(library: str, may: set[str]) -> None:
    users = {where for _, where, module in EDGES if module.partition(".")[0] == library}
    assert users <= may


def test_a_task_needs_numpy_and_nothing_heavy() -> None:
    outside = {module.partition(".")[0] for _, where, module in EDGES if where == "tasks"} - {"sweeps"}
    assert outside - set(sys.stdlib_module_names) <= {"numpy", "sklearn"}


def test_the_plan_is_pure() -> None:
    outside = {module.partition(".")[0] for _, where, module in EDGES if where == "plan"} - {"sweeps"}
    assert outside <= set(sys.stdlib_module_names) - {"os", "pathlib", "subprocess"}


@pytest.mark.parametrize(
    "module",
    [
        "sweeps.report",
        "sweeps.textbook",
        "sweeps.plan.plan",
        "sweeps.config.compose",
        "sweeps.config.precheck",
        "sweeps.records.mirror",
        "sweeps.tasks",
        "sweeps.launch",
        "sweeps.main",
        "hydra_plugins.sweeps.launcher",
    ],
)
def test_no_torch_is_imported(module: str) -> None:
    """In a fresh process: what is slow to import is imported where training starts."""
    heavy = "('torch', 'wandb', 'sklearn')"
    code = f"import sys, {module}; print(*(name for name in {heavy} if name in sys.modules))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == ""


@pytest.mark.parametrize("module", ["sweeps.report", "sweeps.plan.plan", "sweeps.records.mirror", "sweeps.tasks"])
def test_no_hydra_is_imported(module: str) -> None:
    code = f"import sys, {module}; print(*(name for name in ('hydra', 'omegaconf') if name in sys.modules))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == ""
