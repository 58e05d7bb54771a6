"""Whether two sweeps of the same cells say the same: in a paragraph, and conclusion by conclusion."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from sweeps.analysis.beside.conclusions import Conclusion, Conclusions
from sweeps.analysis.labels import head, listed, said
from sweeps.analysis.statistics.paired import ALPHA, smallest_p
from sweeps.analysis.text import number_of, render, share_of
from sweeps.report.beside_moved import has_changed, how_equal
from sweeps.report.beside_table import first_rows, levels_of
from sweeps.report.document import Block, Prose, Tabular

NUMBERS = ("n", "solved_a", "solved_b", "value_a", "value_b", "rank_a", "rank_b")
"""Columns of `Conclusions.combinations` that are no axes."""


def verdict(cells: pd.DataFrame, found: Sequence[Conclusions]) -> str:
    """How many cells are equal, how many outcomes changed, and which conclusions do, with n."""
    n = len(cells)
    if cells["equal"].all():
        return f"{how_equal(cells)} So is every conclusion."
    changed = int(has_changed(cells).sum())
    outcome = f"The outcome changed in {share_of(changed, n)}." if changed else f"No outcome changed (n = {n})."
    rows = [conclusion for each in found for conclusion in each.found]
    other = _told(rows)
    shown, not_shown = ([each for each in other if bool(each.shown) == known] for known in (True, False))
    texts = [how_equal(cells), outcome]
    if not other:
        same = listed([f"{each.about} ({each.a})" for each in rows])
        texts.append(f"**No conclusion changes**: {same} ({' and '.join(map(_of, found))}).")
    if shown:
        word = "A conclusion changes" if len(shown) == 1 else f"{len(shown)} conclusions change"
        texts.append(f"**{word}**: {'; '.join(map(_contrast, shown))}.")
    if not_shown:
        texts.append(f"Not alike, but not shown by the runs beyond themselves: {'; '.join(map(_contrast, not_shown))}.")
        texts += _too_few(found)
    return " ".join(texts)


def _told(rows: Sequence[Conclusion]) -> list[Conclusion]:
    """The conclusions that differ; the order of levels is not told where the best level tells it already."""
    other = [each for each in rows if not each.same]
    best = {each.about.removeprefix("best ") for each in other}
    return [each for each in other if each.about.removeprefix("order of ") == each.about or each.about[9:] not in best]


def _of(each: Conclusions) -> str:
    return f"n = {number_of(each.n, 'pair')} of runs, {number_of(each.seeds, 'seed')}"


def _too_few(found: Sequence[Conclusions]) -> list[str]:
    """What so few seeds could never show, as a sentence."""
    seeds = min(each.seeds for each in found)
    enough = next(n for n in range(2, 20) if smallest_p(n) <= ALPHA)
    return [f"{number_of(seeds, 'seed')} cannot show it, however large; {enough} can."] if seeds < enough else []


def _contrast(each: Conclusion) -> str:
    return f"{each.about}: {each.a} in a, {each.b} in b" + (f" (shown {each.shown})" if each.shown else "")


def concluded(found: Sequence[Conclusions]) -> Iterator[tuple[str, list[Block]]]:
    """A section for each task: every conclusion of a and of b, and the combinations whose share solved differs."""
    for each in found:
        title = "Does a conclusion change?" + (f" ({each.task})" if len(found) > 1 else "")
        rows = [
            [one.about, one.a, one.b, "same" if one.same else "**differs**", one.shown or "no"] for one in each.found
        ]
        table = pd.DataFrame(rows, columns=["conclusion", "a", "b", "", "shown"])
        caption = (
            "What either sweep says. Shown: p at most 0.05, corrected for levels and axes as in their reports; of a "
            "number over all runs, of the difference in pairs."
        )
        text = Prose(" ".join(_sentences(each)))
        yield title, [text, Tabular(render(table, names=5), caption), *_combinations(each)]


def _sentences(each: Conclusions) -> Iterator[str]:
    """From what it is concluded, what goes with each axis, and how many combinations fared alike."""
    of = f"{number_of(each.n, 'pair')} of runs, {number_of(each.seeds, 'seed')}"
    if not each.shares:
        yield f"From {of}; no axis varied."
        return
    yield f"From {of}; axes are compared by the {each.label}."
    shares = [f"{said(axis)} {a:.0%} in a, {b:.0%} in b" for axis, (a, b) in each.shares.items() if a + b > 0]
    if shares:
        yield f"Share of the variation that goes with each axis: {'; '.join(shares)}."
    table = each.combinations
    same, ranks = (int((table[f"{name}_a"] == table[f"{name}_b"]).sum()) for name in ("solved", "rank"))
    yield f"Of {number_of(len(table), 'combination')} {same} have the same share solved, {ranks} the same rank."


def _combinations(each: Conclusions) -> list[Block]:
    """The combinations whose share solved differs, the largest difference first."""
    table = each.combinations
    size = ((table["solved_b"] - table["solved_a"]) / table["n"]).abs()
    other = table.loc[size[size > 0].sort_values(ascending=False, kind="stable").index]
    axes = [str(name) for name in table if name not in NUMBERS]
    if other.empty or not axes:
        return []
    rows = [
        [
            *levels_of(row, axes),
            *(f"{row[f'solved_{side}']}/{row['n']}" for side in "ab"),
            *(f"{row[f'rank_{side}']:g}" for side in "ab"),
        ]
        for _, row in other.iterrows()
    ]
    heads = [*map(head, axes), "solved in a", "solved in b", "rank in a", "rank in b"]
    return [first_rows(rows, heads, len(axes), "Combinations whose share solved differs")]
