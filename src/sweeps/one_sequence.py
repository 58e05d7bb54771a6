"""What a trained network does with one sequence, from the record of a cell whose weights were kept."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sweeps.analysis.loading.one import OneRun
from sweeps.analysis.sequence import Bars, Panel, Shown
from sweeps.check import problems_with
from sweeps.config.schema import Settings
from sweeps.config.shortest import settings_from
from sweeps.errors import SweepsError
from sweeps.records.arrays import read_arrays


def one_sequence(run: OneRun) -> Shown | str:
    """The first sequence of a cell's evaluation set through its network with the weights at its end.

    Returns:
        A sentence on how to get it where there is none: the weights were not kept, cannot be read or are not those of
        this version's network, or the run has diverged.
    """
    assert run.summary is not None
    if run.summary.outcome == "diverged":
        at = run.summary.step
        earlier = f"train.steps={at - 1} train.save=final keep the weights of the step before"
        how = earlier if at > 1 else "train.save=final and a lower learning rate or gain may have one"
        return (
            f"No sequence is shown: the run diverged at step {at}, where its numbers are not finite. The same settings "
            f"with {how}."
        )
    try:
        arrays = read_arrays(run.paths.weights)
    except FileNotFoundError:
        return (
            "No sequence is shown: the weights were not kept. Train the cell with train.save=final, once more if it is "
            "done; its numbers stay the same."
        )
    except SweepsError as error:
        return f"No sequence is shown: {error}. Train the cell with train.save=final once more."
    try:
        settings = settings_from(run.config, run.id)
        if problems := problems_with([settings]):
            raise ValueError("; ".join(problems))
        return _shown(settings, arrays)
    except (SweepsError, ValueError) as error:
        return f"No sequence is shown: {str(error).rstrip('.')}. Train the cell with train.save=final once more."


def _shown(settings: Settings, arrays: dict[str, np.ndarray]) -> Shown:
    from sweeps.engine.one_sequence import one_sequence as through  # imports torch

    found = through(settings, arrays)
    panels = [Panel("inputs x_t", "input", found.inputs), *_states(settings, found.states)]
    if found.attention is not None:
        panels.append(Panel("attention of the answer at t to each state of the source", "source", found.attention))
    row, answers = ("class", "probabilities of the classes") if found.classes else ("output", "outputs")
    bars = [] if found.vector is None else [Bars("vector that the start state is made from", "input", found.vector)]
    if found.asked is None:
        bars.append(Bars(f"{answers}, at the end", row, found.outputs, found.target, found.classes))
    else:
        target = np.where(found.asked[:, None], found.target, np.nan)
        panels += [Panel(answers, row, found.outputs), Panel("target", row, target)]
    return Shown(len(found.inputs), tuple(panels), tuple(bars))


def _states(settings: Settings, states: dict[tuple[int, int], np.ndarray]) -> Iterator[Panel]:
    for (layer, direction), values in states.items():
        name = "states h_t" + (f" of layer {layer}" if settings.stack.layers > 1 else "")
        name += " (the lowest)" if settings.stack.layers > 1 and layer == 0 else ""
        if settings.stack.bidirectional:
            name += ", reading backwards" if direction else ", reading forwards"
        yield Panel(name, "unit", values)
