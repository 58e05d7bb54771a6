"""The front door: `python -m sweeps key=value ...` trains one cell, `-m` a sweep, and a few words do the rest."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig
from rich.console import Console

from sweeps.arguments import Help
from sweeps.commands import COMMANDS
from sweeps.config.places import CONF
from sweeps.config.precheck import problems
from sweeps.errors import ConfigError, SweepsError, nearest, told

MULTIRUN = ("-m", "--multirun")


def main(arguments: Sequence[str]) -> int:
    """Run one command line.

    Returns:
        The exit status: 0, 1 when a cell failed, 2 when the command was wrong; 130 after Ctrl-C, 143 after SIGTERM.
    """
    console = Console(stderr=True)
    signal.signal(signal.SIGTERM, _end_tidily)
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
    except Help as asked:
        print(f"python -m sweeps {arguments[0]} {asked}\n\n{COMMANDS[arguments[0]].__doc__}")
        return 0
    except (SweepsError, HydraException, OSError) as error:
        console.print(told(error), highlight=False, markup=False, soft_wrap=True, style="red")
        return 2
    except KeyboardInterrupt as stopped:
        sweep = any(text in MULTIRUN for text in arguments)
        console.print("Stopped." + " What has ended is on disk; the same command goes on from there." * sweep)
        return 128 + (stopped.args[0] if stopped.args else signal.SIGINT)


def _end_tidily(number: int, frame: FrameType | None) -> NoReturn:
    """What ends a command from outside ends it as Ctrl-C does: children are ended, temporary folders removed."""
    signal.signal(number, signal.SIG_IGN)  # once: `timeout` sends it twice, and the second would cut tidying short
    raise KeyboardInterrupt(number)


def hydra_app(arguments: Sequence[str]) -> int:
    """Hand a command line of settings to Hydra: it composes, and calls `one_cell` or the launcher plugin."""
    settings = [text for text in arguments if text not in MULTIRUN]
    if not any(text.startswith("-") for text in settings):  # --help, --cfg job and the like are Hydra's own
        found = problems(settings)
        if found:
            raise ConfigError(found)
    asked = [] if len(settings) == len(arguments) or {"--cfg", "-c"} & set(settings) else ["-m"]
    settings.sort(key=lambda text: "=" in text or text.startswith("~"))  # Hydra takes them on one side of its flags
    sys.argv = ["sweeps", *asked, *settings]
    os.environ["HYDRA_FULL_ERROR"] = "1"  # errors leave Hydra as they are, for `main` to tell
    wrong: list[Exception] = []

    def task(config: DictConfig) -> None:
        from sweeps.solo import one_cell

        try:
            one_cell(config)
        except (SweepsError, OSError) as error:
            if HydraConfig.get().mode == RunMode.MULTIRUN:
                raise  # the cell has failed; the sweeper tells
            wrong.append(error)  # of a single run Hydra would tell it too

    hydra.main(version_base="1.3", config_path=str(CONF), config_name="config")(task)()
    if wrong:
        raise wrong[0]
    return 0
