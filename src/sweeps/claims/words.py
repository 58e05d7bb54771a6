"""Verdicts as Markdown and as rows of a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from sweeps.analysis.provenance import Provenance
from sweeps.analysis.text import number, number_of
from sweeps.claims.judge import NOT_HERE, REFUTED, REPLICATED, VERDICTS, Judged

MARKS = {REPLICATED: "✓", NOT_HERE: "–", REFUTED: "✗"}


def counted(found: Sequence[Judged]) -> str:
    """`3 claims: 2 replicated, 1 refuted`."""
    counts = [(verdict, sum(each.verdict == verdict for each in found)) for verdict in VERDICTS]
    told = ", ".join(f"{count} {verdict}" for verdict, count in counts if count)
    return f"{number_of(len(found), 'claim')}: {told}"


def what_was_found(judged: Judged) -> str:
    """`0.98 [0.95, 0.99], n = 8 seeds`."""
    if judged.seeds == 0:
        return "–"
    text = number(judged.value, 3)
    if judged.low == judged.low:
        text += f" [{number(judged.low, 3)}, {number(judged.high, 3)}]"
    return f"{text}, n = {number_of(judged.seeds, 'seed')}"


def budget_of(judged: Judged) -> str:
    """`400 updates`."""
    low, high = judged.steps
    return number_of(high, "update") if low == high else f"{low:,} to {number_of(high, 'update')}"


def markdown(found: Sequence[Judged], about: Provenance) -> str:
    """Every claim with its verdict, its numbers and its source, and with what the records were made."""
    lines = [f"{counted(found)}.", ""]
    for each in found:
        claim = each.claim
        lines += [
            f"- {MARKS[each.verdict]} **{claim.name}: {each.verdict}.** {claim.says} ({claim.source})",
            f"  Criterion: the {claim.criterion}{_scope(each)}. Found: {what_was_found(each)}, {budget_of(each)};"
            f" {each.why}.{f' {claim.budget}' if claim.budget else ''}",
        ]
        lines += [f"  - {name}: {part.verdict}, {what_was_found(part)}" for name, part in each.parts]
    texts = "; ".join(f"{name}: {text}" for name, text in about.lines().items())
    return "\n".join([*lines, "", RULE, "", f"{texts}.", ""])


RULE = (
    "Intervals are of the median over seeds (of a share: Clopper and Pearson's); the statistic lies beyond each end in "
    "at most 5% of cases. Replicated: the interval lies in what is claimed. Refuted: it lies on the other side. Not "
    "replicated at this budget: neither, or runs that might still learn with more updates."
)


def _scope(judged: Judged) -> str:
    texts = [f"{name} = {level}" for name, level in judged.claim.where.items()]
    against = [f"{name} = {level}" for name, level in judged.claim.against.items()]
    more = f", against {', '.join(against)}" if against else ""
    tuned = f", {', '.join(judged.claim.tuned)} tuned" if judged.claim.tuned else ""
    each = f", for each {' and '.join(judged.claim.for_each)}" if judged.claim.for_each else ""
    return (f" at {', '.join(texts)}" if texts else "") + more + tuned + each


def rows(found: Sequence[Judged]) -> pd.DataFrame:
    """A row per claim and one for each of its combinations, for a program to read."""
    table: list[dict[str, Any]] = []
    for claim in found:
        for part, each in (("", claim), *claim.parts):
            table.append(
                {
                    **{"claim": claim.claim.name, "part": part, "verdict": each.verdict, "value": each.value},
                    **{"low": each.low, "high": each.high, "seeds": each.seeds, "steps": each.steps[1]},
                    **{"criterion": each.claim.criterion, "source": claim.claim.source},
                }
            )
    return pd.DataFrame(table)
