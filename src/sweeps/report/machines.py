"""Which kernels and machines computed the cells of a report, and a warning if there are several."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from sweeps.analysis.labels import label, listed, said
from sweeps.analysis.loading.records import Records
from sweeps.analysis.text import number_of
from sweeps.config.cards import card

MADE_BY = ("kernel", "instructions", "processor", "ran_on")
"""Columns of `records.cells` that say what computed a cell."""


def computed_by(records: Records) -> pd.Series:
    """What computed each cell, in the order of `records.cells`: `the native kernel (avx512) on AMD EPYC 9B14, cpu`."""
    columns = records.cells[list(MADE_BY)].astype(object)
    columns = columns.where(columns.notna() & (columns != ""), None)
    return pd.Series(
        [_in_words(*row) for row in columns.itertuples(index=False)], index=records.cells.index, dtype=object
    )


def machines(records: Records) -> str:
    """Every kernel and machine with its number of cells, for the provenance of a report."""
    counts = computed_by(records).value_counts().sort_index()
    if len(counts) == 1:
        return str(counts.index[0])
    return "; ".join(f"{way} ({number_of(count, 'cell')})" for way, count in counts.items())


def mixed_warning(records: Records) -> str | None:
    """A warning if several kernels or machines computed the cells, with the levels only one of them has; else None."""
    ways = computed_by(records)
    counts = ways.value_counts().sort_index()
    if len(counts) < 2:
        return None
    if _as_always(records, ways):
        names = sorted(label(arch) for arch in set(records.cells["arch"]) if not card("arch", str(arch)).native)
        return f"By their definition, without native kernels of their own, were computed {listed(names)}."
    texts = []
    for way, count in counts.items():
        levels = " and ".join(_own_levels(records, ways == way))
        texts.append(f"{count} of {len(ways)} cells by {way}" + (f" (all those of {levels})" if levels else ""))
    return (
        f"**Computed in {len(counts)} ways: {'; '.join(texts)}.** A cell is the same to the byte only on one kernel "
        "and processor; across them it agrees to the rounding of float32, which training can magnify."
    )


def _as_always(records: Records, ways: pd.Series) -> bool:
    """Whether all cells with native kernels were computed in one way and all others in one, on one machine."""
    native = records.cells["arch"].map(lambda arch: card("arch", str(arch)).native).astype(bool)
    one_machine = len(records.cells[["processor", "ran_on"]].drop_duplicates()) == 1
    return one_machine and ways[native].nunique() <= 1 and ways[~native].nunique() <= 1


def _own_levels(records: Records, here: pd.Series) -> Iterator[str]:
    """The axes whose levels are never shared between the chosen cells and the others, with the levels of the chosen.

    Args:
        here: whether each cell is chosen.
    """
    for axis in (*records.axes, "seed"):
        values = records.cells[axis]
        own, others = set(values[here].dropna()), set(values[~here].dropna())
        if own and others and not own & others and values.notna().all():
            name = "T =" if axis == "length" else said(axis)
            yield f"{name} {listed([label(level, axis) for level in sorted(own, key=str)])}"


def _in_words(kernel: str | None, instructions: str | None, processor: str | None, device: str | None) -> str:
    """One kernel and machine in words; 'not recorded' for what an older record lacks."""
    if not kernel and not processor:
        return ", ".join(filter(None, ("a kernel and a processor not recorded", device)))
    how = f"the {kernel} kernel" if kernel else "a kernel not recorded"
    if instructions:
        how += f" ({instructions})"
    return f"{how} on {', '.join(filter(None, (processor or 'a processor not recorded', device)))}"
