"""What an architecture is: its parameters and one time step. All that computes it faster must compute the same.

The plain float64 loop of `reference`, autograd's recurrence and whatever asks for a Jacobian run the time step itself.
One that is no recurrence has a map of whole sequences in its place.
Nothing here imports torch, so that the options of an architecture can be checked before anything heavy is loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from sweeps.config.schema import Value
from sweeps.own import register_own
from sweeps.signatures import named

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

Weights = Mapping[str, "Tensor"]
"""The parameters by name, each `[K, *shape]`."""
State = tuple["Tensor", ...]
"""The tensors passed from one time step to the next, each `[K, B, H]`; the first is h."""
Factors = tuple["Tensor", ...]
"""What multiplies the state: `(a,)`, or `(c, d)` for c + i d; each `[K, T, B, N]`, T or B 1 where all are equal."""
Draw = Callable[["np.random.Generator", tuple[int, ...]], "np.ndarray"]
NOTHING: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True)
class Parameter:
    """One parameter of a lane, and how it is drawn before training.

    Attributes:
        shape: its shape; `blocks` divide the last dimension into equal parts.
        draw: `input`: Glorot's uniform distribution, for the fan of one block; `recurrent`: the cell's initialisation,
            which draws square blocks; `normal`: N(0, 1); `constant`: the numbers of `values`; or a function of a random
            generator and the shape of a block.
        blocks: the names of its gate blocks. Each is drawn on its own, from a random stream named after it.
        values: the value of every block that does not start at 0, where `draw` is `constant`.
        keeps: of a gate's bias, by block, what `init=chrono` sets: 1 where a larger one makes a unit keep its state for
            longer, -1 where a larger one lets more of the input in.
    """

    shape: tuple[int, ...]
    draw: str | Draw = "constant"
    blocks: tuple[str, ...] = ("",)
    values: Mapping[str, float] = field(default_factory=dict)
    keeps: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Architecture:
    """A recurrent architecture, or one to compare these with.

    Attributes:
        parameters: `(inputs I, hidden H, **options)` -> the parameters of one lane by name. Weights multiply from the
            right, `h @ weight_hh`: the transposes of torch.nn's.
        step: `(p, x_t [K, B, I], state before, **options)` -> state after.
            None: it is `whole`.
        states: number of tensors in the state; 0 where there is no step.
        phi: `tanh` or `relu` if h_t = phi(h_{t-1} W + x_t U + b), with W `weight_hh`: what mean-field theory
            (`init=critical`) and `penalty=omega` are about. Empty for any other form.
        prepare: `(p, **options)` -> p of the time step, where this has tensors that are made from the parameters once
            for a whole sequence, such as a matrix exponential; None: it has the parameters themselves.
        linear: `(p, x [K, T, B, I]) -> a, b` if h_t = a_t h_{t-1} + b_t, where neither depends on the state: a scan
            computes it then.
        whole: `(p, x [K, T, B, I], **options) -> h [K, T, B, H]`, in place of a time step: a layer that passes no state
            from step to step.
        above: `parameters` of the layers above the lowest, where these differ.
        at_once: whether `whole` reads a sequence as one time step, of T * I inputs beside each other.

    The options are those of conf/arch/NAME.yaml that `parameters`, `prepare`, `step` or `whole` names. Those of
    `parameters` alone may differ between the lanes of a pack; those of the others are equal in all of them.
    """

    parameters: Callable[..., dict[str, Parameter]]
    step: Callable[..., State] | None = None
    states: int = 1
    phi: str = ""
    prepare: Callable[..., Weights] | None = None
    linear: Callable[[Weights, Tensor], tuple[Factors, Tensor]] | None = None
    whole: Callable[..., Tensor] | None = None
    above: Callable[..., dict[str, Parameter]] | None = None
    at_once: bool = False

    @property
    def code(self) -> Callable[..., State] | Callable[..., Tensor]:
        """The time step, or what is in its place."""
        if self.step is not None:
            return self.step
        assert self.whole is not None
        return self.whole

    @property
    def step_options(self) -> dict[str, bool]:
        """The options that `prepare`, `step` or `whole` takes, and whether each must be given."""
        given = 3 if self.step is not None else 2
        return {**({} if self.prepare is None else named(self.prepare, 1)), **named(self.code, given)}

    @property
    def options(self) -> dict[str, bool]:
        """All options, and whether each must be given."""
        return {**named(self.parameters, 2), **self.step_options}

    def parameters_with(
        self, inputs: int, hidden: int, options: Mapping[str, Value], layer: int = 0
    ) -> dict[str, Parameter]:
        """The parameters of one lane whose choice has these options, in a layer counted from the lowest, 0."""
        made = self.parameters if layer == 0 or self.above is None else self.above
        return made(inputs, hidden, **_taken(named(made, 2), options))

    def prepare_with(self, options: Mapping[str, Value]) -> Callable[[Weights], Weights]:
        """What makes the weights of the time step from the parameters, for a pack whose choice has these options."""
        if self.prepare is None:
            return lambda p: p
        return partial(self.prepare, **_taken(named(self.prepare, 1), options))

    def step_with(self, options: Mapping[str, Value]) -> Callable[[Weights, Tensor, State], State]:
        """The time step of a pack whose choice has these options."""
        assert self.step is not None
        return partial(self.step, **_taken(named(self.step, 3), options))

    def whole_with(self, options: Mapping[str, Value]) -> Callable[[Weights, Tensor], Tensor]:
        """The map of whole sequences of a pack whose choice has these options."""
        assert self.whole is not None
        return partial(self.whole, **_taken(named(self.whole, 2), options))


def _taken(names: Mapping[str, bool], options: Mapping[str, Value]) -> dict[str, Value]:
    """Those of the options that a function takes by name."""
    return {key: value for key, value in options.items() if key in names}


_REGISTRY: dict[str, Architecture] = {}


def register(name: str, made: Architecture) -> None:
    """Make `arch=name` mean this architecture."""
    _REGISTRY[name] = made


def registered() -> list[str]:
    """The names of all architectures, those of the user's own folders too.

    Raises:
        SweepsError: a file there cannot be run, or registers a name that is there already.
    """
    return sorted(_all())


def architecture(name: str) -> Architecture:
    """The architecture of this name.

    Raises:
        KeyError: there is none.
    """
    return _all()[name]


def _all() -> dict[str, Architecture]:
    register_own("architectures", _REGISTRY)
    return _REGISTRY


def gated(
    inputs: int, hidden: int, blocks: Sequence[str], keeps: Mapping[str, int] = NOTHING, **values: float
) -> dict[str, Parameter]:
    """`weight_ih [I, G*H]`, `weight_hh [H, G*H]` and `bias [G*H]` of G gate blocks.

    Args:
        keeps: of the bias, as in `Parameter`.
        values: the bias of every block where it does not start at 0.
    """
    names, width = tuple(blocks), len(blocks) * hidden
    return {
        "weight_ih": Parameter((inputs, width), "input", names),
        "weight_hh": Parameter((hidden, width), "recurrent", names),
        "bias": Parameter((width,), blocks=names, values=values, keeps=keeps),
    }


def drive(p: Weights, x: Tensor, h: Tensor) -> Tensor:
    """h W + x U + b of `gated`, `[K, B, G*H]`."""
    return p["bias"].unsqueeze(1).baddbmm(h, p["weight_hh"]).baddbmm(x, p["weight_ih"])
