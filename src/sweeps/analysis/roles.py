"""Which axis of a study is drawn as what: as x, colour, column or row of panels, at one level, or pooled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sweeps.analysis.labels import label, level_text
from sweeps.analysis.loading.axes import owner_of
from sweeps.analysis.loading.records import Records
from sweeps.config.analysis import POOLED, ROLES
from sweeps.config.short_names import column_of
from sweeps.errors import SweepsError, unknown

SLOTS = ("x", "colour", "column", "row")
"""What an axis can be drawn as."""
WORDS = {slot: word for word, slot in ROLES.items()}
"""How each is typed."""

MOST_ROWS = 5
"""Rows of panels with nothing beside each; more of them are set side by side."""


@dataclass(frozen=True)
class Kind:
    """A kind of figure: the slots it has, each with the axis that takes it by custom.

    Attributes:
        slots: by name of `SLOTS`, the axis that has the slot where it varied; None: first come.
        fixed: axes that are shown at one level where they have no slot, instead of being pooled.
    """

    slots: Mapping[str, str | None]
    fixed: tuple[str, ...] = ()


BY_LAG = Kind({"column": "arch", "colour": "init", "row": None}, fixed=("length", "clip"))
"""Curves against lag."""
OVER_TRAINING = Kind({"row": "arch", "column": "init", "colour": "clip"}, fixed=("length",))
"""Curves over training."""
LEADING = Kind({"x": None, "colour": None, "column": None})
"""A number per run against the levels of the axis that matters most; see `analysis.leading`."""
BY_LEVEL = Kind({"x": "length", "column": "arch", "row": "clip", "colour": "init"})
"""A number per run against the levels of an axis."""
NORM_BY_LEVEL = Kind({"x": "length", "column": "arch", "colour": "init", "row": None}, fixed=("clip",))
"""The same of gradient norms, which clipping changes."""

GAIN_AND_LENGTH = Kind({"x": "gain", "row": "length", "column": "arch"})
"""A map over gain and sequence length."""


@dataclass(frozen=True)
class Roles:
    """The role of every axis of a study in one figure.

    Attributes:
        x, colour, column, row: the axis that is drawn so; None where no axis is.
        fixed: axes shown at one level only, with that level.
        pooled: axes that vary within what is drawn as one.
        title: what all panels share, the only architecture and the only init, where these are not among the axes drawn.
        length: the sequence length of all that is drawn; None where there are several.
    """

    x: str | None = None
    colour: str | None = None
    column: str | None = None
    row: str | None = None
    fixed: Mapping[str, Any] = field(default_factory=dict)
    pooled: tuple[str, ...] = ()
    title: str = ""
    length: Any = None

    @property
    def drawn(self) -> list[str]:
        """The axes that have a slot, without repetition."""
        return [axis for axis in dict.fromkeys((self.row, self.column, self.colour, self.x)) if axis is not None]

    def within(self, records: Records) -> Records:
        """The part of the records that is drawn: `fixed` axes at their levels, no level of a drawn axis as `UNSET`."""
        return (records.select(**dict(self.fixed)) if self.fixed else records).with_unset(self.drawn)

    @property
    def where(self) -> str:
        """`T = 200, no clipping`: the levels of `fixed`; empty if there are none."""
        return ", ".join(level_text(axis, level) for axis, level in self.fixed.items())


def roles(
    records: Records,
    kind: Kind,
    chosen: Mapping[str, str] | None = None,
    preferred: Mapping[str, str] | None = None,
    leading: str | None = None,
) -> Roles:
    """The roles of the axes of a study in a figure of some kind.

    Numbers beyond the four axes with more levels than lengths are what the study is about: they are x. Then an axis by
    custom has its slot (`Kind.slots`) where it varied. The other axes that varied take what is free: numbers
    first x, then colour; names a column, a row, then colour. What a study adds to arch, init, clip and length is what
    it asks about, so it takes the slot of an axis that can be fixed if none is free; so do the kinds of clipping where
    their threshold varied. Clipping whose threshold is drawn and tells it (inf is none) needs no slot. What is left is
    shown at one level (the longest sequence, the clipping that leaves gradients as they are) or pooled.

    Args:
        records: of one task.
        chosen: axes by slot, as somebody asked for them; they come first.
        preferred: slots by axis, or `pooled` for an axis that has none, as a study asks for in all of its figures
            (`Analysis.axes`); where this kind has no such slot or the axis did not vary, it says nothing.
        leading: the axis that matters most, which has a role in every figure, like what the study adds to the four.

    Raises:
        SweepsError: a slot is not one of this kind, or an axis is not one of the records.
    """
    slots: dict[str, str | None] = dict.fromkeys(kind.slots)
    for slot, name in (chosen or {}).items():
        if slot not in slots:
            raise SweepsError(unknown("role", WORDS.get(slot, slot), [WORDS[each] for each in slots]))
        axis = column_of(name, records.axes)
        if (other := next((own for own, taken in slots.items() if taken == axis), None)) is not None:
            raise SweepsError(
                f"{WORDS[slot]}={name}: {WORDS[other]}={axis} is drawn already; an axis has one role in a figure"
            )
        slots[slot] = axis
    idle = [axis for axis, slot in (preferred or {}).items() if slot == POOLED and axis not in kind.fixed]
    told = told_by(records)
    waiting = [axis for axis in records.varied if axis not in (*slots.values(), *idle)]
    waiting = [axis for axis in waiting if axis not in told or axis in (preferred or {})]
    for axis, slot in (preferred or {}).items():
        if axis in waiting and slots.get(slot, "") is None:
            slots[slot] = axis
            waiting.remove(axis)
    chosen = {slot: axis for slot, axis in slots.items() if axis is not None}
    if slots.get("x", "") is None and (asked_of := _asked_number(records, waiting)):
        slots["x"] = asked_of
        waiting.remove(asked_of)
    for slot, custom in kind.slots.items():
        if slots[slot] is None and custom in waiting:
            slots[slot] = custom
            waiting.remove(custom)
    for axis in sorted(waiting, key=lambda axis: axis in kind.fixed or axis in ("clip", "length")):
        asked = axis in records.extra_axes or axis == leading or any(owner_of(own) == axis for own in records.varied)
        if (moved := _makes_room(slots, axis, records, chosen)) is not None:
            slots[moved], slots["colour"] = slots["colour"], axis
            continue
        target = _free(slots, axis, records) or (_taken(slots, kind, chosen) if asked else None)
        if target is not None and (asked or axis not in kind.fixed):
            slots[target] = axis
    if "x" in slots and slots["x"] is None:
        given = next((slot for slot in ("colour", "column", "row") if slots.get(slot) and slot not in chosen), None)
        slots["x"] = slots[given] if given else "length"
        if given:
            slots[given] = None
    shown = [axis for axis, by in told.items() if by in slots.values()]
    rest = [axis for axis in records.varied if axis not in slots.values() and axis not in shown]
    fixed: dict[str, Any] = {
        axis: _shown(records, axis) for axis in ("length", "clip") if axis in kind.fixed and axis in rest
    }
    fixed |= {
        axis: _shown(records, axis)
        for axis in kind.fixed
        if axis not in slots.values() and axis not in fixed and axis not in shown
    }
    row = slots.get("row")
    alone = row is not None and row not in chosen.values() and slots.get("column", "") is None
    if alone and not is_number(str(row), records) and records.cells[row].nunique() > MOST_ROWS:
        slots |= {"row": None, "column": row}
    only = [records.cells[axis].unique() for axis in (("arch",) if records.own_init else ("arch", "init"))]
    title = ", ".join(label(levels[0]) for levels in only if len(levels) == 1)
    lengths = {fixed["length"]} if "length" in fixed else set(records.cells["length"])
    length = lengths.pop() if len(lengths) == 1 else None
    pooled = tuple(axis for axis in rest if axis not in fixed)
    return Roles(**slots, fixed=fixed, pooled=pooled, title=title, length=length)


def told_by(records: Records) -> dict[str, str]:
    """Clipping by the setting of its own that tells its level: where a threshold is of one kind, and inf of none."""
    own = [axis for axis in records.varied if owner_of(axis) == "clip"]
    telling = [axis for axis in own if records.cells.groupby(axis, observed=True)["clip"].nunique().max() == 1]
    return {"clip": telling[0]} if telling and "clip" in records.varied else {}


def _shown(records: Records, axis: str) -> Any:
    return records.longest if axis == "length" else records.reference_clip


def is_number(axis: str, records: Records) -> bool:
    """Whether the levels of an axis are numbers."""
    return not isinstance(records.cells[axis].dropna().iloc[0], str)


def _asked_number(records: Records, waiting: Sequence[str]) -> str | None:
    """The axis of numbers that a study is about: one beyond the four, with more levels than lengths; None for none."""
    levels = {axis: records.cells[axis].nunique() for axis in waiting if axis in records.extra_axes}
    numbers = [axis for axis in levels if is_number(axis, records)]
    most = max(numbers, key=lambda axis: levels[axis], default=None)
    return most if most is not None and levels[most] > records.cells["length"].nunique() else None


def _free(slots: Mapping[str, str | None], axis: str, records: Records) -> str | None:
    """The free slot that suits an axis best."""
    order = ("x", "colour", "column", "row") if is_number(axis, records) else ("column", "row", "colour", "x")
    return next((slot for slot in order if slot in slots and slots[slot] is None), None)


def _makes_room(slots: Mapping[str, str | None], axis: str, records: Records, chosen: Mapping[str, str]) -> str | None:
    """The free slot for names that are drawn as colours, where an axis of numbers would make the better colours."""
    names = slots.get("colour")
    if names is None or "colour" in chosen or axis not in records.extra_axes or slots.get("x", "") is None:
        return None
    if not is_number(axis, records) or is_number(names, records):
        return None
    return next((slot for slot in ("column", "row") if slot in slots and slots[slot] is None), None)


def _taken(slots: Mapping[str, str | None], kind: Kind, chosen: Mapping[str, str]) -> str | None:
    """The slot of an axis that need not be drawn: clipping, then the length."""
    for axis in ("clip", "length"):
        for slot, taken in slots.items():
            if taken == axis and slot not in chosen:
                return slot
    return None


def map_axes(records: Records) -> tuple[list[str], list[str]]:
    """The axes that make the rows and the columns of a map of the whole grid, the innermost last.

    By custom rows are init and clipping, columns architecture and length; further numbers are columns, names rows. Two
    axes of numbers alone are both sides of a map: the length is its rows.
    """
    several = records.varied
    rows: list[str] = [axis for axis in ("init", "clip") if axis in several]
    columns: list[str] = [axis for axis in ("arch", "length") if axis in several]
    for axis in several:
        if axis not in (*rows, *columns):
            (columns if is_number(axis, records) else rows).append(axis)
    if not rows and "length" in columns and sum(is_number(axis, records) for axis in columns) > 1:
        columns.remove("length")
        rows = ["length"]
    return rows or ["init"], columns or ["arch"]
