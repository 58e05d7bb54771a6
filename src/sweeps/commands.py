"""The commands beside training: plan, figures, report, mirror. Each takes `key=value` like the rest."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console

from sweeps.config.places import EXPERIMENTS, top_level
from sweeps.errors import ConfigError, SweepsError, unknown
from sweeps.records.paths import SweepPaths


def plan(arguments: list[str]) -> int:
    """Say what a sweep would do, and do nothing."""
    from sweeps.main import MULTIRUN, hydra_app

    settings = [text for text in arguments if text not in MULTIRUN and not text.startswith("hydra/launcher=")]
    return hydra_app(["-m", *settings, "hydra.launcher.dry_run=true"])


def figures(arguments: list[str]) -> int:
    """Draw the figures of an experiment from its records."""
    from sweeps.report import make_figures

    sweep = _sweep(_settings(arguments, ("experiment", "runs_dir")))
    for path in make_figures(sweep):
        _say(f"{path}")
    return 0


def report(arguments: list[str]) -> int:
    """Write the tables, figures and report of an experiment from its records."""
    from sweeps.report import make_report

    settings = _settings(arguments, ("experiment", "runs_dir"))
    sweep = _sweep(settings)
    question = EXPERIMENTS / settings["experiment"] / "README.md"
    path = make_report(sweep, question=question.read_text(encoding="utf-8") if question.exists() else None)
    _say(f"Figures: {sweep.report / 'figures'}")
    _say(f"Report:  {path}")
    return 0


def mirror(arguments: list[str]) -> int:
    """Mirror an experiment's finished cells to W&B; with --follow until standard input closes."""
    from sweeps.records.mirror import follow

    following = "--follow" in arguments
    keys = ("experiment", "runs_dir", "tracker.project", "tracker.mode", "tracker.entity")
    settings = _settings([text for text in arguments if text != "--follow"], keys)
    if following:
        os.nice(19)  # training comes first
    result = follow(
        _sweep(settings),
        _input_closed if following else lambda: True,
        project=settings.get("tracker.project", "sweeps"),
        mode=settings.get("tracker.mode", "offline"),
        entity=settings.get("tracker.entity") or None,
    )
    for note in result.notes:
        _say(note)
    there = len(result.mirrored) + len(result.already)
    if result.mode != "disabled":
        folder = _sweep(settings).wandb / "wandb"
        _say(f"{there} cells are in {folder} ({result.mode}), {len(result.mirrored)} of them new")
    for cell, reason in list(result.failed.items())[:3]:
        _say(f"{cell}: {reason}")
    if result.failed:
        _say(f"{len(result.failed)} cells could not be mirrored; their CSV records are whole")
    return 1 if result.failed else 0


COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "plan": plan,
    "figures": figures,
    "report": report,
    "mirror": mirror,
}


def _settings(arguments: Sequence[str], keys: Sequence[str]) -> dict[str, str]:
    """`key=value` pairs of a command that composes nothing."""
    found = {key: str(top_level()[key]) for key in ("experiment", "runs_dir")}
    problems = []
    for text in arguments:
        key, equals, value = text.partition("=")
        if not equals or key not in keys:
            problems.append(unknown("argument", text, (f"{each}=..." for each in keys)))
        found[key] = value
    if problems:
        raise ConfigError(problems)
    return found


def _sweep(settings: dict[str, str]) -> SweepPaths:
    sweep = SweepPaths(Path(settings["runs_dir"]).absolute() / settings["experiment"])
    if not sweep.root.is_dir():
        there = sorted(path.name for path in sweep.root.parent.glob("*") if path.is_dir())
        raise SweepsError(
            unknown("experiment", settings["experiment"], there)
            if there
            else f"there are no records under {sweep.root.parent}; run `make sweep` first"
        )
    return sweep


def _input_closed() -> bool:
    """Whether standard input has reached its end, without waiting for it."""
    ready, _, _ = select.select([sys.stdin], [], [], 0)
    return bool(ready) and not os.read(sys.stdin.fileno(), 1)


def _say(text: str) -> None:
    Console().print(text, highlight=False, markup=False, soft_wrap=True)
