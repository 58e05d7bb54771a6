"""One run on a screen of the terminal: settings, how it ended, its curves as rows of blocks, what to type again."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Collection, Iterator, Mapping
from itertools import zip_longest
from typing import Any

import numpy as np

from sweeps.analysis.baselines import named
from sweeps.analysis.last_answer import last_answer
from sweeps.analysis.loading.one import OneRun
from sweeps.analysis.logarithm import log10
from sweeps.analysis.run_facts import IDLE, computed, numbers, part_shown, reaches, settings_of, title
from sweeps.analysis.text import number
from sweeps.analysis.truncation import truncation_of
from sweeps.records.checkpoint import begun
from sweeps.records.ended import ended

BLOCKS = "▁▂▃▄▅▆▇█"
WIDE = 32
"""Most blocks of a row."""
INDENT = 12
"""Column at which the second column starts."""
COLUMNS = 80
"""Width that settings are folded to."""
QUIET = ("schedule", "penalty", "stack")
"""Groups that add nothing to a network or its training at their defaults: told only where something differs."""
GLUE = "\0"
"""Stands for a space at which a line is not folded."""


def run_text(run: OneRun, changed: Collection[str], command: str) -> str:
    """What `show` prints of a run.

    Args:
        changed: names of the settings that differ from the defaults.
        command: the command line to type again, or why there is none.
    """
    return "\n".join(line.rstrip() for line in _lines(run, changed, command))


def trouble(run: OneRun) -> str:
    """What is wrong with a record that does not count, as a sentence."""
    kind, reason = run.problem or ("", "")
    *_, last = reason.strip().split("\n")  # of a failure the last line of its traceback
    return f"{kind.capitalize()}: {last.rstrip('.')}."


def _lines(run: OneRun, changed: Collection[str], command: str) -> Iterator[str]:
    yield f"{run.id}  {title(run.config)}".rstrip()
    if run.summary is None:
        yield trouble(run)
    else:
        yield ended(run.summary, run.config.get("train", {}).get("steps"))
    yield ""
    yield from _settings(run.config, changed)
    if run.summary is not None and run.records is not None:
        task = run.summary.task
        yield ""
        yield from _table(numbers(run.summary))
        if task.baselines:
            own, test = (
                {name: (loss,) for name, loss in each.items()} for each in (task.baselines, task.test_baselines)
            )
            yield f"{'baselines':<{INDENT}}eval loss of {named(own, test)}"
        yield ""
        yield from _curves(run)
        yield from _gradient(run)
        yield ""
        yield from (f"{name:<{INDENT}}{value}" for name, value in computed(run.summary).items())
    yield f"{'folder':<{INDENT}}{run.paths.root}"
    yield from _kept(run)
    yield f"{'again' if run.summary else 'train it':<{INDENT}}{command}"


def _kept(run: OneRun) -> Iterator[str]:
    """What is kept beside the record: the weights at the end, or what a run that has not ended goes on from."""
    if run.paths.weights.is_file():
        yield f"{'weights':<{INDENT}}{run.paths.weights.name}, {run.paths.weights.stat().st_size:,} bytes"
        yield f"{'sequence':<{INDENT}}page=FILE.html shows one through the network, state by state"
    if run.summary is None and (step := begun(run.paths.checkpoint, run.id)):
        yield f"{'checkpoint':<{INDENT}}at update {step} of {run.config.get('train', {}).get('steps', 'unknown')}"


def _settings(config: Mapping[str, Any], changed: Collection[str]) -> Iterator[str]:
    for group, settings in settings_of(config, changed).items():
        if group != IDLE and (group not in QUIET or any(each.changed for each in settings)):
            texts = [f"{_short(each.name, group)}{each.value}{'*' * each.changed}" for each in settings]
            together = "  ".join(text.replace(" ", GLUE) for text in texts)
            lines = textwrap.wrap(together, COLUMNS - INDENT, break_long_words=False, break_on_hyphens=False)
            for head, line in zip_longest([group], lines, fillvalue=""):
                yield f"{head:<{INDENT}}{line.replace(GLUE, ' ')}"
    if config:
        yield f"{'':<{INDENT}}* differs from the defaults of conf/"


def _short(name: str, group: str) -> str:
    """The name of a setting inside its group, with a space behind; nothing for the choice itself."""
    return f"{name.removeprefix(f'{group}.')} " if name != group else ""


def _table(frame: Any) -> Iterator[str]:
    rows = [list(frame), *frame.to_numpy().tolist()]
    widths = [INDENT - 2, *(max(len(row[at]) for row in rows) for at in range(1, len(rows[0])))]
    for name, *values in rows:
        yield "  ".join([name.ljust(widths[0]), *(v.rjust(w) for v, w in zip(values, widths[1:], strict=True))])


def _curves(run: OneRun) -> Iterator[str]:
    """Loss, score and gradient norm over training, each a row of blocks between its first and last value."""
    assert run.records is not None
    metrics = run.records.metrics
    yield "Over training, from the first to the last update (losses and norm: logarithmic)"
    for name, column, logarithmic in (
        ("train loss", "train_loss", True),
        ("eval loss", "eval_loss", True),
        ("score", "eval_score", False),
        ("grad norm", "grad_norm", True),
    ):
        values = metrics[column].to_numpy(dtype=float)
        values = values[~np.isnan(values)]
        if len(values):
            drawn = log10(values) if logarithmic else values
            finite = values[np.isfinite(values)]
            low, high = (number(each) for each in (finite.min(), finite.max())) if len(finite) else ("–", "–")
            yield f"{name:<{INDENT}}{blocks(drawn)}  {number(values[0])} → {number(values[-1])} ({low} to {high})"


def _gradient(run: OneRun) -> Iterator[str]:
    assert run.records is not None
    yield ""
    yield "Gradient through time, ‖∂L/∂h_t‖ from lag 0 (left) to the start of the sequence"
    if part := part_shown(run.config):
        yield f"of {part}"
    yield from textwrap.wrap(last_answer([str(run.config.get("task", {}).get("name"))]), COLUMNS)
    shown = reaches(run.records.gradient)
    finite = [value for each in shown for value in each.norms if math.isfinite(value)]
    span = (min(finite), max(finite)) if finite else (0.0, 0.0)
    for each in shown:
        ends = " → ".join(_power(each.norms[at]) for at in (0, -1))
        yield f"{f'step {each.step}':<{INDENT}}{blocks(each.norms, span)}  {ends}"
        yield f"{'':<{INDENT}}{each.per_step()}; {each.far()}"
    yield from textwrap.wrap(truncation_of(run.config), COLUMNS)


def _power(value: float) -> str:
    return f"10^{value:.1f}" if math.isfinite(value) else "0" if value == -math.inf else number(value)


def blocks(values: np.ndarray, span: tuple[float, float] | None = None, wide: int = WIDE) -> str:
    """Values as a row of blocks, low to high; of more than `wide` some, the first and the last among them.

    A value that is not finite is `·` where it is below all (-inf), `!` otherwise.

    Args:
        span: the values of the lowest and of the highest block; by default those of the row.
    """
    if len(values) > wide:
        values = values[np.linspace(0, len(values) - 1, wide).round().astype(int)]
    finite = values[np.isfinite(values)]
    low, high = span or ((finite.min(), finite.max()) if len(finite) else (0.0, 0.0))
    step = (high - low) / (len(BLOCKS) - 1)

    def block(value: float) -> str:
        if not math.isfinite(value):
            return "·" if value == -math.inf else "!"
        return BLOCKS[round((value - low) / step) if step else 0]

    return "".join(map(block, values))
