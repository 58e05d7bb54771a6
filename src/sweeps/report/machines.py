"""Which kernels and machines trained the cells of a report, and what it means where there are several."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from sweeps.analysis.labels import HEADS, label
from sweeps.analysis.loading.records import Records
from sweeps.tables.notes import listed

MADE_BY = ("kernel", "instructions", "processor", "ran_on")
"""Columns of the cells that say what computed them."""


def makers(records: Records) -> pd.Series:
    """What computed each cell, in the order of `records.cells`: `the native kernel (avx512) on AMD EPYC 9B14, cpu`."""
    kept = records.cells[list(MADE_BY)].astype(object)
    kept = kept.where(kept.notna() & (kept != ""), None)
    return pd.Series([_maker(*row) for row in kept.itertuples(index=False)], index=records.cells.index, dtype=object)


def machines(records: Records) -> str:
    """Every kernel and machine with its number of cells, for the provenance of a report."""
    counts = makers(records).value_counts().sort_index()
    if len(counts) == 1:
        return str(counts.index[0])
    return "; ".join(f"{maker} ({count} cells)" for maker, count in counts.items())


def mixed(records: Records) -> str | None:
    """A sentence where the cells come from several kernels or machines, and with which levels those go; else None."""
    made = makers(records)
    counts = made.value_counts().sort_index()
    if len(counts) < 2:
        return None
    told = []
    for maker, count in counts.items():
        along = " and ".join(_alone(records, made == maker))
        told.append(f"{count} of {len(made)} cells by {maker}" + (f" (all those of {along})" if along else ""))
    return (
        f"**Computed in {len(counts)} ways: {'; '.join(told)}.** A cell is the same to the byte only on one kernel and "
        "processor; across them it agrees to the rounding of float32, which training can magnify."
    )


def _alone(records: Records, here: pd.Series) -> Iterator[str]:
    """The axes of which one maker has whole levels to itself and nothing else, with those levels."""
    for axis in (*records.axes, "seed"):
        values = records.cells[axis]
        own, others = set(values[here].dropna()), set(values[~here].dropna())
        if own and others and not own & others and values.notna().all():
            yield f"{HEADS.get(axis, axis)} {listed([label(level) for level in sorted(own, key=str)])}"


def _maker(kernel: str | None, instructions: str | None, processor: str | None, device: str | None) -> str:
    """One kernel and machine in words; what an older record does not tell is said to be not recorded."""
    if not kernel and not processor:
        return ", ".join(filter(None, ("a kernel and a processor not recorded", device)))
    how = f"the {kernel} kernel" if kernel else "a kernel not recorded"
    if instructions:
        how += f" ({instructions})"
    return f"{how} on {', '.join(filter(None, (processor or 'a processor not recorded', device)))}"
