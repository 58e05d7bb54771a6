"""Command lines that Hydra composes: one cell, a sweep, and what its own flags show."""

from __future__ import annotations

import os
import sys
import traceback
from argparse import ArgumentError
from collections.abc import Sequence
from pathlib import Path

import hydra
from hydra._internal.utils import get_args_parser
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig

from sweeps.config.places import CONF
from sweeps.config.precheck import problems
from sweeps.errors import ConfigError, SweepsError, unknown

MULTIRUN = ("-m", "--multirun")
HERE = Path(__file__).resolve().parent
OURS = (HERE, HERE.parent / "hydra_plugins")


def hydra_app(arguments: Sequence[str]) -> int:
    """Hand a command line of settings to Hydra: it composes, and calls `one_cell` or the launcher plugin.

    Raises:
        SweepsError: something on it is wrong, by our own rules or by Hydra's.
        HydraException: the same, of those that speak for themselves.
        OSError: a record cannot be written.
    """
    settings = [text for text in arguments if text not in MULTIRUN]
    if not any(text.startswith("-") for text in settings):  # --help, --cfg job and the like are Hydra's own
        found = problems(settings)
        if found:
            raise ConfigError(found)
    asked = [] if len(settings) == len(arguments) or {"--cfg", "-c"} & set(settings) else ["-m"]
    settings.sort(key=lambda text: "=" in text or text.startswith("~"))  # Hydra takes them on one side of its flags
    _check_flags([*asked, *settings])
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

    try:
        hydra.main(version_base="1.3", config_path=str(CONF), config_name="config")(task)()
    except Exception as error:
        told = isinstance(error, SweepsError | OSError) and not isinstance(error, HydraException)
        if told or _came_from_us(error):
            raise
        raise SweepsError(_in_a_sentence(error)) from error
    if wrong:
        raise wrong[0]
    return 0


def _check_flags(arguments: Sequence[str]) -> None:
    """What Hydra's parser of flags would answer with a page of usage."""
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


def _in_a_sentence(error: Exception) -> str:
    """What Hydra says, and what it says that this comes from, without where it looked."""
    cause = str(error.__cause__ or "").strip().splitlines()[:1]
    said = " ".join([str(error).partition("Config search path")[0], *cause])
    return f"Hydra: {' '.join(said.split()) or type(error).__name__}"


def _came_from_us(error: Exception) -> bool:
    """Whether code of this package raised it, or code that it called, rather than Hydra on the way to it."""
    return any(
        place in Path(frame.filename).parents and frame.name != "hydra_app"
        for frame in traceback.extract_tb(error.__traceback__)
        for place in OURS
    )
