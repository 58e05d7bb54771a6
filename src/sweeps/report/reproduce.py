"""The section 'How to reproduce': the command line of a sweep, and the commands that make it and its report again."""

from __future__ import annotations

import shlex
from pathlib import Path

from sweeps.analysis.loading.records import Records
from sweeps.config.places import experiment_file
from sweeps.errors import SweepsError
from sweeps.records.paths import SweepPaths
from sweeps.records.plan_file import read_overrides
from sweeps.report.document import Prose, Section


def overrides(root: Path) -> list[str] | None:
    """The overrides after `-m`, without `runs_dir`; None if they were not recorded or cannot be read."""
    try:
        recorded = read_overrides(SweepPaths(root).multirun)
    except SweepsError:  # reported among the problems of the records
        return None
    return recorded and [text for text in recorded if not text.startswith("runs_dir=")]


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


def reproduce(records: Records) -> Section:
    """The commands that make the records and this report again."""
    name, typed = records.root.name, overrides(records.root)
    if typed is None and experiment_file(name).exists():
        typed = [f"experiment={name}"]
    commits = sorted({str(value) for value in records.cells["commit"].dropna() if value})
    lines = [f"git checkout {commits[0]}"] if len(commits) == 1 and not commits[0].endswith("-dirty") else []
    lines += [] if typed is None else [f"python -m sweeps -m {shlex.join(typed)}"]
    lines += [f"python -m sweeps report experiment={name}"]
    text = "```sh\n" + "\n".join(lines) + "\n```\n\n"
    text += (
        "The cells come from no one command line that was kept; the report is made from the records alone. "
        if typed is None
        else "The sweep trains only cells without a record; the report is made from the records alone. "
    )
    if typed == [f"experiment={name}"]:
        text += f"`make sweep EXPERIMENT={name}` does both. "
    text += "Every cell has its own settings in `config.yaml`. The same records give the same bytes."
    return Section("How to reproduce", [Prose(text)])
