"""Which cells only one of two sweeps has, and what either was made with."""

from __future__ import annotations

import pandas as pd

from sweeps.analysis.beside.pairing import Pairing
from sweeps.analysis.labels import head
from sweeps.analysis.text import number_of, render
from sweeps.report.beside_table import first_rows, levels_of
from sweeps.report.document import Block, Prose, Tabular


def alone(pairing: Pairing) -> list[Block]:
    """The cells of one sweep without a partner, and what became of them in the other."""
    blocks: list[Block] = []
    axes = pairing.varied
    for name, frame in zip("ab", (pairing.only_a, pairing.only_b), strict=True):
        if frame.empty:
            continue
        other = "b" if name == "a" else "a"
        kinds = frame["other"].replace("", "not there").value_counts().sort_index()
        listed = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
        rows = [[str(row["cell"]), *levels_of(row, axes), row["other"] or "not there"] for _, row in frame.iterrows()]
        count = number_of(len(frame), "cell")
        blocks += [
            Prose(f"{count} of {name} without a finished one in {other}: {listed}. No number above is of them."),
            first_rows(rows, ["cell", *map(head, axes), f"in {other}"], 2 + len(axes), f"Cells of {name} alone"),
        ]
    return blocks or [Prose("None: every finished cell of one is finished in the other.")]


def made(frame: pd.DataFrame, pairing: Pairing) -> list[Block]:
    """What either was computed with, where it differs, and what is the same."""
    other, same = frame[~frame["same"]], frame[frame["same"]]
    texts = []
    if other.empty:
        texts.append("Commit, numerics, kernels, machines and versions are the same.")
    known = [f"{row['name']} {row['a']}" for _, row in same.iterrows() if row["a"] != "not recorded"]
    if len(other) and known:
        texts.append(f"The same in both: {', '.join(known)}.")
    commits = " ".join(frame.loc[frame["name"] == "commit", ["a", "b"]].to_numpy().ravel())
    if "-dirty" in commits:
        texts.append("A commit that ends in -dirty does not name the code: files differed from it.")
    for name, (side, value) in pairing.assumed.items():
        texts.append(f"Only {side} names the setting {name} ({value}); the other was taken to have the same.")
    ids = int((pairing.pairs["cell_a"] != pairing.pairs["cell_b"]).sum())
    if ids:
        texts.append(f"{number_of(ids, 'pair')} of cells have two ids: they were paired by their settings.")
    blocks: list[Block] = [Prose(" ".join(texts))] if texts else []
    if len(other):
        table = render(other[["name", "a", "b"]].rename(columns={"name": "made with"}), names=3)
        blocks.insert(0, Tabular(table, "What differs in how the cells were computed."))
    return blocks
