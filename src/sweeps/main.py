"""The front door: `python -m sweeps key=value ...` trains one cell, `-m` a sweep, and a few words do the rest."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import hydra
from omegaconf import DictConfig
from rich.console import Console

from sweeps.commands import COMMANDS
from sweeps.config.places import CONF
from sweeps.config.precheck import problems
from sweeps.errors import ConfigError, SweepsError, nearest

MULTIRUN = ("-m", "--multirun")


def main(arguments: Sequence[str]) -> int:
    """Run one command line; returns the exit status: 0, 1 when a cell failed, 2 when the command was wrong."""
    console = Console(stderr=True)
    try:
        if arguments and arguments[0] in COMMANDS:
            return COMMANDS[arguments[0]](list(arguments[1:]))
        if arguments and "=" not in arguments[0] and not arguments[0].startswith("-"):
            near = nearest(arguments[0], COMMANDS)
            hint = f"; did you mean {near!r}?" if near else ""
            raise SweepsError(
                f"{arguments[0]!r} is no command{hint} (commands: {', '.join(COMMANDS)}; settings are key=value)"
            )
        return hydra_app(arguments)
    except SweepsError as error:
        console.print(str(error), highlight=False, markup=False, soft_wrap=True, style="red")
        return 2
    except KeyboardInterrupt:
        console.print("Stopped. What has ended is on disk; the same command goes on from there.")
        return 130


def hydra_app(arguments: Sequence[str]) -> int:
    """Hand a command line of settings to Hydra: it composes, and calls `one_cell` or the launcher plugin."""
    settings = [text for text in arguments if text not in MULTIRUN]
    if not any(text.startswith("-") for text in settings):  # --help, --cfg job and the like are Hydra's own
        found = problems(settings)
        if found:
            raise ConfigError(found)
    sys.argv = ["sweeps", *arguments]
    wrong: list[ConfigError] = []

    def task(config: DictConfig) -> None:
        from sweeps.solo import one_cell

        try:
            one_cell(config)
        except ConfigError as error:  # Hydra would show it as a traceback
            wrong.append(error)

    hydra.main(version_base="1.3", config_path=str(CONF), config_name="config")(task)()
    if wrong:
        raise wrong[0]
    return 0
