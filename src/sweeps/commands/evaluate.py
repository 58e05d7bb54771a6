"""The command that evaluates trained networks at lengths that they were not trained on."""

from __future__ import annotations

import re

from sweeps.amounts import number_of
from sweeps.commands.arguments import settings_in, sweep_of
from sweeps.errors import CommandError, SweepsError
from sweeps.terminal import passing, say, say_table

LENGTHS = "task.length"


def evaluate(arguments: list[str]) -> int:
    """Evaluate trained networks at lengths that they were not trained on: experiment=NAME task.length=50,100,200.

    Of cells that were trained with train.save=final; cell=ID is one of them. Prints the median score over seeds at
    each length and writes every loss and score to other_lengths.csv in the folder of the sweep.
    """
    from sweeps.analysis.loading.final_weights import weights
    from sweeps.analysis.loading.load import load
    from sweeps.analysis.loading.one import find_cell, read_run
    from sweeps.config.shortest import settings_from
    from sweeps.other_lengths import at_lengths
    from sweeps.records.files import write_atomically
    from sweeps.tables.other_lengths import medians, with_settings

    settings = settings_in(arguments, ("experiment", "runs_dir", "cell", LENGTHS))
    lengths = _lengths(settings.get(LENGTHS, ""))
    sweep = sweep_of(settings)
    records = load(sweep.root)
    cells = [find_cell(settings["cell"], [sweep]).root.name] if "cell" in settings else list(records.cells["cell"])
    kept = [cell for cell in cells if sweep.cell(cell).weights.is_file()]
    if not kept:
        raise SweepsError(
            f"none of {number_of(len(cells), 'cell')} of {sweep.root} has weights to evaluate; train with "
            "train.save=final, once more if they are done"
        )
    rows = []
    for n, cell in enumerate(kept, start=1):
        with passing(f"{n} of {len(kept)}"):
            own = settings_from(read_run(sweep.cell(cell)).config, cell)
            try:
                found = list(at_lengths(own, weights(sweep.root, cell), lengths))
            except ValueError as error:
                raise SweepsError(f"{cell} (task={own.task.name}): {error}") from None
        rows += [{"cell": cell, "evaluated_at": each.length, "loss": each.loss, "score": each.score} for each in found]
    frame = with_settings(records, rows)
    write_atomically(sweep.other_lengths, frame.to_csv(index=False))
    say_table(*medians(records, frame))
    without = len(cells) - len(kept)
    if without:
        say(f"{number_of(without, 'cell')} without weights left out; train.save=final keeps them.")
    say(f"Every loss and score: {sweep.other_lengths}")
    return 0


def _lengths(text: str) -> list[int]:
    if not re.fullmatch(r"\d+(,\d+)*", text):
        given = f"given {text!r}" if text else "not given"
        raise CommandError([f"{LENGTHS}: {given}, must be lengths to evaluate at, such as {LENGTHS}=50,100,200"])
    return [int(each) for each in text.split(",")]
