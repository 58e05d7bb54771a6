"""The arguments of the commands other than training: `key=value` settings, and the sweep and texts that they name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweeps.config.places import EXPERIMENTS, experiment_file, top_level
from sweeps.config.rules import NAME, NO_FOLDER
from sweeps.errors import CommandError, SweepsError, unknown
from sweeps.records.paths import SweepPaths
from sweeps.records.safe_reading import SMALL, read_bytes

if TYPE_CHECKING:
    from sweeps.analysis.loading.records import Records

HELP = {"--help", "-h"}


class Help(Exception):
    """The command line holds `--help`; the message lists the settings that the command takes."""


def settings_in(
    arguments: Sequence[str], keys: Sequence[str], *, several: bool = False, flags: Sequence[str] = ()
) -> dict[str, str]:
    """The settings in the arguments of a command; `experiment` and `runs_dir` are from conf/config.yaml if not given.

    Args:
        flags: words that may stand beside the settings, such as `--again`.
        several: whether `experiment=a,b`, several sweeps, is allowed.

    Raises:
        CommandError: an argument is none of `keys`, is given twice, or names no folder; an experiment is named twice.
        Help: the arguments hold `--help`.
    """
    if HELP & set(arguments):
        raise Help(" ".join([*(f"[{key}=...]" for key in keys), *(f"[{flag}]" for flag in flags)]))
    settings = {key: str(top_level()[key]) for key in ("experiment", "runs_dir")}
    given: dict[str, str] = {}
    problems = []
    for text in arguments:
        if text in flags:
            continue
        key, equals, value = text.partition("=")
        if not equals or key not in keys:
            problems.append(unknown("argument", text, [*(f"{each}=..." for each in keys), *flags]))
        if key in given:
            problems.append(f"{key}: given {given[key]!r} and {value!r}, must be given once")
        settings[key] = given[key] = _unquoted(value)
    if not settings["runs_dir"].strip():
        problems.append(NO_FOLDER.format(settings["runs_dir"]))
    names = settings["experiment"].split(",") if several else [settings["experiment"]]
    if not all(map(NAME.fullmatch, names)):
        more = ", or several with a comma between them" if several else ""
        problems.append(
            f"experiment: given {settings['experiment']!r}, must be the name of a folder of "
            f"{settings['runs_dir']}{more}{_only_some(settings['experiment'], several)}"
        )
    if len(set(names)) < len(names):
        problems.append(f"experiment: given {settings['experiment']!r}, must name each sweep once")
    if problems:
        raise CommandError(problems)
    return settings


def _only_some(text: str, several: bool) -> str:
    """The end of a message to someone who names several sweeps where one is taken."""
    return "" if several or "," not in text else " (several are taken by report, verify, figures, figure and find)"


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
        if experiment_file(settings["experiment"]).exists():
            name = settings["experiment"]
            raise SweepsError(f"{sweep.root} has no records yet; `make sweep EXPERIMENT={name}` makes them")
        names = [each.root.name for each in SweepPaths.within(sweep.root.parent)]
        raise SweepsError(
            unknown("experiment", settings["experiment"], names)
            if names
            else f"there are no records under {sweep.root.parent}; run `make sweep` first"
        )
    return sweep


def study_of(settings: dict[str, str]) -> tuple[SweepPaths, list[Path]]:
    """Where the report of the sweeps that the settings name lies, and the folders of their records, in order of name.

    Raises:
        SweepsError: one of them has no records.
    """
    names = sorted(settings["experiment"].split(","))
    sweeps = [sweep_of({**settings, "experiment": name}) for name in names]
    place = sweeps[0] if len(sweeps) == 1 else SweepPaths.of_several(settings["runs_dir"], names)
    return place, [sweep.root for sweep in sweeps]


def text_of(settings: dict[str, str], name: str) -> str | None:
    """A text by the user about an experiment: README.md, its question, or claims.md, its claims; None if not there.

    Of several experiments the texts one after another, under their names.
    """
    names = sorted(settings["experiment"].split(","))
    if len(names) == 1:
        return _text(names[0], name)
    from sweeps.report.several import joined

    return joined({each: _text(each, name) for each in names}, title=name == "README.md")


def _text(experiment: str, name: str) -> str | None:
    path = EXPERIMENTS / experiment / name
    try:
        return read_bytes(path, SMALL).decode(errors="replace")
    except FileNotFoundError:
        return None


def selected(records: Records, text: str) -> Records:
    """The part of the records that `select='task.length=100 arch=lstm,gru'` means; all of them for an empty text.

    Raises:
        SweepsError: it is not settings with values, or there is no such setting or level.
    """
    from sweeps.analysis.loading.axes import typed  # imports pandas
    from sweeps.config.short_names import column_of

    levels: dict[str, list[Any]] = {}
    for pair in text.split():
        name, equals, values = pair.partition("=")
        if not equals or not values:
            raise SweepsError(
                f"select: {pair!r} is not a setting with values; write select='task.length=100 arch=lstm,gru'"
            )
        column = column_of(name, map(str, records.cells))
        known = records.cells[column].dropna().unique()
        levels[column] = [_level(typed(value), value, known) for value in values.split(",")]
    return records.select(**levels).drop_unused_levels() if levels else records


def _level(value: Any, text: str, known: Iterable[Any]) -> Any:
    """The level itself, or the one that tables write so: with six digits."""
    rounded = (level for level in known if isinstance(level, float) and f"{level:g}" == text)
    return value if value in known else next(rounded, value)
