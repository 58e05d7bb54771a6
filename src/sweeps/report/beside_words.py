"""The sentences and tables of two sweeps side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from sweeps.analysis.beside.conclusions import Conclusion, Conclusions
from sweeps.analysis.beside.movement import MOVED, SAME
from sweeps.analysis.beside.pairing import Pairing
from sweeps.analysis.labels import head, level_said, said
from sweeps.analysis.loading.raw_records import FRAMES
from sweeps.analysis.text import EMPTY, number, number_of, render, share_of
from sweeps.report.document import Block, Prose, Tabular

LISTED = 12
"""Rows of a table; the files have all."""
SOLVED = ("solved_a", "solved_b")
NAMES = {
    "loss": "loss, largest of a run's steps (relative)",
    "best_score": "best score (relative)",
    "gradient": "log10 ‖∂L/∂h_t‖, largest of a run (decades)",
}


def verdict(cells: pd.DataFrame, found: Sequence[Conclusions]) -> str:
    """How many cells are equal, how many outcomes changed, and whether a conclusion does, with n."""
    n, equal = len(cells), int(cells["equal"].sum())
    if equal == n:
        return f"**All {number_of(n, 'cell')} are equal, byte for byte.** So is every conclusion."
    numbers = int(cells["first_step"].notna().sum())
    texts = [f"**{equal} of {number_of(n, 'cell')} are equal, byte for byte; in {numbers} a number differs.**"]
    changed = int(_changed(cells).sum())
    texts.append(f"The outcome changed in {share_of(changed, n)}." if changed else f"No outcome changed (n = {n}).")
    rows = [conclusion for each in found for conclusion in each.found]
    other = _told(rows)
    known = [conclusion for conclusion in other if any(conclusion.shown)]
    if not rows:
        texts.append("Nothing varied, so that there is no conclusion about an axis.")
    elif not other:
        n_of = " and ".join(map(_of, found))
        texts.append(f"**No conclusion changes**: all {len(rows)} that were looked at are the same ({n_of}).")
    elif known:
        texts.append(f"**A conclusion changes**: {'; '.join(map(_contrast, known))}.")
    else:
        texts.append(
            f"{len(other)} of {len(rows)} conclusions differ, none of which either sweep shows beyond its own runs: "
            f"{'; '.join(map(_contrast, other))}."
        )
    return " ".join(texts)


def _told(rows: Sequence[Conclusion]) -> list[Conclusion]:
    """The conclusions that differ; the order of levels is not told where the best level tells it already."""
    other = [each for each in rows if not each.same]
    best = {each.about.removeprefix("best ") for each in other}
    return [each for each in other if each.about.removeprefix("order of ") == each.about or each.about[9:] not in best]


def _of(each: Conclusions) -> str:
    return f"n = {each.n} pairs of runs, {number_of(each.seeds, 'seed')}"


def _contrast(each: Conclusion) -> str:
    return f"{each.about}: {each.a} in a, {each.b} in b" + (f" (shown {_shown(each.shown)})" if any(each.shown) else "")


def moved(cells: pd.DataFrame) -> list[Block]:
    """Which files are equal, and by how much the numbers of the others differ."""
    files = ", ".join(
        f"{FRAMES[name][0]} {share_of(cells[same].sum(), len(cells))}" for name, same in zip(FRAMES, SAME, strict=True)
    )
    text = f"Equal byte for byte: {files}."
    other = cells[cells["first_step"].notna()]
    bytes_alone = int((~cells["equal"]).sum()) - len(other)
    if bytes_alone:
        cells_of = number_of(bytes_alone, "cell")
        text += f" In {cells_of} the bytes differ and no number does: columns of one side, or other digits for it."
    if other.empty:
        return [Prose(text)]
    steps = other["first_step"]
    at_start = int((steps == steps.min()).sum())
    text += (
        f" The first logged step with another number: {steps.min():g} in {share_of(at_start, len(other))}, median "
        f"{steps.median():g}, the latest {steps.max():g}."
    )
    rows = []
    for name in MOVED:
        values = other[name].to_numpy(dtype=float)
        some = values[values > 0]
        most = str(other["cell_a"].iloc[int(np.nanargmax(values))]) if len(some) else EMPTY
        rows.append([NAMES[name], str(len(some)), _size(some, np.median), _size(some, np.max), most])
    table = pd.DataFrame(rows, columns=["difference", "cells that differ", "median", "largest", "of cell (in a)"])
    caption = (
        "By how much numbers differ, over the cells in which they do: relative is |a - b| / max(|a|, |b|); inf: finite "
        "on one side only."
    )
    return [Prose(text), Tabular(render(table, names=1), caption)]


def _size(values: np.ndarray, of: Any) -> str:
    return number(float(of(values)), 2) if len(values) else EMPTY


def _changed(cells: pd.DataFrame) -> pd.Series:
    return (cells["outcome_a"] != cells["outcome_b"]) | (
        cells["solved_step_a"].notna() != cells["solved_step_b"].notna()
    )


def outcomes(cells: pd.DataFrame, axes: Sequence[str]) -> list[Block]:
    """Which outcomes changed into which, and in which cells; how far the step of solving moved."""
    changed = cells[_changed(cells)]
    both = cells.dropna(subset=["solved_step_a", "solved_step_b"])
    shift = (both["solved_step_b"] - both["solved_step_a"]).to_numpy(dtype=float)
    text = "No outcome changed." if changed.empty else ""
    if len(both):
        other = int((shift != 0).sum())
        text += f" Of {number_of(len(both), 'run')} solved in both, {other} were solved at another step"
        text += (
            f" (b minus a: median {np.median(shift[shift != 0]):+g}, from {shift.min():+g} to {shift.max():+g})."
            if other
            else "."
        )
    if changed.empty:
        return [Prose(text.strip())]
    kinds = changed.assign(a=_how(changed, "a"), b=_how(changed, "b"))
    counts = (kinds["a"] + " to " + kinds["b"]).value_counts().sort_index()
    listed = "; ".join(f"{what}: {count}" for what, count in counts.items())
    rows = [[str(row["cell_a"]), *_levels(row, axes), row["a"], row["b"]] for _, row in kinds.head(LISTED).iterrows()]
    table = render(pd.DataFrame(rows, columns=["cell (in a)", *map(head, axes), "a", "b"]), names=3 + len(axes))
    return [Prose(f"From a to b, {listed}.{text}"), Tabular(table, _caption("Cells whose outcome changed", len(kinds)))]


def _how(cells: pd.DataFrame, side: str) -> list[str]:
    """`solved`, `diverged`, `diverged (solved before)`."""
    outcome, at = cells[f"outcome_{side}"], cells[f"solved_step_{side}"]
    return [
        f"{how} (solved before)" if how != "solved" and not pd.isna(step) else str(how)
        for how, step in zip(outcome, at, strict=True)
    ]


def concluded(found: Sequence[Conclusions]) -> Iterator[tuple[str, list[Block]]]:
    """A section for each task: every conclusion of a and of b, and the combinations whose share solved differs."""
    for each in found:
        title = "Does a conclusion change?" + (f" ({each.task})" if len(found) > 1 else "")
        if not each.found:
            yield title, [Prose(f"No axis varied among the {_of(each)}.")]
            continue
        texts = [f"From the {_of(each)}, by the {each.label}."]
        shares = [
            f"{said(axis)} {a:.0%} in a, {b:.0%} in b" for axis, (a, b) in each.shares.items() if a == a or b == b
        ]
        texts += [f"Share of the variation that goes with each axis: {', '.join(shares)}."] if shares else []
        texts += _shares(each)
        rows = [
            [one.about, one.a, one.b, "same" if one.same else "**differs**", _shown(one.shown)] for one in each.found
        ]
        table = pd.DataFrame(rows, columns=["conclusion", "a", "b", "", "shown by the runs"])
        caption = "What either sweep says; shown: p at most 0.05, corrected for levels and axes, as in their reports."
        yield title, [Prose(" ".join(texts)), Tabular(render(table, names=5), caption), *_table(each)]


def _shown(shown: tuple[bool, bool]) -> str:
    return {(True, True): "in both", (True, False): "in a", (False, True): "in b"}.get(shown, "in neither")


def _shares(each: Conclusions) -> list[str]:
    table = each.combinations
    same, ranks = (int((table[f"{name}_a"] == table[f"{name}_b"]).sum()) for name in ("solved", "rank"))
    n = len(table)
    counts = " and ".join(f"{share_of(table[name].sum(), each.n)} in {name[-1]}" for name in SOLVED)
    alike = f"{same} have the same share solved, {ranks} the same rank by the {each.label}"
    return [f"Solved are {counts}.", f"Of {number_of(n, 'combination')} {alike}."]


def _table(each: Conclusions) -> list[Block]:
    """The combinations whose share solved differs, the largest difference first."""
    table = each.combinations
    size = ((table["solved_b"] - table["solved_a"]) / table["n"]).abs()
    other = table.loc[size[size > 0].sort_values(ascending=False, kind="stable").index]
    if other.empty:
        return []
    axes = [str(name) for name in table if name not in _NUMBERS]
    rows = [
        [
            *_levels(row, axes),
            *(f"{row[f'solved_{side}']}/{row['n']}" for side in "ab"),
            f"{row['rank_a']:g}",
            f"{row['rank_b']:g}",
        ]
        for _, row in other.head(LISTED).iterrows()
    ]
    heads = [*map(head, axes), "solved in a", "solved in b", "rank in a", "rank in b"]
    caption = _caption("Combinations whose share solved differs", len(other))
    return [Tabular(render(pd.DataFrame(rows, columns=heads), names=len(axes)), caption)]


_NUMBERS = ("n", "solved_a", "solved_b", "value_a", "value_b", "rank_a", "rank_b")


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
        rows = [
            [str(row["cell"]), *_levels(row, axes), row["other"] or "not there"]
            for _, row in frame.head(LISTED).iterrows()
        ]
        table = render(pd.DataFrame(rows, columns=["cell", *map(head, axes), f"in {other}"]), names=2 + len(axes))
        count = number_of(len(frame), "cell")
        blocks += [
            Prose(f"{count} of {name} without a finished one in {other}: {listed}. No number above is of them."),
            Tabular(table, _caption(f"Cells of {name} alone", len(frame))),
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


def _levels(row: pd.Series, axes: Sequence[str]) -> list[str]:
    return [EMPTY if pd.isna(row[axis]) else level_said(row[axis]) for axis in axes]


def _caption(text: str, rows: int) -> str:
    return f"{text}{f' (the first {LISTED} of {rows})' if rows > LISTED else ''}."
