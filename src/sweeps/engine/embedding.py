"""A learned linear map of the inputs below the lowest recurrence: a one-hot symbol has a row (Bengio et al. 2003).

e_t = x_t E, with x_t `[I]`, E `[I, D]` and no bias; for symbols it is `torch.nn.Embedding`, and E starts from N(0, 1)
as there. The gradient through time does not see it: it lies below every state.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from sweeps.engine.architectures import Parameter
from sweeps.engine.memory import zeros
from sweeps.engine.products import multiply

NAME = "embedding"
"""Of the parameter E."""


def embedding_parameter(inputs: int, columns: int) -> Parameter:
    """E of one lane, `[I, D]`."""
    return Parameter((inputs, columns), "normal")


class Embedding:
    """x `[K, T*B, I]` to what the lowest recurrence reads, `[K, T*B, D]`.

    Args:
        rows: T*B.
    """

    def __init__(self, p: Mapping[str, Tensor], grads: Mapping[str, Tensor], rows: int) -> None:
        self.weight, self.d_weight = p[NAME], grads[NAME]
        lanes, _, columns = self.weight.shape
        self.out = zeros(lanes, rows, columns, device=self.weight.device)

    def forward(self, x: Tensor) -> Tensor:
        """The rows of the symbols, which the next forward pass overwrites."""
        self.x = x
        return multiply(x, self.weight, self.out)

    def backward(self, d_out: Tensor) -> None:
        """Writes the gradient of E.

        Args:
            d_out: the gradient of what `forward` returned, `[K, T*B, D]`.
        """
        multiply(self.x.transpose(1, 2), d_out, self.d_weight)
