"""How long the analysis takes on many records, and how much memory: load cold and warm, a table, five figures.

    python benchmarks/many_cells.py [CELLS] [FOLDER]

Writes CELLS synthetic records (10,000, about 260 kB each) under FOLDER (a temporary one), unless it holds records
already. Writing them is not counted. Cold means that nothing is cached beside the records; their files may still
be in the machine's memory.
"""

from __future__ import annotations

import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

FIGURES = ("gradient_by_lag_start", "gradient_by_lag_end", "loss_curves", "share_solved", "outcomes")
T = TypeVar("T")


def main(cells: int, folder: Path) -> None:
    from analysis.many_records import write_many
    from sweeps import comparison, load
    from sweeps.analysis.loading.scan import scan
    from sweeps.figures.draw import draw

    root = folder / "many"
    if not root.exists():
        timed(f"write {cells} records (not counted)", lambda: write_many(root, cells))
    print(f"memory before: {peak():.2f} GB")
    while not scan(root).settled():
        time.sleep(0.5)  # records this young are not cached
    shutil.rmtree(root / ".cache", ignore_errors=True)
    timed("load from the files alone", lambda: load(root, cache=False))
    total_from = time.perf_counter()
    records = timed("load, cold: make the cache", lambda: load(root))
    total = time.perf_counter() - total_from
    del records
    records = timed("load, warm", lambda: load(root))
    total_from = time.perf_counter()
    table = timed("table: comparison", lambda: comparison(records))
    timed(f"{len(FIGURES)} figures as PDF, SVG and PNG", lambda: draw(records, folder / "figures", FIGURES))
    total += time.perf_counter() - total_from
    print(f"{len(records.cells)} cells, {len(records.gradient) / 1e6:.1f} million rows of gradient, {len(table)} rows")
    print(f"load cold, table and figures: {total:.1f} s; peak memory of all this: {peak():.2f} GB")


def timed(what: str, work: Callable[[], T]) -> T:
    """Do it, print how long it took, and return its result."""
    start = time.perf_counter()
    result = work()
    print(f"{what}: {time.perf_counter() - start:.2f} s, peak {peak():.2f} GB", flush=True)
    return result


def peak() -> float:
    """The most memory this process has held, mapped files included, GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    if len(sys.argv) > 2:
        main(count, Path(sys.argv[2]))
    else:
        with tempfile.TemporaryDirectory() as place:
            main(count, Path(place))
