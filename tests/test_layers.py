"""Imports point one way: from settings to records, and from the records alone to tables, figures and a report."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Set
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from sweeps.config.places import ROOT

SRC = ROOT / "src"
PACKAGE = SRC / "sweeps"
LINES = (
    "config → tasks → plan → engine → probes → records → execute → mirror → launch;",
    "records → analysis → tables, figures → report → dashboard → commands.",
)
"""How the package and CONTRIBUTING.md give the order; below it is held part by part."""

PURE = {"amounts", "errors"}
CONFIG = {*PURE, "config"}
RECORDS = {*PURE, "records"}
STATISTICS = {*RECORDS, "analysis"}
CHECK = {*CONFIG, "tasks", "plan", "execute"}
ALLOWED: dict[str, set[str]] = {
    "amounts": set(),
    "errors": {"amounts"},
    "signatures": set(),
    "interrupts": set(),
    "temporary": set(),
    "terminal": set(),
    "textbook": set(),
    "theory": set(),
    "__init__": set(),
    "own": {"errors"},
    "config": {*PURE, "own"},
    "tasks": {*PURE, "config.schema", "own", "signatures"},
    "plan": CONFIG,
    "engine": {*PURE, "config.schema", "own", "tasks", "signatures", "theory"},
    "probes": {*PURE, "config.schema", "engine"},
    "records": {*PURE, "own", "config.identity", "config.places", "config.schema"},
    "execute": {*CONFIG, "tasks", "plan", "engine", "probes", "records", "interrupts", "temporary"},
    "mirror": {*RECORDS, "config.schema", "config.short_names", "temporary"},
    "check": {*CHECK, "engine.device", "engine.meant", "engine.options", "engine.stateless", "probes.base"},
    "misfits": {*CONFIG, "tasks", "engine.stateless"},
    "launch": {*CONFIG, "check", "plan", "records", "execute", "mirror.beside", "terminal"},
    "solo": {*CONFIG, "check", "plan", "records", "execute", "mirror.beside", "terminal"},
    "again": {*CONFIG, "check", "plan", "records", "execute"},
    "probe_again": {*CONFIG, "tasks", "again", "check", "engine", "probes", "records"},
    "other_lengths": {*CONFIG, "check", "engine.trained"},
    "written": {*CONFIG, "check", "tasks", "engine.sampling", "engine.stateless"},
    "hydra_plugins": {*CONFIG, "own", "records", "check", "execute", "launch", "misfits"},
    "choices": {*CONFIG, "tasks", "engine"},
    "analysis": {*RECORDS, "config", "tasks", "theory"},
    "one_sequence": {*CONFIG, "check", "engine.one_sequence", "records", "analysis"},
    "tables": STATISTICS,
    "figures": {*STATISTICS, "config.analysis", "config.cards", "theory"},
    "report": {*STATISTICS, "config.analysis", "config.cards", "config.places", "tables", "figures"},
    "claims": {*STATISTICS, "config.schema", "config.short_names", "theory"},
    "dashboard": {*STATISTICS, "figures.charts", "mirror"},
    "in_process": {*CONFIG, "check", "records", "execute", "launch", "misfits", "analysis"},
    "hydra_app": {*CONFIG, "execute", "solo", "terminal", "report.study"},
    "commands": {
        *RECORDS,
        *(
            "config.analysis",
            "config.places",
            "config.rules",
            "config.shortest",
            "config.short_names",
            "terminal",
            "hydra_app",
            "again",
            "execute.local",
            "in_process",
            "launch",
            "probe_again",
            "other_lengths",
            "one_sequence",
            "written",
        ),
        *("choices", "analysis", "tables", "figures", "report", "claims", "mirror", "dashboard"),
    },
    "main": {*CONFIG, "hydra_app", "interrupts", "commands", "terminal"},
    "__main__": {"main"},
}
"""What each part may import of the others; a dotted name allows that module alone. Each stands after those it names."""

MOST = 1 / 3
"""Share of the lines that one part may hold."""

TORCH = {"engine", "probes"}
HYDRA = {"config", "hydra_app", "main", "launch", "solo", "hydra_plugins"}
NUMBERS = {"pandas", "scipy", "seaborn", "matplotlib", "sklearn", "statsmodels"}


def files() -> list[Path]:
    return sorted(SRC.rglob("*.py"))


def part(path: Path) -> str:
    """The part that a file belongs to: its folder in the package, or the module at the top."""
    package, *inside = path.relative_to(SRC).with_suffix("").parts
    return inside[0] if package == "sweeps" else package


def module_of(path: Path) -> str:
    """The name by which a file is imported."""
    return ".".join(path.relative_to(SRC).with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in it, in full."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module and not node.level, f"{path}: a relative import"
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
    assert ("sweeps/check.py", "sweeps.tasks") in seen, "`from sweeps import tasks`"
    assert ("sweeps/mirror/replay.py", "sweeps.records.paths") in seen, "`from sweeps.records.paths import ...`"
    assert ("hydra_plugins/sweeps/launcher.py", "sweeps.launch") in seen, "the doors of Hydra"
    assert ("sweeps/execute/local.py", "sweeps.execute.worker") in seen, "an import inside a function"


@pytest.mark.parametrize("name", ["src/sweeps/__init__.py", "CONTRIBUTING.md"])
def test_the_order_is_told_as_one(name: str) -> None:
    assert [line for line in LINES if line not in (ROOT / name).read_text(encoding="utf-8")] == []


def test_every_part_has_its_rule() -> None:
    assert {part(path) for path in files()} == set(ALLOWED)


def upward(edges: Iterable[tuple[str, str, str]]) -> list[str]:
    """The imports that no rule allows, of (module, its part, what it imports)."""
    wrong = []
    for module, where, imported in edges:
        top, _, inside = imported.partition(".")
        if top not in ("sweeps", "hydra_plugins") or where in (top, inside.partition(".")[0]):
            continue
        if not any(inside == allowed or inside.startswith(f"{allowed}.") for allowed in ALLOWED[where]):
            wrong.append(f"{module} imports {imported}")
    return wrong


def circles(arrows: Mapping[str, Set[str]]) -> list[str]:
    """A circle of the arrows, if there is one."""
    try:
        list(TopologicalSorter(arrows).static_order())
    except CycleError as error:
        return list(error.args[1])
    return []


def largest(lines: Mapping[str, int]) -> tuple[str, float]:
    """The part with the most lines, and its share of all."""
    part, most = max(lines.items(), key=lambda item: item[1])
    return part, most / sum(lines.values())


def test_imports_point_backwards() -> None:
    assert upward((module_of(path), where, module) for path, where, module in EDGES) == []


def test_no_rule_points_forwards() -> None:
    """What a part may import stands before it, so no two parts can need each other."""
    before: set[str] = set()
    for name, allowed in ALLOWED.items():
        assert {each.partition(".")[0] for each in allowed} <= before, name
        before.add(name)


def test_no_circle_of_modules() -> None:
    modules = {module_of(path) for path in files()}
    arrows: dict[str, set[str]] = {module: set() for module in modules}
    for path, _, module in EDGES:
        if module in modules:
            arrows[module_of(path)].add(module)
    assert circles(arrows) == []


def test_no_part_holds_a_third_of_the_lines() -> None:
    lines: dict[str, int] = {}
    for path in SRC.rglob("*"):
        if path.suffix in (".py", ".pyi", ".cpp", ".h", ".css", ".js", ".html", ".jinja"):
            lines[part(path)] = lines.get(part(path), 0) + len(path.read_text(encoding="utf-8").splitlines())
    name, share = largest(lines)
    assert sum(lines.values()) > 10_000 and share < MOST, name


def test_these_rules_can_fail() -> None:
    """A planted upward arrow, a planted circle (through a package too), a part of a third."""
    assert upward([("sweeps.engine.train", "engine", "sweeps.records.paths")])
    assert upward([("sweeps.mirror.run_content", "mirror", "sweeps.analysis.text")])
    assert upward([("sweeps.launch", "launch", "sweeps.mirror.sync")]), "one module of a room is allowed, not another"
    assert not upward([("sweeps.launch", "launch", "sweeps.mirror.beside")])
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}}) and not circles({"a": {"b", "c"}, "b": {"c"}, "c": set()})
    assert largest({"a": 40, "b": 30, "c": 30}) == ("a", 0.4) and MOST < 0.4


@pytest.mark.parametrize(
    ("library", "may"),
    [
        ("torch", TORCH),
        ("hydra", HYDRA),
        ("omegaconf", HYDRA),
        ("wandb", {"mirror"}),
        ("wandb_workspaces", {"dashboard"}),
        *(
            (library, {"analysis", "tables", "figures", "report", "claims", "tasks", "theory"})
            for library in sorted(NUMBERS)
        ),
        ("rich", {"execute", "mirror", "launch", "solo", "terminal"}),
        ("submitit", {"execute"}),
        ("ray", {"execute"}),
    ],
)
def test_libraries_stay_where_they_belong(library: str, may: set[str]) -> None:
    users = {where.partition(".")[0] for _, where, module in EDGES if module.partition(".")[0] == library}
    assert users <= may


def test_a_task_needs_numpy_and_nothing_heavy() -> None:
    outside = {module.partition(".")[0] for _, where, module in EDGES if where == "tasks"} - {"sweeps"}
    assert outside - set(sys.stdlib_module_names) <= {"numpy", "sklearn", "pythonbible"}


def test_theory_needs_numpy_and_scipy_and_no_other_part() -> None:
    """So that theory and what it is laid over share no code."""
    used = {module for _, where, module in EDGES if where == "theory" and not module.startswith("sweeps.theory.")}
    outside = {module.partition(".")[0] for module in used}
    assert {"numpy", "scipy"} <= outside <= {"numpy", "scipy", *sys.stdlib_module_names}


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
        "sweeps.config.command_line",
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
