"""How a sweep was asked for on the command line, and what to type to make it and its report again."""

from __future__ import annotations

import shlex
from pathlib import Path

from sweeps.analysis.loading.records import Records
from sweeps.errors import SweepsError
from sweeps.records.paths import SweepPaths
from sweeps.records.plan_file import read_overrides
from sweeps.report.document import Prose, Section


def overrides(root: Path) -> list[str] | None:
    """What was written after `-m`, but for where the records are; None where that was not kept, or cannot be read."""
    try:
        given = read_overrides(SweepPaths(root).multirun)
    except SweepsError:  # one of the records' problems
        return None
    return given and [text for text in given if not text.startswith("runs_dir=")]


def changed_settings(root: Path) -> str | None:
    """A note that lists the command line's changes of the experiment file; None if there were none."""
    given = overrides(root) or []
    more = [text for text in given if not text.startswith("experiment=")]
    if not more or len(more) == len(given):
        return None
    return (
        f"*This sweep was run with `{shlex.join(more)}`: what the text below says of the design and the result "
        "is of the experiment as it is written.*"
    )


def reproduce(records: Records) -> Section:
    """The commands that make the records and this report again."""
    name, given = records.root.name, overrides(records.root)
    given = [f"experiment={name}"] if given is None else given
    commits = sorted({str(value) for value in records.cells["commit"].dropna() if value})
    lines = [f"git checkout {commits[0]}"] if len(commits) == 1 and not commits[0].endswith("-dirty") else []
    lines += [f"python -m sweeps -m {shlex.join(given)}", f"python -m sweeps report experiment={name}"]
    text = (
        "```sh\n"
        + "\n".join(lines)
        + "\n```\n\nThe sweep trains what is not there yet; the report is of the records alone. "
    )
    if given == [f"experiment={name}"]:
        text += f"`make sweep EXPERIMENT={name}` does both. "
    text += "Every cell has its own settings in `config.yaml`. The same records give the same bytes."
    return Section("How to reproduce", [Prose(text)])
