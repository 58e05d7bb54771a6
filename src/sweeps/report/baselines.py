"""What a report says of the baselines of a task: their losses, and how many runs end below the best of them."""

from __future__ import annotations

from sweeps.analysis.baselines import baselines_of, in_bits, named
from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics.outcomes import diverged
from sweeps.analysis.text import number

CONSTANT = "the best constant answer"
"""How the baseline is called that every task has."""


def told(records: Records) -> str:
    """The sentences beneath the overview: what the test column is, and the losses of the baselines; empty for neither.

    Args:
        records: of one task.
    """
    texts = []
    if records.cells["test_score"].notna().any():
        texts.append(
            f"Test: the median {records.score_name} on the test part of the data, measured once, with the weights at "
            "the end; what chose (best, solved) is the validation part."
        )
    if found := baselines_of(records):
        losses = named(found, baselines_of(records, test=True))
        constant = number(records.cells["chance_loss"].median())
        texts.append(f"Baselines, as evaluation losses: {losses}; {CONSTANT} has {constant}.")
    return " ".join(texts)


def in_short(records: Records) -> str:
    """How many runs end below the best baseline, as a sentence; empty where the task has no baselines.

    The loss of a run is that on the test part, or where there is none that of its last evaluation.
    """
    test = bool(records.cells["test_loss"].notna().any())
    found = baselines_of(records, test)
    if not found:
        return ""
    name, least = next(iter(found.items()))
    losses = records.cells["test_loss" if test else "final_eval_loss"].where(~diverged(records.cells))
    below, runs, kind = int((losses < least).sum()), len(losses), "test" if test else "evaluation"
    lowest = f"; the lowest is {number(losses.min())}{in_bits(records, losses.min())}" if losses.notna().any() else ""
    best = f"{name}, whose {kind} loss is {number(least)}{in_bits(records, least)}"
    return f"{below} of {runs} runs end below the best baseline, {best}{lowest}."
