"""What is told of one run, in words and numbers, on the terminal and on its page."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from sweeps.analysis.labels import label
from sweeps.analysis.statistics.summaries import ENDS, SHORTEST, decay_rates
from sweeps.analysis.text import decades, factor, number
from sweeps.config.identity import decides
from sweeps.config.steps import BEYOND
from sweeps.records.plan_file import flat
from sweeps.records.summary import Summary

LEFT = -3.0
"""log10 of the part of its norm at lag 0 below which the gradient counts as gone."""

IDLE = "decide no numbers"
"""The group of the settings that are no part of a cell's id."""


@dataclass(frozen=True)
class Setting:
    """A setting as it is shown: by the name it is typed with, and whether it differs from the defaults of `conf/`."""

    name: str
    value: str
    changed: bool


@dataclass(frozen=True)
class Reach:
    """How far back the gradient reaches at one step of training.

    Attributes:
        step: of training.
        norms: [T], log10 ||dL/dh_t|| by lag.
        rate, change: the decay rate and the end-to-end change, in decades per step (`summaries.decay_rates`).
    """

    step: int
    norms: np.ndarray
    rate: float
    change: float

    @property
    def gone(self) -> int | None:
        """The lag from which on less than a thousandth of the norm at lag 0 is left; None where more is left."""
        there = ~(self.norms - self.norms[0] < LEFT)  # exactly zero is -inf, so it is gone
        return _after(there)

    @property
    def zero(self) -> int | None:
        """The lag from which on the gradient is exactly zero; None where it is not."""
        return _after(self.norms != -math.inf)

    def per_step(self) -> str:
        """What one step back leaves: the factor per step with its lags, or the end-to-end change of a short one."""
        if not math.isnan(self.rate):
            return f"× {factor(self.rate)} per step (lags {ENDS} to {len(self.norms) - ENDS - 1})"
        if len(self.norms) >= SHORTEST or math.isnan(self.change):
            return "no factor per step"
        return f"{decades(self.change)} decades per step back, end to end (T < {SHORTEST}: no factor)"

    def far(self) -> str:
        """Where the gradient dies, as a clause."""
        if self.zero is not None:
            return f"exactly zero from lag {self.zero} on"
        if self.gone is not None:
            return f"below a thousandth from lag {self.gone} on"
        total = self.norms[-1] - self.norms[0]
        if not math.isfinite(total):
            return "not finite all the way"
        times = number(10.0**total) if abs(total) < 300 else f"10^{total:.0f}"
        return f"{times} {'times as large' if total > 0 else 'of it left'} at lag {len(self.norms) - 1}"


def _after(there: np.ndarray) -> int | None:
    """The first lag after the last one where `there` holds; None if it holds at the last lag, or there is no lag 0."""
    last = np.flatnonzero(there)
    place = int(last[-1]) + 1 if len(last) else 0
    return place if place < len(there) else None


def reaches(gradient: pd.DataFrame) -> list[Reach]:
    """The gradient through time of one run at its first and its last logged step that has a finite norm.

    Args:
        gradient: `Records.gradient` of one cell.
    """
    return next(iter(reaches_by_cell(gradient).values()), [])


def reaches_by_cell(gradient: pd.DataFrame) -> dict[str, list[Reach]]:
    """What `reaches` says of each of many runs, by cell; much faster than one by one.

    Args:
        gradient: `Records.gradient` of those cells; rows of one cell and step in order of time, as in the files.
    """
    codes, cells = pd.factorize(gradient["cell"])
    step, known = gradient["step"].to_numpy(), gradient["log10_norm"].notna().to_numpy()
    ends = pd.Series(step[known]).groupby(codes[known]).agg(["min", "max"]).reindex(range(len(cells)), fill_value=-1)
    first, last = ends["min"].to_numpy(), ends["max"].to_numpy()
    shown = gradient[(step == first[codes]) | (step == last[codes])]
    rates = {(cell, at): (rate, change) for cell, at, rate, change, _ in decay_rates(shown).itertuples(index=False)}
    found: dict[str, list[Reach]] = {str(cell): [] for cell in cells}
    norms = shown["log10_norm"].to_numpy(dtype=float)
    starts = np.flatnonzero(shown["t"].to_numpy() == 0)
    ends_at = [*starts[1:], len(norms)][: len(starts)]
    runs = zip(shown["cell"].iloc[starts], shown["step"].iloc[starts], starts, ends_at, strict=True)
    for cell, at, start, end in runs:
        found[cell].append(Reach(int(at), norms[start:end][::-1], *rates[cell, at]))
    return found


def title(config: Mapping[str, Any]) -> str:
    """A run in words: `LSTM, orthogonal, clip by norm, adding of length 50, seed 1`; empty without settings."""
    values = flat(config)
    names = [label(values[key]) for key in ("arch.name", "init.name", "clip.name") if key in values]
    names[1:1] = [f"{layers} layers"] if (layers := layers_of(config)) > 1 else []
    task = ""
    if "task.name" in values:
        name, length = values["task.name"], values.get("task.length")
        more = f" ({length + beyond} steps)" if (beyond := BEYOND.get(name, 0)) and length is not None else ""
        task = f"{name} of length {length}{more}"
    return ", ".join([*names, *([task] if task else []), *([f"seed {values['seed']}"] if "seed" in values else [])])


def layers_of(config: Mapping[str, Any]) -> int:
    """The number of layers of a run."""
    return int(config.get("stack", {}).get("layers", 1))


def part_shown(config: Mapping[str, Any]) -> str:
    """Whose gradient through time is shown of a run: `the highest of 3 layers`; empty where there is only one."""
    layers, both = layers_of(config), config.get("stack", {}).get("bidirectional", False)
    parts = [f"the highest of {layers} layers"] if layers > 1 else []
    return " and ".join([*parts, *(["the direction that reads forwards"] if both else [])])


def settings_of(config: Mapping[str, Any], changed: Collection[str]) -> dict[str, list[Setting]]:
    """The settings of a run by group, those that decide no numbers in one, the last.

    Args:
        changed: names of those that differ from the defaults, as they are typed.
    """
    groups: dict[str, list[Setting]] = {}
    for name, value in sorted(flat(config).items(), key=lambda item: not decides(item[0])):
        typed, group = name.removesuffix(".name"), name.partition(".")[0] if decides(name) else IDLE
        groups.setdefault(group, []).append(Setting(typed, _value(value), typed in changed))
    return groups


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.15g}" if isinstance(value, float) else str(value) if value != "" else "''"


def computed(summary: Summary) -> dict[str, str]:
    """How, where and with what a run was computed, by name."""
    pack = summary.pack
    built = ", ".join(filter(None, (pack.instructions, pack.build and f"build {pack.build}")))
    place = f"{pack.id}, lane {pack.lane} of {pack.lanes}" if pack.id else "not recorded"
    return {
        "kernel": f"{pack.kernel or 'not recorded'}{f' ({built})' if built else ''}",
        "machine": ", ".join(dict.fromkeys(filter(None, (summary.processor, summary.device)))) or "not recorded",
        "pack": place,
        "versions": ", ".join([*(f"{n} {v}" for n, v in summary.versions.items()), f"numerics {summary.numerics}"]),
        "commit": summary.commit or "not recorded",
        "seconds": f"{number(summary.seconds)} of one core",
    }


def numbers(summary: Summary) -> pd.DataFrame:
    """The best and the final numbers of a run as texts: rows `best`, `final`, and `test` of finite data."""
    best, final, score = summary.best, summary.final, summary.task.score or "score"
    heads = ["", "step", "train loss", "eval loss", score, "gradient norm"]
    rows = [
        ["best", best.step, None, best.eval_loss, best.eval_score, None],
        ["final", final.step, final.train_loss, final.eval_loss, final.eval_score, final.grad_norm],
    ]
    if summary.test.loss is not None:
        rows.append(["test", summary.step, None, summary.test.loss, summary.test.score, None])
    texts = [[name, "–" if step is None else str(step), *map(number, values)] for name, step, *values in rows]
    return pd.DataFrame(texts, columns=heads)
