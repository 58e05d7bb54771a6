"""What a sweep prints: its plan before it trains, its outcomes after."""

from __future__ import annotations

from collections import Counter
from textwrap import indent

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sweeps.amounts import duration, number_of
from sweeps.errors import exception_text
from sweeps.execute.harness import Result
from sweeps.execute.kernels import kernels_line, mixture_note, resume_note
from sweeps.plan.cells import Cell
from sweeps.plan.plan import Plan
from sweeps.records.paths import SweepPaths

LISTED = 12
"""Failed cells that are listed; of the others only the number is printed."""


def show_plan(plan: Plan, sweep: SweepPaths, console: Console, skipped: str = "") -> None:
    """Print the plan: cells, done cells, packs and the forecast, a row per architecture and length.

    Args:
        skipped: a sentence on points of the grid that are no cell.
    """
    duplicates = plan.jobs - len(plan.cells)
    console.print(Text.assemble(("Plan", "bold"), f" for {sweep.root}"))
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("arch", "length", "cells", "done", "packs", "core time"):
        table.add_column(column, justify="left" if column == "arch" else "right")
    for (arch, length), cells in _by_shape(plan.cells).items():
        ids = {cell.id for cell in cells}
        waiting = [cell for cell in plan.to_train if cell.id in ids]
        packs = sum(pack.cells[0].id in ids for pack in plan.packs)
        work = plan.correction * plan.left(waiting)
        table.add_row(
            arch,
            str(length),
            str(len(cells)),
            str(len(cells) - len(waiting)),
            str(packs),
            duration(work) if waiting else "-",
        )
    console.print(table, soft_wrap=False)
    on = f" ({len(plan.begun)} from a checkpoint)" if plan.begun else ""
    repeated = f", {duplicates} more named twice" if duplicates else ""
    where = f"in {number_of(len(plan.packs), 'pack')} on {number_of(plan.workers, 'worker')}"
    console.print(
        f"{number_of(len(plan.cells), 'cell')}{repeated}: {len(plan.done)} done, {len(plan.to_train)} to train{on}"
        f" {where}, about {duration(plan.forecast)}" + ("" if plan.done else " (rough: nothing measured here yet)")
    )
    if skipped:
        console.print(skipped, highlight=False)
    console.print(kernels_line(cell.settings for cell in plan.cells))
    if plan.packs and (note := resume_note(plan.otherwise)):
        console.print(note, style="yellow")


def _by_shape(cells: list[Cell]) -> dict[tuple[str, int], list[Cell]]:
    groups: dict[tuple[str, int], list[Cell]] = {}
    for cell in cells:
        groups.setdefault((cell.settings.arch.name, cell.settings.task.length), []).append(cell)
    return groups


def show_outcomes(plan: Plan, result: Result, console: Console) -> None:
    """Print how many cells ended in each way, and the failed ones with their reasons."""
    counts = Counter("solved" if cell in result.solved else outcome for cell, outcome in result.outcomes.items())
    parts = [f"{counts[name]} {name}" for name in ("solved", "finished", "diverged") if counts[name]]
    later = sum(result.outcomes[cell] == "diverged" for cell in result.solved)
    parts += [f"{later} of the solved ones diverged later"] if later else []
    console.print(f"{len(result.outcomes)} of {number_of(len(plan.cells), 'cell')} done: {', '.join(parts) or 'none'}")
    if note := mixture_note(result.ways):
        console.print(note, style="yellow")
    if result.failures:
        count = (f"{len(result.failures)} failed", "bold red")
        console.print(Text.assemble(count, " (the same command tries them again):"))
        names = {cell.id: cell.name for cell in plan.cells}
        for cell, reason in list(result.failures.items())[:LISTED]:
            console.print(f"  {cell}  {names[cell]}: {indent(exception_text(reason), '    ').lstrip()}")
        if len(result.failures) > LISTED:
            console.print(f"  and {len(result.failures) - LISTED} more; see failure.json in their folders")
