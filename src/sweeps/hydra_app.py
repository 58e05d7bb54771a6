"""Command lines that Hydra composes: one cell, a sweep, and Hydra's own flags, such as `--cfg job`."""

from __future__ import annotations

import os
import sys
import traceback
from argparse import ArgumentError
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from pathlib import Path

import hydra
from hydra._internal.utils import get_args_parser
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig

from sweeps.config.command_line import as_axes, problems
from sweeps.config.places import CONF, analysis_section
from sweeps.errors import ConfigError, SweepsError, unknown
from sweeps.execute.fork_server import end_server
from sweeps.execute.local import prepare
from sweeps.terminal import passing

MULTIRUN = ("-m", "--multirun")
HERE = Path(__file__).resolve().parent
OURS = (HERE, HERE.parent / "hydra_plugins")


def hydra_app(arguments: Sequence[str]) -> int:
    """Hand a command line of settings to Hydra: it composes, and calls `one_cell` or the launcher plugin.

    Raises:
        SweepsError: the command line is wrong, by our own rules or by Hydra's.
        HydraException: Hydra stops it with a message of its own.
        OSError: a record cannot be written.
    """
    settings = [text for text in arguments if text not in MULTIRUN]
    own_flags = any(text.startswith("-") for text in settings)  # --help, --cfg job and the like are Hydra's own
    if not own_flags and (wrong := problems(settings) + _study_problems(settings)):
        raise ConfigError(wrong)
    flags = [] if len(settings) == len(arguments) or {"--cfg", "-c"} & set(settings) else ["-m"]
    if not own_flags and (flags or any(text.startswith("experiment=") for text in settings)):
        settings = as_axes(settings)
    settings.sort(key=lambda text: "=" in text or text.startswith("~"))  # Hydra takes them on one side of its flags
    _check_flags([*flags, *settings])
    sys.argv = ["sweeps", *flags, *settings]
    os.environ["HYDRA_FULL_ERROR"] = "1"  # Hydra passes errors on as they are; `main` prints them
    if flags and not any(text.startswith(("-", "hydra")) for text in settings):
        with suppress(OSError):  # it is told where workers are to start
            prepare()  # while the grid is composed
    failures: list[Exception] = []
    single = not flags and not own_flags and not any(text.startswith(("experiment=", "hydra")) for text in settings)

    def task(config: DictConfig) -> None:
        from sweeps.solo import one_cell

        vanish()
        try:
            one_cell(config)
        except (SweepsError, OSError) as error:
            if HydraConfig.get().mode == RunMode.MULTIRUN:
                raise  # the cell has failed; the sweeper reports it
            failures.append(error)  # raised below: of a single run Hydra would print it as well

    try:
        with passing("Reading the settings ...") if single else nullcontext(lambda: None) as vanish:
            hydra.main(version_base="1.3", config_path=str(CONF), config_name="config")(task)()
    except Exception as error:
        clear = isinstance(error, SweepsError | OSError) and not isinstance(error, HydraException)
        if clear or _came_from_us(error):
            raise
        raise SweepsError(_hydra_message(error)) from error
    finally:
        end_server()
    if failures:
        raise failures[0]
    return 0


def _study_problems(settings: Sequence[str]) -> list[str]:
    """What is wrong under `analysis:` in the file of the experiment, so that it is not found after the training."""
    for text in settings:
        name = text.removeprefix("experiment=")
        with suppress(SweepsError):  # a file that cannot be read: Hydra reports it
            if name != text and analysis_section(name) is not None:
                from sweeps.report.study import analysis_problems  # imports matplotlib

                return analysis_problems(name)
    return []


def _check_flags(arguments: Sequence[str]) -> None:
    """Check the flags as Hydra's own parser does, which would answer a wrong one with a page of usage.

    Raises:
        SweepsError: a flag is unknown or used wrongly.
    """
    parser = get_args_parser()
    parser.exit_on_error = False  # but raise
    known = [flag for action in parser._actions for flag in action.option_strings if "rerun" not in flag]
    for text in arguments:
        flag = text.partition("=")[0]
        if flag.startswith("-") and flag not in known:
            raise SweepsError(unknown("flag", flag, known))
    try:
        parser.parse_known_args(list(arguments))
    except ArgumentError as error:
        raise SweepsError(str(error)) from None


def _hydra_message(error: Exception) -> str:
    """Hydra's message and the first line of its cause, without the list of folders that it searched."""
    cause = str(error.__cause__ or "").strip().splitlines()[:1]
    text = " ".join([str(error).partition("Config search path")[0], *cause])
    return f"Hydra: {' '.join(text.split()) or type(error).__name__}"


def _came_from_us(error: Exception) -> bool:
    """Whether the error was raised in this package or below it, not in Hydra before that was called."""
    return any(
        folder in Path(frame.filename).parents and frame.name != "hydra_app"
        for frame in traceback.extract_tb(error.__traceback__)
        for folder in OURS
    )
