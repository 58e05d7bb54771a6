"""What mattered in two or three sentences, for the first screen: the verdict with its best and worst level."""

from __future__ import annotations

from sweeps.analysis.labels import said
from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics.effects import Effects
from sweeps.analysis.statistics.paired import ALPHA
from sweeps.analysis.text import number
from sweeps.report import effect_words as words
from sweeps.report import verdict_words
from sweeps.report.nothing_learnt import nothing_learnt
from sweeps.report.verdict import Kind, Verdict, verdict

MOST = 4
"""Levels for each of which two axes that act together have the best level named here."""


def in_short(records: Records, found: Effects) -> str:
    """The axis that mattered and its best and worst level; that there is none, with what would have been seen; or that
    nothing was learnt."""
    told = verdict(found)
    first = " ".join(verdict_words.crowded(found))
    if told.kind in (Kind.ALIKE, Kind.CROWDED):
        text = verdict_words.alike(records, found) if told.kind is Kind.ALIKE else "**No axis could be compared.**"
        return f"{first} {text}".strip()
    return " ".join(filter(None, (first, *_sentences(records, found, told))))


def _sentences(records: Records, found: Effects, told: Verdict) -> list[str]:
    assert told.lead is not None
    lead, name = told.lead, words.measure_name(records, found)
    if nothing := nothing_learnt(records, found, lead):
        return [nothing]
    best = words.ends(records, lead, found)

    def after(sign: str) -> str:
        return f"{sign}{best}." if best else "."

    also = verdict_words.others(told)
    if found.interactions and told.pair is None:
        pair = found.interactions[0]
        inner, outer = verdict_words.inner_and_outer(pair, found)
        also += [
            f"The {said(inner)} acts differently by {said(outer)}.",
            verdict_words.best_by(records, pair, found, MOST),
        ]
    rest = verdict_words.no_difference(records, found, told)
    if told.kind is Kind.DEPENDS and told.pair is not None:
        tested = f"(p = {number(told.pair.p, 2)}.)" if told.pair.p <= ALPHA else ""
        levels = verdict_words.best_by(records, told.pair, found, MOST)
        alone = "" if tested else "This describes these runs alone: the seeds are too few to test the two together."
        return [verdict_words.depends(told.pair, name), tested, levels, *also, rest, alone]
    if told.kind is Kind.SHOWN:
        return [verdict_words.first_shown(told, name) + after("; "), verdict_words.larger(told), *also, rest]
    if told.kind is Kind.SEEN:
        return [
            verdict_words.first_seen(told, name) + after(": "),
            verdict_words.larger(told),
            *also,
            rest,
            words.not_confirmed(lead, found),
        ]
    most = f"{verdict_words.closest(found, told)}{after('; ')}"
    return [verdict_words.first_nothing(found, told, name), most, *also, rest, verdict_words.not_found(told, found)]
