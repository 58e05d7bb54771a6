"""The typed settings of one cell. All code behind the entry points gets these, never a Hydra config.

A field has a unit and a rule (`config.rules`). A setting that only some choices of a group have - `arch.forget_bias`,
`init.std` - is in `options`; its name and type are those in the choice's own YAML file, so that a new choice takes one
YAML file and one file of code.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

Value = bool | int | float | str
Options = dict[str, Value]
NO_PROBE = "none"
"""The setting `probe` where there is none."""


@dataclass(frozen=True)
class Arch:
    name: str
    hidden: int  # units H
    options: Options = field(default_factory=dict)


@dataclass(frozen=True)
class Init:
    name: str
    gain: float  # factor on the recurrent matrix
    input_scale: float = 1.0  # factor on the weights with which each layer reads its inputs
    readout_scale: float = 1.0  # factor on the weights of the readout
    options: Options = field(default_factory=dict)


@dataclass(frozen=True)
class Clip:
    name: str
    threshold: float  # of the norm, or of an element; inf for none
    options: Options = field(default_factory=dict)


@dataclass(frozen=True)
class Task:
    name: str
    length: int  # steps T
    solved_at: float  # evaluation score at which a run counts as solved
    options: Options = field(default_factory=dict)


@dataclass(frozen=True)
class Optim:
    name: str
    lr: float
    options: Options = field(default_factory=dict)


@dataclass(frozen=True)
class Schedule:
    name: str
    warmup: int  # updates over which the learning rate rises to `optim.lr`
    options: Options = field(default_factory=dict)


@dataclass(frozen=True)
class Penalty:
    name: str
    options: Options = field(default_factory=dict)


@dataclass(frozen=True)
class Train:
    steps: int  # updates
    batch: int  # sequences B
    log_every: int  # updates
    eval_every: int  # updates
    eval_size: int  # sequences
    stop_when_solved: bool
    patience: int  # evaluations in a row without a better loss after which a run ends; 0 = never
    accumulate: int  # batches of an update
    truncate: int  # steps T after which the gradient is cut, counted from the end; 0 = never
    checkpoint: float  # minutes between two checkpoints of a cell; 0 = none
    save: str  # of SAVED
    skip_nonfinite: bool  # an update whose loss or gradient is not finite is left out; false: the run has diverged


@dataclass(frozen=True)
class Stack:
    layers: int = 1  # one above the other
    bidirectional: bool = False  # each layer reads forwards and in reverse
    start: str = "zero"  # of STARTS
    readout: str = "last"  # of READOUTS
    norm: str = "none"  # of NORMS
    dropout: float = 0.0  # share of the numbers between two layers that are set to 0 in training
    residual: bool = False  # each layer above the lowest adds its input to its output
    input_dropout: float = 0.0  # share of the inputs that are set to 0 in training
    output_dropout: float = 0.0  # the same of what the readout reads
    embedding: int = 0  # columns D of a learned linear map of the inputs; 0: the lowest layer reads them as they are
    kind: str = "plain"  # of KINDS
    attention: str = "none"  # of ATTENTIONS
    start_scale: float = 1.0  # standard deviation of random start states

    @property
    def directions(self) -> int:
        """How many recurrences a layer has."""
        return 2 if self.bidirectional else 1

    @property
    def recurrences(self) -> int:
        return self.layers * self.directions

    @property
    def products(self) -> int:
        """How many products with an H x H matrix a time step has for each gate block: with the state before, and, above
        the lowest layer, with the states of each direction below. Those with the task's inputs are few."""
        return self.recurrences + (self.layers - 1) * self.directions**2


@dataclass(frozen=True)
class Plan:
    max_cells: int  # a grid of more cells is an error


@dataclass(frozen=True)
class Tracker:
    name: str
    project: str
    entity: str
    mode: str  # of MODES


@dataclass(frozen=True)
class Executor:
    name: str
    workers: int  # processes; 0 = one per core
    lanes: int  # cells in a pack at most; 0 = chosen by the size of the cache
    patience: float  # seconds without a message from a worker after which it is killed; inf = never
    device: str  # cpu, cuda
    kernel: str  # native, torch, reference (the definition itself), or auto: native where it can be built


@dataclass(frozen=True)
class Settings:
    arch: Arch
    init: Init
    clip: Clip
    task: Task
    optim: Optim
    schedule: Schedule
    penalty: Penalty
    train: Train
    stack: Stack
    plan: Plan
    tracker: Tracker
    executor: Executor
    seed: int
    experiment: str
    runs_dir: str
    probe: str = NO_PROBE  # names with commas between them

    @property
    def probes(self) -> tuple[str, ...]:
        """What is to be measured beside losses and gradients; each writes `probe_NAME.csv`."""
        return () if self.probe == NO_PROBE else tuple(dict.fromkeys(self.probe.replace(" ", "").split(",")))


MODES = ("offline", "online", "auto", "disabled")
"""Modes of the tracker. `auto` is online if an API key is found, offline otherwise; it never prompts for one."""

STARTS = ("zero", "learned", "random")
"""Start states: zeros; a parameter, the same for all sequences; N(0, start_scale^2), drawn anew for every sequence."""

READOUTS = ("last", "mean")
"""What an answer at the end of a sequence is read from: the last state, or the mean of all."""

MATRICES = ("orthogonal", "random")
"""Matrices of the inits that are about something else: uniformly random orthogonal; Gaussian, variance 1 / H."""

ANGLES = ("uniform", "cayley")
"""Distributions of the angles of rotations."""

NORMS = ("none", "layer")
"""What stands between two layers: nothing, or layer normalisation."""

KINDS = ("plain", "encoder_decoder")
"""Whether the same weights read the whole sequence, or one recurrence the source and another the steps behind it."""

ATTENTIONS = ("none", "dot")
"""What of the source is read beside the state: nothing, or the mean of its states by their products with the state."""

SAVED = ("none", "final")
"""What is kept of the weights of a cell: nothing, or those at its end."""

GROUPS = ("arch", "init", "clip", "task", "optim", "schedule", "penalty", "tracker", "executor")
"""The config groups: settings that are chosen by name. `train` and `plan` are plain sections."""

SECTIONS: dict[str, type] = {
    "arch": Arch,
    "init": Init,
    "clip": Clip,
    "task": Task,
    "optim": Optim,
    "schedule": Schedule,
    "penalty": Penalty,
    "train": Train,
    "stack": Stack,
    "plan": Plan,
    "tracker": Tracker,
    "executor": Executor,
}


def as_dict(settings: Any) -> dict[str, Any]:
    """The settings as nested plain values, as the YAML shows them: `options` merged into their section."""
    out: dict[str, Any] = {}
    for each in fields(settings):
        value = getattr(settings, each.name)
        if each.name == "options":
            out.update(value)
        else:
            out[each.name] = as_dict(value) if is_dataclass(value) else value
    return out
