"""What the commands beside training are given: `key=value` settings, and the sweep and the texts that these mean."""

from __future__ import annotations

from collections.abc import Sequence

from sweeps.config.places import EXPERIMENTS, top_level
from sweeps.config.rules import NAME, NO_FOLDER
from sweeps.errors import ConfigError, SweepsError, unknown
from sweeps.records.paths import SweepPaths
from sweeps.records.reading import SMALL, read_bytes

HELP = {"--help", "-h"}


class Help(Exception):
    """`--help` was asked for; the message is the settings that the command takes."""


def settings_in(arguments: Sequence[str], keys: Sequence[str]) -> dict[str, str]:
    """`key=value` pairs of a command that composes nothing, and where the records are unless told.

    Raises:
        ConfigError: an argument is none of `keys`.
        Help: not to be done, but explained.
    """
    if HELP & set(arguments):
        raise Help(" ".join(f"[{key}=...]" for key in keys))
    found = {key: str(top_level()[key]) for key in ("experiment", "runs_dir")}
    given: dict[str, str] = {}
    problems = []
    for text in arguments:
        key, equals, value = text.partition("=")
        if not equals or key not in keys:
            problems.append(unknown("argument", text, (f"{each}=..." for each in keys)))
        if key in given:
            problems.append(f"{key}: given {given[key]!r} and {value!r}, must be given once")
        found[key] = given[key] = _unquoted(value)
    if not found["runs_dir"].strip():
        problems.append(NO_FOLDER.format(found["runs_dir"]))
    if not NAME.fullmatch(name := found["experiment"]):
        problems.append(f"experiment: given {name!r}, must be the name of a folder of {found['runs_dir']}")
    if problems:
        raise ConfigError(problems)
    return found


def _unquoted(value: str) -> str:
    """The value without the quotes that Hydra wants around a path with spaces."""
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"" else value


def sweep_of(settings: dict[str, str]) -> SweepPaths:
    """The sweep that the settings name.

    Raises:
        SweepsError: it has no records.
    """
    sweep = SweepPaths.at(settings["runs_dir"], settings["experiment"])
    if not sweep.root.is_dir():
        if (EXPERIMENTS / settings["experiment"] / "sweep.yaml").exists():
            name = settings["experiment"]
            raise SweepsError(f"{sweep.root} has no records yet; `make sweep EXPERIMENT={name}` makes them")
        there = sorted(path.name for path in sweep.root.parent.glob("*") if path.is_dir())
        raise SweepsError(
            unknown("experiment", settings["experiment"], there)
            if there
            else f"there are no records under {sweep.root.parent}; run `make sweep` first"
        )
    return sweep


def text_of(settings: dict[str, str], name: str) -> str | None:
    """What a person wrote about an experiment, if anything: README.md asks the question, claims.md states claims."""
    path = EXPERIMENTS / settings["experiment"] / name
    try:
        return read_bytes(path, SMALL).decode(errors="replace")
    except FileNotFoundError:
        return None
