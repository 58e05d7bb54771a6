"""The tables a sweep prints: its plan before, its outcomes after."""

from __future__ import annotations

from collections import Counter

from rich.console import Console
from rich.table import Table

from sweeps.execute.harness import Result
from sweeps.execute.progress import duration
from sweeps.plan.cells import Cell
from sweeps.plan.forecast import seconds
from sweeps.plan.plan import Plan
from sweeps.records.paths import SweepPaths

LISTED = 12
"""Rows of a list before it says how many more there are."""


def show_plan(plan: Plan, sweep: SweepPaths, console: Console) -> None:
    """Cells, what is done, packs and the forecast; a row per architecture and length."""
    duplicates = plan.jobs - len(plan.cells)
    console.print(f"[bold]Plan[/] for {sweep.root}", highlight=False, soft_wrap=True)
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("arch", "length", "cells", "done", "packs", "core time"):
        table.add_column(column, justify="left" if column == "arch" else "right")
    for (arch, length), cells in _by_shape(plan.cells).items():
        ids = {cell.id for cell in cells}
        waiting = [cell for cell in plan.to_train if cell.id in ids]
        packs = sum(pack.cells[0].id in ids for pack in plan.packs)
        work = plan.correction * sum(seconds(cell.settings) for cell in waiting)
        table.add_row(
            arch,
            str(length),
            str(len(cells)),
            str(len(cells) - len(waiting)),
            str(packs),
            duration(work) if waiting else "-",
        )
    console.print(table)
    again = f", {duplicates} more named twice" if duplicates else ""
    console.print(
        f"{len(plan.cells)} cells{again}: {len(plan.done)} done, {len(plan.to_train)} to train"
        f" in {len(plan.packs)} packs on {plan.workers} workers, about {duration(plan.forecast)}"
        + ("" if plan.done else " (rough: nothing measured here yet)"),
        highlight=False,
        soft_wrap=True,
    )


def _by_shape(cells: list[Cell]) -> dict[tuple[str, int], list[Cell]]:
    groups: dict[tuple[str, int], list[Cell]] = {}
    for cell in cells:
        groups.setdefault((cell.settings.arch.name, cell.settings.task.length), []).append(cell)
    return groups


def show_outcomes(plan: Plan, result: Result, sweep: SweepPaths, console: Console) -> None:
    """How the cells ended, the digest of failures, and where the records are."""
    counts = Counter(result.outcomes.values())
    said = [f"{counts[name]} {name}" for name in ("solved", "finished", "diverged") if counts[name]]
    console.print(
        f"{len(result.outcomes)} of {len(plan.cells)} cells done: {', '.join(said) or 'none'}", highlight=False
    )
    if result.failures:
        console.print(f"[bold red]{len(result.failures)} failed[/] (the same command tries them again):")
        names = {cell.id: cell.name for cell in plan.cells}
        for cell, reason in list(result.failures.items())[:LISTED]:
            console.print(
                f"  {cell}  {names[cell]}: {reason.strip().splitlines()[-1]}",
                highlight=False,
                markup=False,
                soft_wrap=True,
            )
        if len(result.failures) > LISTED:
            console.print(f"  and {len(result.failures) - LISTED} more; see failure.json in their folders")
    console.print(f"Records: {sweep.root}", highlight=False, soft_wrap=True)
