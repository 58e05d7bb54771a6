"""The section 'How to reproduce': the command line of a sweep, and the commands that make it and its report again."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sweeps.analysis.loading.records import Records
from sweeps.config.places import experiment_file, top_level
from sweeps.errors import SweepsError
from sweeps.records.paths import SweepPaths
from sweeps.records.plan_file import read_overrides
from sweeps.report.document import Prose, Section

ONE_LEVEL = re.compile(r"([^=]+)=choice\(([^,()'\"]+)\)")
"""What `command_line.as_axes` makes of a setting of one value."""


def overrides(root: Path) -> list[str] | None:
    """The overrides after `-m` as they can be typed, without `runs_dir`; None if they were not recorded or cannot be
    read."""
    try:
        recorded = read_overrides(SweepPaths(root).multirun)
    except SweepsError:  # reported among the problems of the records
        return None
    return recorded and [ONE_LEVEL.sub(r"\1=\2", text) for text in recorded if not text.startswith("runs_dir=")]


def changed_settings(root: Path) -> str | None:
    """A note that lists how the command line changed the experiment; None if it did not, or without an experiment."""
    typed = overrides(root) or []
    changes = [text for text in typed if not text.startswith("experiment=")]
    if not changes or len(changes) == len(typed):
        return None
    return (
        f"*This sweep was run with `{shlex.join(changes)}`: the text below describes the design and the result "
        "of the experiment without these changes.*"
    )


def typed_for(root: Path) -> list[str] | None:
    """What follows `-m` in the command line that makes the records of a sweep; None if no one command line does."""
    recorded = overrides(root)
    return [f"experiment={root.name}"] if recorded is None and experiment_file(root.name).exists() else recorded


def where(records: Records) -> list[str]:
    """The `runs_dir` that the cells were trained with, as an override; none for that of conf/, or for several."""
    folders: Any = records.cells["runs_dir"].dropna().unique() if "runs_dir" in records.cells else []
    return place_of(folders[0]) if len(folders) == 1 else []


def place_of(runs_dir: Any) -> list[str]:
    """A `runs_dir` as an override; none for that of conf/."""
    return [f"runs_dir={runs_dir}"] if runs_dir not in (None, top_level()["runs_dir"]) else []


def reproduce(records: Records) -> Section:
    """The commands that make the records and this report again."""
    name, roots = records.experiment, [sweep.root for sweep in records.sweeps.values()] or [records.root]
    commands = [typed_for(root) for root in roots]
    commits = sorted({str(value) for value in records.cells["commit"].dropna() if value})
    lines = [f"git checkout {commits[0]}"] if len(commits) == 1 and not commits[0].endswith("-dirty") else []
    place = where(records)
    lines += [f"python -m sweeps -m {shlex.join([*typed, *place])}" for typed in commands if typed is not None]
    lines += [f"python -m sweeps report {shlex.join([f'experiment={name}', *place])}"]
    text = "```sh\n" + "\n".join(lines) + "\n```\n\n"
    text += (
        f"The cells{_of(roots, commands)} come from no one command line that was kept; the report is made from the "
        "records alone. "
        if None in commands
        else "The sweep trains only cells without a record; the report is made from the records alone. "
    )
    if commands == [[f"experiment={name}"]] and not place:
        text += f"`make sweep EXPERIMENT={name}` does both. "
    text += "Every cell has its own settings in `config.yaml`. The same records give the same bytes."
    return Section("How to reproduce", [Prose(text)])


def _of(roots: Sequence[Path], commands: Sequence[list[str] | None]) -> str:
    """Of several sweeps those without a command line, as part of a sentence."""
    names = [root.name for root, typed in zip(roots, commands, strict=True) if typed is None]
    return f" of {' and '.join(names)}" if len(roots) > 1 else ""
