"""What a report says of the baselines of a task: their losses, and how many runs end below the best of them."""

from __future__ import annotations

from sweeps.analysis.baselines import CONSTANT, baselines_of, in_bits, named, own_baselines, said
from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics.outcomes import diverged
from sweeps.analysis.text import number


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
        losses, chance = named(found, baselines_of(records, test=True)), records.cells["chance_loss"]
        constant = said((chance.min(), chance.max()))
        texts.append(f"Baselines, as evaluation losses: {losses}; the {CONSTANT} has {constant}.")
    return " ".join(texts)


def in_short(records: Records) -> str:
    """How many runs end below the best baseline, as a sentence; empty where the task has no baselines.

    The loss of a run is that on the test part, or where there is none that of its last evaluation; the baselines are
    those of its own data.
    """
    test = bool(records.cells["test_loss"].notna().any())
    found = own_baselines(records, test)
    if found.empty or not len(found.columns):
        return ""
    losses = records.cells["test_loss" if test else "final_eval_loss"].where(~diverged(records.cells))
    least, names = found.min(axis=1), found.idxmin(axis=1).dropna()
    below, runs, kind = int((losses < least).sum()), len(losses), "test" if test else "evaluation"
    name, best = " or ".join(map(str, names.unique())), (float(least.min()), float(least.max()))
    owner = "the best baseline" if best[0] == best[1] else "the best baseline of their data"
    loss = f"whose {kind} loss is {said(best)}{in_bits(records, *best)}"
    lowest = f"; the lowest is {number(losses.min())}{in_bits(records, losses.min())}" if losses.notna().any() else ""
    return f"{below} of {runs} runs end below {owner}, {name}, {loss}{lowest}."
