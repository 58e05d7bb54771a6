"""Where the configuration files are: `conf/` and `experiments/` at the top of the repository, and in own folders."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from sweeps.errors import SweepsError
from sweeps.own import choice_files

ROOT = Path(__file__).resolve().parents[3]
CONF = ROOT / "conf"
EXPERIMENTS = ROOT / "experiments"


def experiment_file(name: str) -> Path:
    """The file of an experiment, whether it exists or not."""
    return EXPERIMENTS / name / "sweep.yaml"


def analysis_section(name: str) -> Any:
    """What stands under `analysis:` in the file of an experiment; None without such a section or file.

    Raises:
        SweepsError: the file cannot be read.
    """
    path = experiment_file(name)
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else None
    except (yaml.YAMLError, ValueError) as error:  # ValueError: not UTF-8
        raise SweepsError(f"{path} is no YAML: {' '.join(str(error).split())}") from None
    return content.get("analysis") if isinstance(content, dict) else None


@cache
def choices(group: str) -> list[str]:
    """The names that a config group offers, those of the user's own folders too, sorted.

    Raises:
        SweepsError: a name is there twice, or an own folder cannot be read.
    """
    if group == "experiment":
        return sorted(path.parent.name for path in EXPERIMENTS.glob("*/sweep.yaml"))
    ours, own = {path.stem for path in (CONF / group).glob("*.yaml")}, choice_files(group)
    if twice := sorted(ours & own.keys()):
        raise SweepsError(
            f"{own[twice[0]]}: {group}={twice[0]} is a choice of the project already; give it another name"
        )
    return sorted(ours | own.keys())


def choice_file(group: str, name: str) -> Path:
    """The YAML file of one choice, whether it exists or not."""
    path = CONF / group / f"{name}.yaml"
    return path if path.exists() else choice_files(group).get(name, path)


@cache
def defaults(group: str, name: str) -> dict[str, Any]:
    """The YAML file of one choice: the names, types and defaults of its settings; {} if there is no such file.

    Raises:
        SweepsError: it is no YAML of settings, or names another choice.
    """
    path = choice_file(group, name)
    if not path.exists():
        return {}
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, ValueError) as error:  # ValueError: not UTF-8
        raise SweepsError(f"{path} is no YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict) or content.get("name") != name:
        raise SweepsError(f"{path} must hold settings, key: value, the first name: {name}, as its file is called")
    return content


IDLE = {("clip", "none"): ("threshold",), ("init", "own"): ("gain",)}
"""Settings that a choice of a group has in its file and does not use."""


def has(group: str, name: str, setting: str) -> bool:
    """Whether a choice of a group has a setting that does something."""
    return setting in defaults(group, name) and setting not in IDLE.get((group, name), ())


@cache
def top_level() -> dict[str, Any]:
    """The content of conf/config.yaml, without the files that it includes."""
    return dict(yaml.safe_load((CONF / "config.yaml").read_text(encoding="utf-8")))
