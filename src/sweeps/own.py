"""The user's own folders outside the project: architectures and tasks that are found like those of the project.

The environment variable SWEEPS_OWN names them, separated by `:` as in PATH (`;` on Windows). Each may hold
`architectures/*.py` and `tasks/*.py`, which register what they define, `conf/arch/NAME.yaml` and `conf/task/NAME.yaml`,
and `conf/cards.yaml`. Worker processes inherit the variable.
"""

from __future__ import annotations

import hashlib
import os
import sys
import traceback
from collections.abc import MutableMapping
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from sweeps.errors import SweepsError

VARIABLE = "SWEEPS_OWN"
GROUPS = ("arch", "task")
"""The config groups that such a folder may add choices to."""
PARTS = ("architectures", "tasks")
"""The folders of its code."""

_done: set[str] = set()


def folders() -> list[Path]:
    """The folders, in the order of the variable.

    Raises:
        SweepsError: one of them is not there.
    """
    named = [Path(text).expanduser().absolute() for text in os.environ.get(VARIABLE, "").split(os.pathsep) if text]
    if missing := [folder for folder in named if not folder.is_dir()]:
        raise SweepsError(f"{VARIABLE}: given {missing[0]}, must name folders that exist, separated by {os.pathsep!r}")
    return list(dict.fromkeys(named))


def choice_files(group: str) -> dict[str, Path]:
    """The YAML files of the choices that the folders add to a group, by name.

    Raises:
        SweepsError: two folders have a choice of one name, or a folder has a group that it may not add to.
    """
    found: dict[str, Path] = {}
    for folder in folders():
        for other in sorted((folder / "conf").glob("*/")):
            if other.name not in GROUPS:
                raise SweepsError(f"{other}: an own folder may add to {' and '.join(GROUPS)}, given {other.name}")
        for path in sorted((folder / "conf" / group).glob("*.yaml")) if group in GROUPS else ():
            if path.stem in found:
                raise SweepsError(f"{group}={path.stem} is in {found[path.stem]} and in {path}; rename one of them")
            found[path.stem] = path
    return found


def register_own(part: str, registry: MutableMapping[str, Any]) -> None:
    """Run the files of a part of the folders, once in a process; what they register is then in the registry.

    Args:
        part: `architectures` or `tasks`.
        registry: name -> what is registered.

    Raises:
        SweepsError: a file cannot be run, or registers a name that was registered before; the registry is as it was.
    """
    if part in _done:
        return
    _done.add(part)  # before they run: they may ask for what is registered
    before = dict(registry)
    try:
        for folder in folders():
            for path in _code(folder, part):
                _run(path, part, registry)
    except BaseException:
        _done.discard(part)
        registry.clear()
        registry.update(before)
        raise


def digest() -> str | None:
    """Twelve hex digits of all code in the folders, for a record, whose commit knows nothing of it; None: no folder."""
    found = hashlib.sha256()
    for path in (path for folder in folders() for part in PARTS for path in _code(folder, part)):
        found.update(f"{path.name}\0".encode() + path.read_bytes() + b"\0")
    return found.hexdigest()[:12] if folders() else None


def _code(folder: Path, part: str) -> list[Path]:
    return sorted(path for path in (folder / part).glob("*.py") if not path.name.startswith("_"))


def _run(path: Path, part: str, registry: MutableMapping[str, Any]) -> None:
    there = dict(registry)
    name = f"sweeps_own_{part}_{path.stem}"
    spec = spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = sys.modules[name] = module_from_spec(spec)  # docstrings of a choice are looked up there
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        own = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
        line = getattr(error, "lineno", None) or (own[-1] if own else None)
        where = f"{path}, line {line}" if line else str(path)
        raise SweepsError(f"{where}: {type(error).__name__}: {error}") from error
    if taken := [each for each, made in there.items() if registry.get(each) is not made]:
        raise SweepsError(f"{path} registers {taken[0]!r}, a name that is there already; give it another")
