"""The command about two sweeps of the same cells: compare."""

from __future__ import annotations

import os
from pathlib import Path

from sweeps.commands.arguments import settings_in, sweep_of
from sweeps.errors import CommandError, SweepsError
from sweeps.terminal import say


def compare(arguments: list[str]) -> int:
    """Put the same cells of two sweeps side by side: under two commits, kernels, machines or numerics.

    `compare ONE OTHER`: each is an experiment of runs_dir, or a folder if there is a slash in it:
    `compare first_look /elsewhere/runs/first_look`. Says what is equal byte for byte, what moved and by how much, which
    outcomes changed, which cells only one has, what they were made with, and whether a conclusion changes. into=FOLDER
    writes the same as Markdown, with a row per cell as CSV. The exit status is 0 whatever differs.
    """
    from sweeps.commands.printed import say_document
    from sweeps.report.side_by_side import side_by_side

    words = [text for text in arguments if "=" not in text and not text.startswith("-")]
    settings = settings_in(
        [text for text in arguments if text not in words], ("experiment", "runs_dir", "into"), several=True
    )
    if any(text.startswith("experiment=") for text in arguments):
        words += settings["experiment"].split(",")
    if len(words) != 2:
        given = ", ".join(words) or "no sweep"
        raise CommandError([f"compare: given {given}, must be two: experiments, or folders with a / in them"])
    one, other = (_folder(word, settings) for word in words)
    found = side_by_side(one, other)
    say_document(found.document())
    if "into" in settings:
        for path in found.write(Path(settings["into"])):
            say(f"Written: {path}")
    return 0


def _folder(word: str, settings: dict[str, str]) -> Path:
    if os.sep not in word:
        return sweep_of(settings | {"experiment": word}).root
    folder = Path(word).absolute()
    if not folder.is_dir():
        raise SweepsError(f"{folder} is no folder; give the folder of a sweep, runs/NAME")
    return folder
