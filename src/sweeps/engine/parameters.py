"""The parameters of a pack: named `[K, ...]` views into one `[K, P]` buffer.

One buffer makes clipping, the optimiser and the norms a few operations over the whole pack. The padding between
parameters is zero in values and in gradients, and stays so under every optimiser here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from sweeps.engine.architectures import Parameter
from sweeps.engine.memory import blocks

Shapes = Mapping[str, tuple[int, ...]]


class Parameters(Mapping[str, Tensor]):
    """Maps a parameter's name to its view `[K, *shape]`; `.flat` is all of them, `[K, P]`."""

    def __init__(self, flat: Tensor, shapes: Shapes) -> None:
        self.flat = flat
        self.shapes = dict(shapes)
        self._views: dict[str, Tensor] = {}
        self._offsets: list[int] = []
        offset = 0
        for name, shape in self.shapes.items():
            inner = [math.prod(shape[i + 1 :]) for i in range(len(shape))]
            self._views[name] = flat.as_strided((len(flat), *shape), (flat.stride(0), *inner), offset)
            self._offsets.append(offset)
            offset += blocks(math.prod(shape))

    @property
    def places(self) -> list[slice]:
        """Where each parameter lies in a row of `.flat`, the padding behind it left out."""
        return [slice(at, at + math.prod(shape)) for at, shape in zip(self._offsets, self.shapes.values(), strict=True)]

    @classmethod
    def zeros(cls, k: int, shapes: Shapes, device: torch.device | str = "cpu") -> Parameters:
        size = sum(blocks(math.prod(shape)) for shape in shapes.values())
        return cls(torch.zeros(k, size, device=device), shapes)

    def __getitem__(self, name: str) -> Tensor:
        return self._views[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._views)

    def __len__(self) -> int:
        return len(self._views)


def recorded(name: str, parameter: Parameter, values: Tensor) -> dict[str, Tensor]:
    """The values of one parameter of a lane by the names of the records: a recurrent matrix has one for each gate."""
    if parameter.draw != "recurrent" or len(parameter.blocks) == 1:
        return {name: values}
    parts = values.chunk(len(parameter.blocks), -1)
    return {f"{name}.{gate}": part for gate, part in zip(parameter.blocks, parts, strict=True)}
