"""The rules on values, single and combined. The message of each says what was given and what is allowed."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

from sweeps.config.schema import ANGLES, ATTENTIONS, KINDS, MATRICES, MODES, NORMS, READOUTS, SAVED, STARTS, Settings
from sweeps.errors import unknown

Rule = tuple[Callable[[float], bool], str]
"""Whether a value is allowed, and the phrase for what is."""

POSITIVE: Rule = (lambda v: 0 < v < math.inf, "a positive finite number")
ABOVE_ZERO: Rule = (lambda v: v > 0, "a positive number or inf")
FROM_ZERO: Rule = (lambda v: 0 <= v < math.inf, "0 or a positive finite number")
FINITE: Rule = (math.isfinite, "a finite number")
FRACTION: Rule = (lambda v: 0 <= v < 1, "a number from 0 up to, not including, 1")
SHARE: Rule = (lambda v: 0 <= v <= 1, "a number from 0 to 1")
FACTOR: Rule = (lambda v: 0 < v <= 1, "a number above 0, at most 1")
SEVERAL: Rule = (lambda v: v >= 2, "an integer of at least 2")
COUNT: Rule = (lambda v: v >= 1, "an integer of at least 1")
HALF_TURNS: Rule = (lambda v: -1 <= v <= 1, "a number from -1 to 1 (of pi)")
NATURAL: Rule = (lambda v: v >= 0, "an integer of at least 0")

RULES: dict[str, Rule] = {
    "arch.hidden": COUNT,
    "arch.forget_bias": FINITE,
    "arch.update_bias": FINITE,
    "arch.leak": FACTOR,
    "arch.epsilon": FROM_ZERO,
    "arch.gamma": FROM_ZERO,
    "arch.dt": POSITIVE,
    "arch.beta": FINITE,
    "init.gain": FROM_ZERO,
    "init.std": FROM_ZERO,
    "init.input_scale": FROM_ZERO,
    "init.readout_scale": FROM_ZERO,
    "init.low": FINITE,
    "init.high": FINITE,
    "init.incoming": COUNT,
    "init.angle_low": HALF_TURNS,
    "init.angle_high": HALF_TURNS,
    "init.drive": FROM_ZERO,
    "init.t_max": (lambda v: v == 0 or v >= 2, "0 or an integer of at least 2"),
    "clip.threshold": ABOVE_ZERO,
    "clip.percentile": (lambda v: 0 <= v <= 100, "a number from 0 to 100"),
    "clip.window": COUNT,
    "task.length": COUNT,
    "task.solved_at": FINITE,
    "optim.lr": FROM_ZERO,
    "optim.momentum": FRACTION,
    "optim.alpha": FRACTION,
    "optim.beta1": FRACTION,
    "optim.beta2": FRACTION,
    "optim.eps": POSITIVE,
    "optim.weight_decay": FROM_ZERO,
    "schedule.warmup": NATURAL,
    "schedule.final": SHARE,
    "schedule.every": COUNT,
    "schedule.factor": FACTOR,
    "schedule.patience": NATURAL,
    "schedule.threshold": FRACTION,
    "schedule.width": COUNT,
    "penalty.strength": FROM_ZERO,
    "train.steps": COUNT,
    "train.batch": COUNT,
    "train.log_every": COUNT,
    "train.eval_every": COUNT,
    "train.eval_size": SEVERAL,
    "train.patience": NATURAL,
    "train.accumulate": COUNT,
    "train.truncate": NATURAL,
    "train.checkpoint": FROM_ZERO,
    "stack.layers": COUNT,
    "stack.start_scale": FROM_ZERO,
    "stack.dropout": FRACTION,
    "stack.input_dropout": FRACTION,
    "stack.output_dropout": FRACTION,
    "stack.embedding": NATURAL,
    "plan.max_cells": COUNT,
    "executor.workers": NATURAL,
    "executor.lanes": NATURAL,
    "executor.patience": ABOVE_ZERO,
    "seed": NATURAL,
}
DEVICES = ("cpu", "cuda")
KERNELS = ("auto", "native", "torch", "reference")
NAMES = {
    "train.save": SAVED,
    "init.matrix": MATRICES,
    "init.distribution": ANGLES,
    "stack.start": STARTS,
    "stack.readout": READOUTS,
    "stack.norm": NORMS,
    "stack.kind": KINDS,
    "stack.attention": ATTENTIONS,
    "tracker.mode": MODES,
    "executor.kernel": KERNELS,
    "executor.device": DEVICES,
}
"""Settings whose value is one of a few names."""
NO_FOLDER = "runs_dir: given {!r}, must be a folder for the records, for example runs (. is this one)"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def check(settings: Settings) -> list[str]:
    """A problem for every rule that the settings of one cell break. None is a value that was not readable: skipped."""
    problems = []
    for key, (holds, allowed) in RULES.items():
        value = lookup(settings, key)
        if value is not None and not holds(value):
            problems.append(f"{key}: given {value!r}, must be {allowed}")
    log_every, eval_every = lookup(settings, "train.log_every"), lookup(settings, "train.eval_every")
    if log_every and eval_every and log_every >= 1 and eval_every % log_every:
        problems.append(
            f"train.eval_every: given {eval_every}, must be a multiple of train.log_every={log_every}"
            " (an evaluation is part of a logged row)"
        )
    for least, most in (("init.low", "init.high"), ("init.angle_low", "init.angle_high")):
        low, high = lookup(settings, least), lookup(settings, most)
        if None not in (low, high) and RULES[least][0](low) and RULES[most][0](high) and low > high:
            problems.append(f"{least}: given {low}, must be at most {most}={high}")
    warmup, steps = lookup(settings, "schedule.warmup"), lookup(settings, "train.steps")
    if warmup and steps and warmup >= steps >= 1:
        problems.append(
            f"schedule.warmup: given {warmup}, must be below train.steps={steps} (the rate would rise to the end)"
        )
    for key, allowed_names in NAMES.items():
        name = lookup(settings, key)
        if name is not None and name not in allowed_names:
            problems.append(unknown(key, str(name), allowed_names))
    kind, attention = (getattr(settings.stack, name, None) for name in ("kind", "attention"))
    if lookup(settings, "train.truncate") and (kind, attention) not in (("plain", "none"), (None, None)):
        given = "stack.kind=encoder_decoder" if kind == "encoder_decoder" else f"stack.attention={attention}"
        problems.append(
            f"train.truncate: given {settings.train.truncate}, must be 0 with {given} (a cut would not "
            "stop what goes back past it)"
        )
    if getattr(settings.penalty, "name", None) == "omega":
        for key, value in (("train.accumulate", 1), ("stack.kind", "plain")):
            if (given := lookup(settings, key)) not in (value, None):
                problems.append(f"{key}: given {given!r}, must be {value} with penalty=omega, which is of one pass")
    kernel, device = (getattr(settings.executor, name, None) for name in ("kernel", "device"))
    if (kernel, device) == ("native", "cuda"):
        problems.append("executor.kernel: given 'native', must be auto or torch with executor.device=cuda")
    if settings.runs_dir is not None and not settings.runs_dir.strip():
        problems.append(NO_FOLDER.format(settings.runs_dir))
    if settings.experiment is not None and not NAME.fullmatch(settings.experiment):
        problems.append(
            f"experiment: given {settings.experiment!r}, must be a folder name of letters, digits, '.', '_', '-'"
        )
    return problems


def lookup(settings: Settings, key: str) -> Any:
    """The value of a dotted key, options included; None if this cell has no such setting."""
    node: Any = settings
    *sections, name = key.split(".")
    for section in sections:
        node = getattr(node, section, None)
    if hasattr(node, name):
        return getattr(node, name)
    return getattr(node, "options", {}).get(name)
