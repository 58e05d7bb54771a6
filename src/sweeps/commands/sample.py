"""The command that lets a trained character model write: sample."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from itertools import chain

from sweeps.commands.arguments import settings_in, sweep_of
from sweeps.errors import CommandError, SweepsError
from sweeps.terminal import terminal

DEFAULTS = {"prompt": "", "length": "500", "temperature": "1", "seed": "0"}


def sample(arguments: list[str]) -> int:
    """Write text with a trained character model: cell=ID prompt="To be" length=500 temperature=0.7 seed=1.

    The cell has task=char_lm and was trained with train.save=final. The prompt and the characters that follow it go to
    the standard output, nothing else. Each character is drawn with the model's probabilities: temperature=1 as they
    are, below 1 the likely ones more often, at 0 always the likeliest.
    """
    from sweeps.analysis.loading.final_weights import weights
    from sweeps.analysis.loading.one import find_cell, read_run
    from sweeps.config.shortest import settings_from
    from sweeps.written import written

    settings = DEFAULTS | settings_in(arguments, ("experiment", "runs_dir", "cell", *DEFAULTS))
    problems = [] if settings.get("cell") else ["cell: not given, must be the id of a cell, such as cell=3f2a9c"]
    length = _number(settings, "length", int, 1, "an integer of at least 1", problems)
    temperature = _number(settings, "temperature", float, 0, "a number of at least 0", problems)
    seed = _number(settings, "seed", int, 0, "an integer of at least 0", problems)
    if problems:
        raise CommandError(problems)
    sweep = sweep_of(settings)
    paths = find_cell(settings["cell"], [sweep])
    kept = weights(sweep.root, paths.root.name)
    try:
        own = settings_from(read_run(paths).config, paths.root.name)
        text = written(own, kept, settings["prompt"], int(length), temperature, int(seed))
        for each in chain([settings["prompt"]], text, "\n"):
            sys.stdout.write(each)
            sys.stdout.flush()
    except ValueError as error:
        raise SweepsError(f"{paths.root.name}: {error}") from None
    except BrokenPipeError:
        terminal().on_broken_pipe()  # whoever read it, such as `head`, has enough: quietly, as when a table is printed
    return 0


def _number(
    settings: dict[str, str], key: str, kind: Callable[[str], float], least: float, allowed: str, problems: list[str]
) -> float:
    """The number of a setting; where it is none that is allowed, a sentence on that goes to the problems."""
    try:
        value = kind(settings[key])
    except ValueError:
        value = math.nan
    if not (least <= value < math.inf):
        problems.append(f"{key}: given {settings[key]!r}, must be {allowed}")
    return value
