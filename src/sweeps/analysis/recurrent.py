"""Architectures that pass a state from step to step, and those that do not: the gradient of these has no way back."""

from __future__ import annotations

import pandas as pd

from sweeps.analysis.labels import label, listed
from sweeps.analysis.loading.records import Records
from sweeps.config.cards import card


def recurrent(arch: pd.Series) -> pd.Series:
    """Whether each architecture of a column passes a state from step to step."""
    return arch.map(lambda name: card("arch", str(name)).recurrent).astype(bool)


def without_state(records: Records) -> str:
    """`tanh MLP and ReLU MLP pass no state ...`, a sentence on the architectures that do not; empty if all do."""
    present = [arch for arch in records.cells["arch"].cat.categories if (records.cells["arch"] == arch).any()]
    names = [label(arch) for arch in present if not card("arch", str(arch)).recurrent]
    if not names:
        return ""
    passes, has = ("passes", "has") if len(names) == 1 else ("pass", "have")
    text = f"{listed(names)} {passes} no state from step to step and {has} no gradient through time."
    return text[0].upper() + text[1:] if names[0][1:].islower() else text


def with_state(records: Records) -> Records:
    """The records of the architectures that pass a state; all of them where none does."""
    there = recurrent(records.cells["arch"])
    if there.all() or not there.any():
        return records
    return records.select(arch=list(records.cells.loc[there, "arch"].unique())).drop_unused_levels()
