"""Small settings for tests, made as the command line makes them: composed, typed and checked against the rules."""

from __future__ import annotations

from functools import cache
from typing import Any

from sweeps.config.command_line import load
from sweeps.config.compose import Composer
from sweeps.config.identity import NUMERICS_VERSION
from sweeps.config.parse import parse
from sweeps.config.rules import check
from sweeps.config.schema import Settings
from sweeps.plan.cells import Cell, distinct
from sweeps.records.columns import FORMAT

SMALL = (
    "tracker=csv",
    "arch.hidden=8",
    "task.length=6",
    "train.batch=8",
    "train.steps=6",
    "train.log_every=2",
    "train.eval_every=2",
    "train.eval_size=16",
)
"""A cell that trains in milliseconds."""

RECIPES = (
    ("schedule=cosine", "schedule.warmup=3", "train.patience=2"),
    ("schedule=plateau", "schedule.patience=0", "schedule.factor=0.5", "penalty=l2", "penalty.strength=0.01"),
    ("schedule=inverse_sqrt", "schedule.warmup=4", "train.patience=1"),
    ("schedule=step", "schedule.every=2", "optim.weight_decay=0.5"),
    ("penalty=l2", "penalty.strength=1", "schedule.warmup=2"),
    ("schedule=plateau", "schedule.patience=1", "schedule.threshold=0.5", "train.patience=3"),
    (),
)
"""What may differ between the lanes of a pack that `optim=adamw` trains, of runs of a few updates."""

OF_TASK = {"mnist": ("task.size=7", "task.blank=true")}
"""What a task needs beyond `SMALL` to have sequences of some 50 to 100 steps."""

compose = Composer(load)
"""Shared, so that each combination of choices is composed by Hydra once in a test session."""


@cache
def make_cell(*overrides: str) -> Settings:
    """The settings of `python -m sweeps <overrides>`, small unless the overrides say otherwise.

    >>> make_cell("arch=lstm", "task.length=9", "seed=1")

    Raises:
        ValueError: the overrides make no valid cell; the message holds every problem.
    """
    wanted = {text.partition("=")[0]: text for text in (*SMALL, *overrides)}
    settings, problems = parse(compose(list(wanted.values())))
    if settings is not None:
        problems = check(settings)
    if settings is None or problems:
        raise ValueError("; ".join(problems))
    return settings


def summary_of(cell: str, outcome: str = "finished") -> dict[str, Any]:
    """The smallest summary.json with which a cell is done."""
    step = 6
    return {
        "format": FORMAT,
        "cell": cell,
        "outcome": outcome,
        "step": step,
        "solved_step": step if outcome == "solved" else None,
        "diverged_step": step if outcome == "diverged" else None,
        "final": {},
        "best": {},
        "seconds": 1.0,
        "numerics": NUMERICS_VERSION,
    }


def make_cells(*jobs: tuple[str, ...]) -> list[Cell]:
    """The distinct cells of several jobs, each given as its overrides."""
    return distinct(make_cell(*job) for job in jobs)
