"""Checks that the own options of a choice (`arch.leak`, `init.std`) reach its code, before anything is trained.

Torch is imported only for a kind of clipping, an optimiser or a penalty whose options are not those of `KNOWN`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sweeps import tasks
from sweeps.config.schema import Settings
from sweeps.engine.architectures import architecture
from sweeps.engine.init import INITS
from sweeps.engine.schedule import SCHEDULES, WAITING
from sweeps.errors import unknown
from sweeps.signatures import named

KNOWN = {
    ("optim", "sgd"): {"momentum", "nesterov"},
    ("optim", "sgdw"): {"momentum", "nesterov", "weight_decay"},
    ("optim", "rmsprop"): {"alpha", "eps"},
    ("optim", "adam"): {"beta1", "beta2", "eps"},
    ("optim", "adamw"): {"beta1", "beta2", "eps", "weight_decay"},
    **{("clip", name): set[str]() for name in ("none", "norm", "value", "per_parameter")},
    ("clip", "adaptive"): {"percentile", "window"},
    ("penalty", "none"): set[str](),
    ("penalty", "l2"): {"strength"},
    ("penalty", "omega"): {"strength"},
}
"""The options of clippings, optimisers and penalties here, as their code has them; a test holds the two together."""


def problems(settings: Iterable[Settings], per_lane: Callable[[str], Sequence[str]]) -> list[str]:
    """The options that the code of their choice would ignore, and those that it lacks, each in one sentence.

    Args:
        per_lane: the options of an architecture, by its name, that its card lets differ between the lanes of a pack.
    """
    seen: dict[tuple[Any, ...], list[str]] = {}
    for each in settings:
        for group in ("arch", "init", "clip", "optim", "schedule", "penalty", "task"):
            choice = getattr(each, group)
            key: tuple[Any, ...] = (group, choice.name, *choice.options)
            if key not in seen:
                name, options = choice.name, choice.options
                seen[key] = _arch(name, options, per_lane(name)) if group == "arch" else _other(group, name, options)
    return list(dict.fromkeys(sentence for sentences in seen.values() for sentence in sentences))


def _other(group: str, name: str, options: Iterable[str]) -> list[str]:
    """The problems of a choice of a group other than arch."""
    taken: dict[str, bool] = {}
    if group == "init" and name in INITS:
        taken = _without(named(INITS[name], 3), ["place"])  # rng, n, gain
    if group == "schedule" and name in SCHEDULES:
        taken = named(SCHEDULES[name], 1) | (dict.fromkeys(WAITING, True) if name == "plateau" else {})
    if group == "task" and name in tasks.registered():
        taken = {key: must for key, must in tasks.parameters(name).items() if key not in ("length", "solved_at")}
    if group in ("clip", "optim", "penalty"):
        if KNOWN.get((group, name)) == set(options):
            return []
        from sweeps.engine.clip import CLIPS, GIVEN
        from sweeps.engine.optim import OPTIMIZERS
        from sweeps.engine.penalty import PENALTIES

        taken = dict.fromkeys(OPTIMIZERS[name].options, True) if group == "optim" and name in OPTIMIZERS else {}
        if group == "clip" and name in CLIPS:
            taken = _without(named(CLIPS[name], 3), GIVEN)
        taken = _without(named(PENALTIES[name], 1), ["passed"]) if group == "penalty" and name in PENALTIES else taken
    return _mismatches(group, name, options, taken)


def _without(taken: dict[str, bool], given: Iterable[str]) -> dict[str, bool]:
    """The parameters of a choice's code that are its options: not those that it is given by the engine."""
    return {key: must for key, must in taken.items() if key not in given}


def _arch(name: str, options: Iterable[str], lanes: Sequence[str]) -> list[str]:
    """The problems of an architecture; `lanes` are the options that its card lets differ between lanes."""
    try:
        made = architecture(name)
    except KeyError:  # no such architecture: reported elsewhere
        return []
    return _mismatches("arch", name, options, made.options) + [
        f"arch.{option}: conf/cards.yaml names it under per_lane, but the time step of arch={name} takes one value for "
        "all lanes of a pack; remove it there"
        for option in lanes
        if option in made.step_options
    ]


def _mismatches(group: str, name: str, options: Iterable[str], taken: dict[str, bool]) -> list[str]:
    """A sentence for every option that the code does not take, and for every one that it needs and does not get."""
    unused = [option for option in options if option not in taken]
    lacking = [option for option, must in taken.items() if must and option not in options]
    file = f"conf/{group}/{name}.yaml"
    return [
        unknown(f"option in {file}, for the code of {group}={name}", option, taken)
        if taken
        else f"{group}.{option}: {file} has this option, but the code of {group}={name} takes none of its own"
        for option in unused
    ] + [f"{group}.{option}: the code of {group}={name} needs this option; add it to {file}" for option in lacking]
