"""Where the configuration files are: `conf/` and `experiments/` at the top of the repository."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[3]
CONF = ROOT / "conf"
EXPERIMENTS = ROOT / "experiments"


def experiment_file(name: str) -> Path:
    """The file of an experiment, whether it exists or not."""
    return EXPERIMENTS / name / "sweep.yaml"


@cache
def choices(group: str) -> list[str]:
    """The names that a config group offers, sorted."""
    if group == "experiment":
        return sorted(path.parent.name for path in EXPERIMENTS.glob("*/sweep.yaml"))
    return sorted(path.stem for path in (CONF / group).glob("*.yaml"))


@cache
def defaults(group: str, name: str) -> dict[str, Any]:
    """The YAML file of one choice: the names, types and defaults of its settings; {} if there is no such file."""
    path = CONF / group / f"{name}.yaml"
    return dict(yaml.safe_load(path.read_text(encoding="utf-8"))) if path.exists() else {}


@cache
def top_level() -> dict[str, Any]:
    """The content of conf/config.yaml, without the files that it includes."""
    return dict(yaml.safe_load((CONF / "config.yaml").read_text(encoding="utf-8")))
