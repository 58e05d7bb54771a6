"""What an initialisation means for an architecture: the one that a cell has where the one asked for comes to nothing.

An architecture without a recurrent matrix for an initialisation to draw has `own`, whatever is asked for; asked for
`own`, one that has such a matrix has `orthogonal`. One without gates that keep its state has the matrix of `chrono`
alone, and one of another form than h_t = phi(h_{t-1} W + ...) that of `critical`. So cells that would be the same
numbers are one cell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from sweeps.config.schema import Arch, Init, Settings, Value
from sweeps.engine.architectures import Architecture, Parameter, architecture, registered

OWN = "own"


def meant(settings: Settings, usual: Mapping[str, Value]) -> Settings:
    """The settings with the initialisation that their architecture has.

    Args:
        usual: the defaults of the architecture's own options, for those that `chrono` replaces.
    """
    if settings.arch.name not in registered():
        return settings
    made, init = architecture(settings.arch.name), settings.init
    parameters = _parameters(made, settings.arch).values()
    if not any(each.draw == "recurrent" for each in parameters):
        return replace(settings, init=replace(init, name=OWN, gain=1.0, options={}))
    if init.name == OWN or (init.name == "critical" and not made.phi):
        return replace(settings, init=_matrix_alone(init))
    if init.name == "chrono":
        if not any(each.keeps for each in parameters):
            return replace(settings, init=_matrix_alone(init))
        return replace(settings, arch=_without_replaced(made, settings.arch, usual))
    return settings


def problems(settings: Sequence[Settings]) -> list[str]:
    """Initialisations and penalties that an architecture cannot have, each in one sentence."""
    return list(dict.fromkeys(sentence for each in settings for sentence in _problems(each)))


def _problems(settings: Settings) -> Iterator[str]:
    arch, init = settings.arch, settings.init
    if arch.name not in registered():
        return
    made = architecture(arch.name)
    recurrent = [each for each in _parameters(made, arch).values() if each.draw == "recurrent"]
    if settings.penalty.name == "omega" and not made.phi:
        yield (
            f"penalty: given 'omega', must be none or l2 with arch={arch.name}, which is not of the form "
            "h_t = phi(h_{t-1} W + x_t U + b)"
        )
    if init.name == "diagonal" and recurrent and "blocks" in init.options:
        there = [block for each in recurrent for block in each.blocks]
        asked = str(init.options["blocks"]).split("+")
        if asked != ["all"] and not set(asked) & set(there):
            yield (
                f"init.blocks: given {init.options['blocks']!r}, must be all or some of the gate blocks of "
                f"arch={arch.name} joined by + ({', '.join(filter(None, there)) or 'it has one'})"
            )


def _parameters(made: Architecture, arch: Arch) -> dict[str, Parameter]:
    return made.parameters_with(1, max(arch.hidden or 1, 1), arch.options)


def _matrix_alone(init: Init) -> Init:
    """The initialisation that draws the same matrix and nothing else."""
    if init.options.get("matrix") == "random":
        return replace(init, name="random", options={"std": 0.01, "fan_in": True})
    return replace(init, name="orthogonal", options={})


def _without_replaced(made: Architecture, arch: Arch, usual: Mapping[str, Value]) -> Arch:
    """The architecture with the defaults of those options that say nothing but what the biases of `keeps` start at."""

    def others(options: Mapping[str, Value]) -> dict[str, Parameter]:
        found = _parameters(made, replace(arch, options=dict(options)))
        return {
            name: replace(each, values={block: v for block, v in each.values.items() if block not in each.keeps})
            for name, each in found.items()
        }

    options = dict(arch.options)
    for name in options.keys() & usual.keys() - made.step_options.keys():
        changed = {**options, name: usual[name]}
        options = changed if others(changed) == others(options) else options
    return replace(arch, options=options)
