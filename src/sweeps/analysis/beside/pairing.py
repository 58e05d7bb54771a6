"""The same cells of two sweeps, found by their settings: a numerics version changes the id of a cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from sweeps.analysis.loading.axes import AXES
from sweeps.analysis.loading.records import Records, with_levels
from sweeps.config.identity import decides
from sweeps.errors import SweepsError

Key = tuple[Any, ...]
NAMED = 6
"""Settings that a message lists."""


@dataclass(frozen=True)
class Pairing:
    """The cells of two sweeps, a and b.

    Attributes:
        names: what a and b are called.
        a, b: their records, all cells.
        pairs: a row for each pair: `cell_a, cell_b`.
        only_a, only_b: the cells of one without a partner: `cell`, the axes, `seed`, and `other`: the problem that
            this cell has in the other sweep, empty where it is not there at all.
        assumed: settings that only the records of one sweep name, all with one value; the other is taken to have
            the same. By setting the name of the sweep and the value.
    """

    names: tuple[str, str]
    a: Records
    b: Records
    pairs: pd.DataFrame
    only_a: pd.DataFrame
    only_b: pd.DataFrame
    assumed: Mapping[str, tuple[str, Any]]

    @property
    def axes(self) -> tuple[str, ...]:
        """The axes of either sweep."""
        return tuple(dict.fromkeys((*self.a.axes, *self.b.axes)))

    @property
    def varied(self) -> list[str]:
        """Those of which the two have several levels, then the seed: what tells a cell from the others."""
        both = pd.concat([each.cells.reindex(columns=self.axes).astype(object) for each in (self.a, self.b)])
        return [*(axis for axis in self.axes if both[axis].nunique(dropna=False) > 1), "seed"]

    def paired(self, task: Any) -> tuple[Records, Records]:
        """The paired cells of a task on either side, in the order of `pairs`, with the same axes and levels.

        Their frames are those of all cells.
        """
        extra = tuple(axis for axis in self.axes if axis not in (*AXES, "task"))
        sides = []
        for records, column in ((self.a, "cell_a"), (self.b, "cell_b")):
            cells = records.cells.set_index("cell", drop=False).loc[self.pairs[column]]
            cells = cells[(cells["task"] == task).to_numpy()].reset_index(drop=True)
            sides.append(cells.reindex(columns=[*dict.fromkeys((*cells, *extra))]))
        levels = pd.concat([cells[[*AXES, *extra]].astype(object) for cells in sides], ignore_index=True)
        empty = (self.a.problems.iloc[:0], self.b.problems.iloc[:0])
        first, second = (
            replace(
                records,
                cells=with_levels(cells, levels.infer_objects(), extra),
                problems=none.reindex(columns=[*dict.fromkeys((*none, *extra))]),
                extra_axes=extra,
            )
            for records, cells, none in zip((self.a, self.b), sides, empty, strict=True)
        )
        return first, second


def pair(a: Records, b: Records, names: tuple[str, str]) -> Pairing:
    """Pair the cells of two sweeps that have the same settings, apart from those that decide no numbers.

    Raises:
        SweepsError: no cell of one has a partner; the message says which settings differ.
    """
    deciding = sorted({name for each in (a, b) for name in each.settings if decides(name)})
    assumed = _assumed(a, b, names, deciding)
    compared = [name for name in deciding if name not in assumed]
    ours, theirs = _by_key(a.cells, compared), _by_key(b.cells, compared)
    if len(ours) < len(a.cells) or len(theirs) < len(b.cells):  # what one lacks tells cells of the other apart
        assumed, compared = {}, deciding
        ours, theirs = _by_key(a.cells, compared), _by_key(b.cells, compared)
    both = [key for key in ours if key in theirs]
    if not both:
        raise SweepsError(_nothing_in_common(a, b, names, compared))
    pairs = pd.DataFrame({"cell_a": [ours[key] for key in both], "cell_b": [theirs[key] for key in both]})
    axes = tuple(dict.fromkeys((*a.axes, *b.axes)))
    only_a = _alone(a, b, [key for key in ours if key not in theirs], ours, compared, axes)
    only_b = _alone(b, a, [key for key in theirs if key not in ours], theirs, compared, axes)
    of_pairs = {
        name: records.cells[records.cells["cell"].isin(pairs[column])]
        for name, records, column in zip(names, (a, b), pairs, strict=True)
    }
    used = {name: at for name, at in assumed.items() if of_pairs[at[0]][name].notna().any()}
    return Pairing(names, a, b, pairs, only_a, only_b, used)


def _assumed(a: Records, b: Records, names: tuple[str, str], deciding: Sequence[str]) -> dict[str, tuple[str, Any]]:
    """Settings that one sweep names, with one value, and the other does not: they came with a later version."""
    found: dict[str, tuple[str, Any]] = {}
    for name in deciding:
        values = [list(each.cells[name].dropna().unique()) if name in each.cells else [] for each in (a, b)]
        if sorted(map(len, values)) == [0, 1]:
            side = 0 if len(values[0]) else 1
            found[name] = (names[side], values[side][0])
    return found


def _by_key(cells: pd.DataFrame, settings: Sequence[str]) -> dict[Key, str]:
    """Cell by its values of the settings; None for one that it lacks."""
    frame = cells.reindex(columns=list(settings)).astype(object)
    values = [frame[name].where(frame[name].notna(), None).to_list() for name in settings]
    return dict(zip(zip(*values, strict=True), cells["cell"], strict=True))


def _alone(
    own: Records, other: Records, keys: Sequence[Key], cell_of: Mapping[Key, str], settings: Sequence[str], axes: Key
) -> pd.DataFrame:
    """The cells of one sweep that the other does not have done; see `Pairing.only_a`."""
    kinds = other.problems.set_index("cell")["problem"]
    problems = {key: kinds.loc[[cell]].iloc[0] for key, cell in _by_key(other.problems, settings).items()}
    frame = pd.DataFrame({"cell": [cell_of[key] for key in keys], "other": [problems.get(key, "") for key in keys]})
    cells = own.cells.reindex(columns=["cell", *axes, "seed"])
    return frame.merge(cells, on="cell", how="left")[["cell", *axes, "seed", "other"]]


def _nothing_in_common(a: Records, b: Records, names: tuple[str, str], settings: Sequence[str]) -> str:
    """Which settings keep all cells of two sweeps apart."""
    apart = []
    for name in settings:
        ours, theirs = ({*each.cells[name].dropna()} if name in each.cells else set() for each in (a, b))
        if not ours & theirs and (ours or theirs):
            apart.append(f"{name} ({_few(ours)} in {names[0]}, {_few(theirs)} in {names[1]})")
    more = f" and {len(apart) - NAMED} more" if len(apart) > NAMED else ""
    why = f": they differ in {', '.join(apart[:NAMED])}{more}" if apart else ""
    return (
        f"no cell of {names[0]} has the settings of one of {names[1]}{why}. To take two sweeps of different cells as "
        "one, `python -m sweeps report experiment=ONE,OTHER`"
    )


def _few(values: set[Any]) -> str:
    texts = sorted(f"{value:g}" if isinstance(value, float) else str(value) for value in values)
    return " or ".join(texts[:3]) + (" ..." if len(texts) > 3 else "") if texts else "unset"
