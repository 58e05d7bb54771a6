"""Small sweeps whose every number is planted: a rule says how each run of a grid ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

from analysis.make_records import write_cell
from sweeps.analysis.loading.load import load
from sweeps.analysis.loading.records import Records

Rule = Callable[[Mapping[str, Any]], Any]
"""From the levels and the seed of a run to its best score; True and False for solved or not, None for no run, a text
for another outcome ("diverged")."""
DIRECT = ("arch", "init", "clip", "length")


def planted(root: Path, rule: Rule, *, seeds: int, **axes: Sequence[Any]) -> Records:
    """The records of a full grid; an axis with `__` is a dotted setting: `init__gain=(0.5, 1.0)`."""
    for levels in product(*axes.values(), range(seeds)):
        run = dict(zip([*axes, "seed"], levels, strict=True))
        ended = rule(run)
        if ended is None:
            continue
        more: dict[str, Any] = {"best_score": 0.95 if ended is True else 0.5}
        if ended is True or isinstance(ended, str):
            more |= {"outcome": "solved" if ended is True else ended, "end": 20}
        elif ended is not False:
            more["best_score"] = float(ended)
        settings = {name.replace("__", "."): level for name, level in run.items() if "__" in name}
        direct = {"length": 3} | {name: level for name, level in run.items() if name in (*DIRECT, "seed")}
        write_cell(root, **direct, **more, settings=settings, steps=20, log_every=20, eval_every=20)
    return load(root)
