"""Short names of the settings that a study is about: columns of tables, and keys of a W&B run's config."""

from __future__ import annotations

from collections.abc import Iterable

from sweeps.errors import SweepsError, nearest, unknown

SHORT_NAMES = {
    "task.name": "task",
    "optim.name": "optim",
    "schedule.name": "schedule",
    "penalty.name": "penalty",
    "arch.name": "arch",
    "init.name": "init",
    "clip.name": "clip",
    "task.length": "length",
    "arch.hidden": "hidden",
    "init.gain": "gain",
    "clip.threshold": "threshold",
    "optim.lr": "lr",
    "train.steps": "steps",
    "train.batch": "batch",
    "seed": "seed",
}
"""By dotted name; any other setting keeps its dotted name."""


def column_of(name: str, columns: Iterable[str], what: str = "setting") -> str:
    """The column that a setting is in, from any of its names.

    Args:
        name: the column itself, the setting as on the command line (`init.gain`, `task.length`, `arch`), or the last
            part of its dotted name where only one setting ends so (`forget_bias`).
        columns: settings under their short names, where they have one.
        what: how an error calls it.

    Raises:
        SweepsError: there is no such setting; the message names the nearest, and those of its section.
    """
    known = list(columns)
    if name in known:
        return name
    if (short := SHORT_NAMES.get(name, name)) in known:
        return short
    ending = [column for column in known if column.endswith(f".{name}")]
    if len(ending) == 1:
        return ending[0]
    dotted = {short: full.removesuffix(".name") for full, short in SHORT_NAMES.items()}
    names = {*known, *(dotted[column] for column in known if column in dotted)}
    section = f"{name.partition('.')[0]}."
    allowed = {each for each in names if each.startswith(section)} or {each for each in names if "." not in each}
    near = {each} if (each := nearest(name, names)) else set()
    raise SweepsError(unknown(what, name, allowed | near | set(ending)))
