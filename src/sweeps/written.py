"""Text that a trained character model goes on with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

import numpy as np

from sweeps.check import problems_with
from sweeps.config.schema import Settings
from sweeps.engine.stateless import stateless
from sweeps.errors import ConfigError
from sweeps.tasks import task_of
from sweeps.tasks.char_lm import CharLm


def written(
    settings: Settings, weights: Mapping[str, np.ndarray], prompt: str, length: int, temperature: float, seed: int
) -> Iterator[str]:
    """The characters that follow a prompt, one by one.

    Without a prompt the network reads a line's end first, or the first of its characters where it has learned none.

    Args:
        settings: of a cell of `task=char_lm`.
        weights: as `sweeps.weights` gives them.
        length: how many characters.
        temperature: as for `engine.sampling.symbols`.

    Raises:
        ConfigError: the settings are not those of a cell that could be trained today.
        ValueError: it is no such cell, it reads backwards too, its weights are another network's, its outputs are not
            finite, or a character of the prompt is not among those that it has learned.
    """
    from sweeps.engine.sampling import symbols  # imports torch

    if settings.task.name != "char_lm":
        raise ValueError(f"task={settings.task.name} has no text to go on with; sample takes cells of task=char_lm")
    if stateless(settings.arch.name):
        raise ValueError(f"arch={settings.arch.name} passes no state from one character to the next; sample needs one")
    if settings.stack.bidirectional:
        raise ValueError("a bidirectional network reads the characters that it would have to write; it has no next one")
    if problems := problems_with([settings]):
        raise ConfigError(problems)
    task = task_of(settings.task)
    assert isinstance(task, CharLm)
    first = task.encode(prompt or ("\n" if "\n" in task.symbols else task.symbols[0]))
    codes = symbols(settings, weights, [int(code) for code in first], temperature, seed)
    return (task.decode(np.array([code])) for code in islice(codes, length))
