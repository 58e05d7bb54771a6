"""tanh and sigmoid whose derivatives do not round to 0 where the functions saturate.

Autograd computes tanh' as 1 - tanh**2 and sigma' as sigma (1 - sigma), which are exactly 0 in float64 from |a| = 19 and
37 on. Within the context `ExactSlopes`, torch's functions, methods and modules of these names compute them from a.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode


def _slope(y: Tensor) -> Tensor:
    """sigma'(a) for y = |a|, a quarter of tanh'(a) for y = 2|a|."""
    e = (-y).exp()
    return e / (1 + e).square()


class _Tanh(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, a: Tensor) -> Tensor:
        context.save_for_backward(a)
        return a.tanh()

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Tensor:
        [a] = context.saved_tensors
        return gradients[0] * (4 * _slope(2 * a.abs()))


class _Sigmoid(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, a: Tensor) -> Tensor:
        context.save_for_backward(a)
        return a.sigmoid()

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Tensor:
        [a] = context.saved_tensors
        return gradients[0] * _slope(a.abs())


REPLACED: dict[Callable[..., Any], Callable[[Tensor], Any]] = {
    **dict.fromkeys((torch.tanh, Tensor.tanh, torch.nn.functional.tanh), _Tanh.apply),
    **dict.fromkeys((torch.sigmoid, Tensor.sigmoid, torch.special.expit, torch.nn.functional.sigmoid), _Sigmoid.apply),
}


class ExactSlopes(TorchFunctionMode):
    """A context manager: inside it, the derivatives of torch's tanh and sigmoid are computed from their argument."""

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: Sequence[type],
        arguments: Sequence[Any] = (),
        options: Mapping[str, Any] | None = None,
    ) -> Any:
        if function in REPLACED and not options:
            return REPLACED[function](*arguments)
        return function(*arguments, **(options or {}))
