"""Where the configuration files are: `conf/` and `experiments/` at the top of the repository."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from sweeps.errors import SweepsError

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
    """The names that a config group offers, sorted."""
    if group == "experiment":
        return sorted(path.parent.name for path in EXPERIMENTS.glob("*/sweep.yaml"))
    return sorted(path.stem for path in (CONF / group).glob("*.yaml"))


def choice_file(group: str, name: str) -> Path:
    """The YAML file of one choice, whether it exists or not."""
    return CONF / group / f"{name}.yaml"


@cache
def defaults(group: str, name: str) -> dict[str, Any]:
    """The YAML file of one choice: the names, types and defaults of its settings; {} if there is no such file."""
    path = choice_file(group, name)
    return dict(yaml.safe_load(path.read_text(encoding="utf-8"))) if path.exists() else {}


IDLE = {("clip", "none"): ("threshold",), ("init", "own"): ("gain",)}
"""Settings that a choice of a group has in its file and does not use."""


def has(group: str, name: str, setting: str) -> bool:
    """Whether a choice of a group has a setting that does something."""
    return setting in defaults(group, name) and setting not in IDLE.get((group, name), ())


@cache
def top_level() -> dict[str, Any]:
    """The content of conf/config.yaml, without the files that it includes."""
    return dict(yaml.safe_load((CONF / "config.yaml").read_text(encoding="utf-8")))
