"""The commands about W&B: mirror, sync, workspace."""

from __future__ import annotations

import os
import select
import sys

from sweeps.amounts import number_of
from sweeps.commands.arguments import settings_in, sweep_of
from sweeps.terminal import say

FOLLOW = "--follow"


def mirror(arguments: list[str]) -> int:
    """Mirror an experiment's finished cells to W&B; with --follow until standard input closes."""
    from sweeps.mirror.replay import follow

    following = FOLLOW in arguments
    keys = ("experiment", "runs_dir", "tracker.project", "tracker.mode", "tracker.entity")
    settings = settings_in(arguments, keys, flags=(FOLLOW,))
    if following:
        os.nice(19)  # training comes first
    result = follow(
        sweep_of(settings),
        _input_closed if following else lambda: True,
        project=settings.get("tracker.project", "sweeps"),
        mode=settings.get("tracker.mode", "offline"),
        entity=settings.get("tracker.entity") or None,
    )
    for note in result.notes:
        say(note)
    mirrored = len(result.mirrored) + len(result.already)
    if result.mode != "disabled":
        folder = sweep_of(settings).mirrored_runs
        say(f"{number_of(mirrored, 'cell')} in {folder} ({result.mode}), {len(result.mirrored)} of them new")
    for cell, reason in list(result.failed.items())[:3]:
        say(f"{cell}: {reason}")
    if result.failed:
        say(f"{number_of(len(result.failed), 'cell')} could not be mirrored; their CSV records are complete")
    return 1 if result.failed else 0


def sync(arguments: list[str]) -> int:
    """Send an experiment's mirrored runs to the W&B server, each run once."""
    from sweeps.mirror.sync import sync as send

    settings = settings_in(arguments, ("experiment", "runs_dir"))
    result = send(sweep_of(settings), say)
    say(f"{number_of(len(result.sent), 'run')} sent now, {len(result.already)} before")
    for run, problem in result.damaged.items():
        say(f"{run}: its offline file is damaged ({problem}) and was skipped")
    for run, reason in list(result.failed.items())[:3]:
        say(f"{run}: {reason}")
    if result.damaged:
        again = f"python -m sweeps mirror experiment={settings['experiment']}"
        say(f"{number_of(len(result.damaged), 'damaged file')}: `{again}` makes them again from the CSV records")
    if result.failed:
        say(f"{number_of(len(result.failed), 'run')} did not arrive complete; sync again sends the rest")
    return 1 if result.failed or result.damaged else 0


def workspace(arguments: list[str]) -> int:
    """Make or update the W&B workspace and report of an experiment."""
    from sweeps.analysis.loading.load import load
    from sweeps.dashboard.publish import publish
    from sweeps.dashboard.workspace import study_of

    settings = settings_in(arguments, ("experiment", "runs_dir", "tracker.project", "tracker.entity"))
    study = study_of(load(sweep_of(settings).root))
    project, entity = settings.get("tracker.project", "sweeps"), settings.get("tracker.entity") or None
    for title, address in publish(study, project, entity):
        say(f"{title}: {address}")
    return 0


def _input_closed() -> bool:
    """Whether standard input has reached its end, without waiting for it."""
    ready, _, _ = select.select([sys.stdin], [], [], 0)
    return bool(ready) and not os.read(sys.stdin.fileno(), 1)
