"""Where results go: printed as tables, and appended to results.csv with the machine, the versions and the commit."""

from __future__ import annotations

import csv
import math
import os
import platform
import statistics
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from sweeps.engine.native import library
from sweeps.execute.local import cores
from sweeps.records.versions import commit

RESULTS = Path(__file__).parents[1] / "results.csv"


def seconds(work: Callable[[], object]) -> float:
    """Wall-clock seconds of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def sgemm(n: int = 2048) -> float:
    """GFLOP/s of a one-thread product of matrices `[n, n]`: what a library makes of this core."""
    a, b, out = torch.randn(n, n), torch.randn(n, n), torch.empty(n, n)
    return statistics.median(2 * n**3 / seconds(lambda: torch.mm(a, b, out=out)) / 1e9 for _ in range(5))


def multiply_add_peak() -> float:
    """Operations a second of one core that does multiply-adds in registers alone; nan without native kernels."""
    compiled = library()
    if compiled is None:
        return math.nan
    rounds = 200_000
    work = compiled.multiply_adds(1) * rounds
    return statistics.median(work / seconds(lambda: compiled.multiply_adds(rounds)) for _ in range(9))


def processor() -> str:
    """The processor's name as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


class Bench:
    """Collects what one run of `make bench` measured."""

    def __init__(self) -> None:
        self.console = Console(width=None if os.isatty(1) else 120, highlight=False)
        self.peak = sgemm()
        self.where = {
            "date": date.today().isoformat(),
            "commit": (commit() or "")[:12],
            "torch": torch.__version__,
            "machine": f"{cores()} x {processor()}, {torch.backends.cpu.get_cpu_capability()}",
            "sgemm_gflops": f"{self.peak:.4g}",
        }
        self.rows: list[dict[str, str]] = []
        self.console.print(
            f"{self.where['machine']}; torch {torch.__version__}; one-thread sgemm of 2048: {self.peak:.0f} GFLOP/s"
        )

    def note(self, measure: str, case: str, quantity: str, value: float) -> None:
        """Keep one number for results.csv."""
        row = {**self.where, "measure": measure, "case": case, "quantity": quantity, "value": f"{value:.4g}"}
        self.rows.append(row)

    def show(self, title: str, names: int, heads: list[str], rows: list[list[str]]) -> None:
        """Print a table whose first `names` columns are names."""
        table = Table(box=None, header_style="dim", pad_edge=False, title=title, title_justify="left", title_style="")
        for place, head in enumerate(heads):
            table.add_column(head, justify="left" if place < names else "right", no_wrap=True)
        for row in rows:
            table.add_row(*row)
        self.console.print()
        self.console.print(table)

    def say(self, text: str) -> None:
        """A sentence beneath a table."""
        self.console.print(text)

    def keep(self) -> None:
        """Append what was measured to results.csv."""
        new = not RESULTS.exists()
        with RESULTS.open("a", newline="") as file:
            writer = csv.DictWriter(file, [*self.where, "measure", "case", "quantity", "value"], lineterminator="\n")
            if new:
                writer.writeheader()
            writer.writerows(self.rows)
        self.say(f"Appended {len(self.rows)} numbers to {RESULTS}")
