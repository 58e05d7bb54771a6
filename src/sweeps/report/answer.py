"""The section 'The answer in numbers': what mattered, which init keeps gradients alive, what exploded, what clipping
changed, who solved the task, whether a gradient that arrives means learning. Every sentence says of how many runs."""

from __future__ import annotations

from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics.paired import ALPHA, smallest_p
from sweeps.analysis.text import number_of
from sweeps.analysis.truncation import truncation
from sweeps.report.before_training import at_initialisation
from sweeps.report.clipping import clipping
from sweeps.report.document import Prose, Section, with_task
from sweeps.report.exploded import exploded
from sweeps.report.gradient_and_learning import gradient_and_learning
from sweeps.report.gradient_kept import kept
from sweeps.report.gradients_alive import alive
from sweeps.report.part import Part
from sweeps.report.solved import solved
from sweeps.report.what_mattered import what_mattered
from sweeps.tables.notes import whose_gradient

MATTERED = "What mattered?"
MEANS_LEARNING = "Does a gradient that arrives mean learning?"
KEPT_ALIVE = "Which initialisation keeps gradients alive?"


def answer(part: Part) -> list[Section]:
    """The parts of the answer for one task, each a section of level 3; of several tasks the title names it."""
    records = part.records
    start = at_initialisation(records)
    one_init = records.cells["init"].nunique() == 1
    behind = [Prose(text) for text in (whose_gradient(records), truncation(records)) if text]
    parts = (
        (MATTERED, what_mattered(records, part.effects, part.note, part.also)),
        ("Does the gradient stay alive?", [*kept(records, start), *behind])
        if one_init
        else (KEPT_ALIVE, [*alive(records, start), *behind]),
        ("What exploded?", exploded(records, start)),
        ("What did clipping change?", clipping(records, part.table)),
        ("Who solved the task?", solved(records)),
        (MEANS_LEARNING, gradient_and_learning(records)),
    )
    return [Section(with_task(title, part.task), blocks, level=3) for title, blocks in parts if blocks]


def scope(records: Records) -> str:
    """How many runs and seeds the answer is about, with a warning if they are too few for a test to reach `ALPHA`."""
    runs, seeds = len(records.cells), records.cells["seed"].nunique()
    text = f"{number_of(runs, 'run')} with {number_of(seeds, 'seed')}"
    enough = next(n for n in range(2, 20) if smallest_p(n) <= ALPHA)
    if seeds >= enough:
        return f"{text}."
    return (
        f"{text}: a description of these runs, which proves nothing about others. With fewer than {enough} seeds no "
        f"paired test can reach {ALPHA:.0%}."
    )
