"""Imports point one way: from settings to records, and from the records alone to tables, figures and a report."""

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
LINES = (
    "config → tasks → plan → engine → probes → records → execute → launch;",
    "records → loading → statistics → tables, figures → document → report → verify, dashboard.",
)
"""How the package and CONTRIBUTING.md tell the order; below it is held part by part."""

PURE = {"errors"}
FRONT = {"application", "terminal"}
CONFIG = {*PURE, "config"}
RECORDS = {*PURE, "records"}
STATISTICS = {*RECORDS, "analysis.loading", "analysis.statistics"}
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "config": CONFIG,
    "tasks": {"config.schema", "tasks"},
    "plan": {*CONFIG, "plan"},
    "engine": {*PURE, "config.schema", "tasks", "engine"},
    "probes": {"engine", "probes"},
    "records": {*RECORDS, "config.identity", "config.places", "config.schema"},
    "execute": {*CONFIG, "tasks", "plan", "engine", "probes", "records", "execute", "interrupts"},
    "analysis.loading": {*RECORDS, "config.identity", "analysis.loading"},
    "analysis.statistics": STATISTICS,
    "analysis.tables": {*STATISTICS, "analysis.tables"},
    "analysis.figures": {*STATISTICS, "analysis.figures"},
    "analysis.document": {*STATISTICS, "analysis.tables", "analysis.figures", "analysis.document"},
    "analysis": {*STATISTICS, "analysis.tables"},
    "report": {*RECORDS, "analysis"},
    "launch": {*CONFIG, "tasks", "plan", "records", "execute", "terminal"},
    "solo": {*CONFIG, "plan", "records", "execute", "launch", "terminal"},
    "verify": {*RECORDS, "analysis", "report"},
    "dashboard": {*RECORDS, "analysis", "dashboard"},
    "arguments": {*PURE, "config.places", "config.rules", "records"},
    "commands": {*PURE, *FRONT, "arguments", "records", "analysis", "report", "verify", "dashboard", "config.places"},
    "application": {*CONFIG, "solo"},
    "main": {*CONFIG, "application", "interrupts", "arguments", "commands", "terminal"},
    "__main__": {"main"},
    "interrupts": set(),
    "terminal": set(),
    "textbook": set(),
    "__init__": set(),
    "hydra_plugins": {*CONFIG, "records", "execute", "launch"},
}
"""What each part may import of the package; a dotted name allows that module or room alone."""

TORCH = {"engine", "probes"}
HYDRA = {"config", "application", "main", "launch", "solo", "commands", "hydra_plugins"}
NUMBERS = {"pandas", "scipy", "seaborn", "matplotlib", "sklearn", "statsmodels"}


def files() -> list[Path]:
    return sorted(SRC.rglob("*.py"))


def part(path: Path) -> str:
    """The part that a file belongs to: its folder, the module at the top, or a room of the analysis."""
    package, *inside = path.relative_to(SRC).with_suffix("").parts
    if package != "sweeps":
        return package
    return ".".join(inside[:2]) if inside[0] == "analysis" and len(inside) > 2 else inside[0]


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in it, in full."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:  # the linter allows no relative ones
            for each in node.names:
                inner = SRC.joinpath(*node.module.split("."), each.name)
                is_module = inner.is_dir() or inner.with_suffix(".py").exists()
                yield f"{node.module}.{each.name}" if is_module else node.module


EDGES = [(path, part(path), module) for path in files() for module in imports(path)]


def test_the_reader_of_imports_sees_them() -> None:
    """A floor, so that the tests below cannot pass by seeing nothing."""
    assert len(files()) >= 60
    seen = {(str(path.relative_to(SRC)), module) for path, _, module in EDGES}
    assert len([module for _, module in seen if module.startswith("sweeps.")]) >= 100
    assert ("sweeps/launch.py", "sweeps.tasks") in seen, "`from sweeps import tasks`"
    assert ("sweeps/records/mirror.py", "sweeps.records.paths") in seen, "`from sweeps.records.paths import ...`"
    assert ("hydra_plugins/sweeps/launcher.py", "sweeps.launch") in seen, "the doors of Hydra"
    assert ("sweeps/execute/local.py", "sweeps.execute.worker") in seen, "an import inside a function"


@pytest.mark.parametrize("name", ["src/sweeps/__init__.py", "CONTRIBUTING.md"])
def test_the_order_is_told_as_one(name: str) -> None:
    assert [line for line in LINES if line not in (ROOT / name).read_text(encoding="utf-8")] == []


def test_every_part_has_its_rule() -> None:
    assert {part(path) for path in files()} == set(ALLOWED)


@pytest.mark.parametrize("name", ALLOWED)
def test_imports_point_backwards(name: str) -> None:
    wrong = []
    for path, where, module in EDGES:
        if where != name or module.partition(".")[0] not in ("sweeps", "hydra_plugins"):
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
        ("rich", {"execute", "launch", "solo", "terminal"}),
        ("submitit", {"execute"}),
        ("ray", {"execute"}),
    ],
)
def test_libraries_stay_where_they_belong(library: str, may: set[str]) -> None:
    users = {where.partition(".")[0] for _, where, module in EDGES if module.partition(".")[0] == library}
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
        "sweeps.report.make",
        "sweeps.textbook",
        "sweeps.plan.plan",
        "sweeps.config.compose",
        "sweeps.config.precheck",
        "sweeps.mirror.replay",
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


@pytest.mark.parametrize("module", ["sweeps.report.make", "sweeps.plan.plan", "sweeps.mirror.replay", "sweeps.tasks"])
def test_no_hydra_is_imported(module: str) -> None:
    code = f"import sys, {module}; print(*(name for name in ('hydra', 'omegaconf') if name in sys.modules))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == ""
