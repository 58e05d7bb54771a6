"""The records of a sweep as tidy frames; a cell that cannot be trusted is listed by name, never averaged in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from sweeps.analysis.axes import AXES, extra_axes, flatten, ordered_levels
from sweeps.analysis.csvfiles import read_many
from sweeps.errors import SweepsError
from sweeps.records.columns import FORMAT, GRADIENT_THROUGH_TIME, METRICS, PARAMETERS
from sweeps.records.files import read_json
from sweeps.records.paths import CellPaths, SweepPaths

_Yaml = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

NUMBERS = ("step", "solved_step", "diverged_step", "best_step", "best_loss", "best_score", "final_step", "final_loss")
NUMBERS += ("final_eval_loss", "final_score", "final_grad_norm", "chance_loss", "solved_at", "seconds", "numerics")
"""Columns of `Records.cells` taken from summary.json, as float64; what was not measured is NaN."""

ASKED = ("unfinished", "failed", "damaged")
"""Problems of cells that belong to the grid all the same; cells of another format or numerics do not."""


@dataclass(frozen=True)
class Records:
    """The frames of a sweep, joined by the categorical column `cell` (12 hex digits).

    Attributes:
        root: folder of the sweep.
        cells: a row per done cell: `cell`, its settings (`arch, init, clip, length, seed, gain, ...`, any other
            under its dotted name), `outcome`, and the numbers of its summary (see `NUMBERS`).
        metrics, gradient, parameters: every row of the CSV files, with `cell` in front.
        problems: a row per cell that is not in `cells`: `cell, problem, reason` and its settings if they are known;
            problem is unfinished, failed, damaged, other format or other numerics.
        extra_axes: settings that vary beyond arch, init, clip, length and seed.
    """

    root: Path
    cells: pd.DataFrame
    metrics: pd.DataFrame
    gradient: pd.DataFrame
    parameters: pd.DataFrame
    problems: pd.DataFrame
    extra_axes: tuple[str, ...]

    @property
    def axes(self) -> tuple[str, ...]:
        """Names of the columns that tell the rows of a table apart; seeds are aggregated."""
        return (*AXES, *self.extra_axes)

    @property
    def score_name(self) -> str:
        """What the score is called (accuracy, explained variance); "score" if tasks differ in it."""
        names = self.cells["score_name"].dropna().unique()
        return str(names[0]) if len(names) == 1 else "score"

    def planned(self) -> pd.DataFrame:
        """Axis values of every cell that was asked for: done, failed, damaged or not finished."""
        asked = self.problems[self.problems["problem"].isin(ASKED)]
        both = pd.concat([self.cells[list(self.axes)], asked[list(self.axes)].dropna(how="all")], ignore_index=True)
        for axis in self.axes:
            both[axis] = pd.Categorical(both[axis], categories=self.cells[axis].cat.categories, ordered=True)
        return both

    def with_axes(self, frame: pd.DataFrame) -> pd.DataFrame:
        """`frame` (a row has a `cell`) with the axis columns, `seed` and `outcome` beside it."""
        keys = self.cells.set_index("cell")[[*self.axes, "seed", "outcome"]]
        return frame.join(keys, on="cell")

    def select(self, **levels: Any) -> Records:
        """The part of the records where each named setting has the level, or one of the list of levels, given.

        Raises:
            SweepsError: there is no such setting.
        """
        cells, problems = self.cells, self.problems
        for name, wanted in levels.items():
            if name not in cells:
                raise SweepsError(f"no setting {name!r} in these records (they have: {', '.join(cells)})")
            allowed = wanted if isinstance(wanted, list | tuple) else [wanted]
            cells = cells[cells[name].isin(allowed)]
            problems = problems[problems[name].isin(allowed)]
        kept = set(cells["cell"])
        parts = {
            name: frame[frame["cell"].isin(kept)]
            for name, frame in (("metrics", self.metrics), ("gradient", self.gradient), ("parameters", self.parameters))
        }
        return replace(self, cells=cells, problems=problems, **parts)


def load(root: str | Path) -> Records:
    """Read every cell of a sweep, `runs/<experiment>/`.

    Raises:
        SweepsError: the folder has no cells, or none of them is done.
    """
    folders = SweepPaths(Path(root)).cells()
    if not folders:
        raise SweepsError(f"{root} holds no records: no cell folder with a config.yaml in it")
    settings: dict[str, dict[str, Any]] = {}
    summaries: dict[str, dict[str, Any]] = {}
    problems: dict[str, tuple[str, str]] = {}
    for folder in folders:
        cell = folder.root.name
        found = _settings(folder)
        summary = read_json(folder.summary)
        trouble = _trouble(folder, found, summary)
        settings[cell] = found or {}
        if trouble is None and summary is not None:
            summaries[cell] = summary
        elif trouble is not None:
            problems[cell] = trouble
    newest = max((_number(summary.get("numerics")) for summary in summaries.values()), default=0.0)
    for cell, summary in list(summaries.items()):
        if _number(summary.get("numerics")) < newest:
            problems[cell] = ("other numerics", f"numerics {summary.get('numerics')}, the newest here is {newest:g}")
            del summaries[cell]
    frames = {}
    paths = {folder.root.name: folder for folder in folders}
    for name, attribute, columns in (
        ("metrics", "metrics", METRICS),
        ("gradient", "gradient_through_time", GRADIENT_THROUGH_TIME),
        ("parameters", "parameters", PARAMETERS),
    ):
        files = {cell: getattr(paths[cell], attribute) for cell in summaries}
        frames[name], damaged = read_many(files, columns, list(summaries))
        problems.update({cell: ("damaged", reason) for cell, reason in damaged.items()})
    done = [cell for cell in summaries if cell not in problems]
    if not done:
        kinds = pd.Series([kind for kind, _ in problems.values()]).value_counts()
        told = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
        raise SweepsError(f"{root} holds no finished cell ({told}); nothing to tabulate yet")
    return _assemble(Path(root), done, summaries, settings, problems, frames)


def _assemble(
    root: Path,
    done: list[str],
    summaries: dict[str, dict[str, Any]],
    settings: dict[str, dict[str, Any]],
    problems: dict[str, tuple[str, str]],
    frames: dict[str, pd.DataFrame],
) -> Records:
    order = [*done, *sorted(problems)]
    table = pd.DataFrame([settings[cell] for cell in order], index=order)
    for name in (*AXES, "task", "seed", "hidden", "gain", "threshold", "lr"):
        if name not in table:
            table[name] = None
    asked = [cell for cell in order if cell in summaries or problems[cell][0] in ASKED]
    extra = extra_axes(table.loc[asked].dropna(how="all"))
    for name in (*AXES, *extra):
        table[name] = pd.Categorical(table[name], categories=ordered_levels(name, table.loc[asked, name]), ordered=True)
    cells = pd.concat([table.loc[done], pd.DataFrame([_flat(summaries[cell]) for cell in done], index=done)], axis=1)
    cells[list(NUMBERS)] = cells[list(NUMBERS)].map(_number).astype("float64")
    cells.insert(0, "cell", cells.index)
    bad = table.loc[sorted(problems)]
    bad.insert(0, "reason", [problems[cell][1] for cell in bad.index])
    bad.insert(0, "problem", [problems[cell][0] for cell in bad.index])
    bad.insert(0, "cell", bad.index)
    for name, frame in frames.items():
        kept = frame[frame["cell"].isin(done)].reset_index(drop=True)
        frames[name] = kept.assign(cell=kept["cell"].cat.set_categories(done))
    cells = cells.sort_values([*AXES, *extra, "seed", "cell"], ignore_index=True)
    return Records(root, cells, problems=bad.reset_index(drop=True), extra_axes=extra, **frames)


def _settings(folder: CellPaths) -> dict[str, Any] | None:
    """The flattened settings of a cell, or None if config.yaml is missing or not whole."""
    try:
        config = yaml.load(folder.config.read_text(encoding="utf-8"), Loader=_Yaml)
    except (OSError, ValueError, yaml.YAMLError):
        return None
    return flatten(config) if isinstance(config, dict) else None


def _trouble(
    folder: CellPaths, settings: dict[str, Any] | None, summary: dict[str, Any] | None
) -> tuple[str, str] | None:
    """Why a cell is not done or not to be trusted: kind of problem and reason; None if all is well."""
    if summary is None:
        failure = read_json(folder.failure)
        if failure is not None:
            return "failed", str(failure.get("reason") or "no reason recorded")
        kind = "summary.json is not whole" if folder.summary.exists() else "no summary.json yet"
        return "unfinished", kind
    if summary.get("format") != FORMAT:
        return "other format", f"record format {summary.get('format')}, this version reads {FORMAT}"
    if settings is None:
        return "damaged", "config.yaml is missing or not whole"
    if summary.get("cell") != folder.root.name:
        return "damaged", f"the folder holds the record of cell {summary.get('cell')}"
    return None


def _flat(summary: dict[str, Any]) -> dict[str, Any]:
    """The columns of one summary.json; a part that is missing or null gives NaN."""
    final, best, task = (summary.get(part) or {} for part in ("final", "best", "task"))
    return {
        "outcome": summary.get("outcome"),
        "reason": summary.get("reason"),
        "step": summary.get("step"),
        "solved_step": summary.get("solved_step"),
        "diverged_step": summary.get("diverged_step"),
        "best_step": best.get("step"),
        "best_loss": best.get("eval_loss"),
        "best_score": best.get("eval_score"),
        "final_step": final.get("step"),
        "final_loss": final.get("train_loss"),
        "final_eval_loss": final.get("eval_loss"),
        "final_score": final.get("eval_score"),
        "final_grad_norm": final.get("grad_norm"),
        "score_name": task.get("score"),
        "chance_loss": task.get("chance_loss"),
        "solved_at": task.get("solved_at"),
        "seconds": summary.get("seconds"),
        "numerics": summary.get("numerics"),
        "commit": summary.get("commit"),
        "ran_on": summary.get("device"),
        "versions": ", ".join(f"{name} {value}" for name, value in sorted((summary.get("versions") or {}).items())),
    }


def _number(value: Any) -> float:
    """A number of summary.json, where non-finite ones are text; NaN if there is none."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")
