"""The weights that a cell ended with, for whoever wants to look into a network or let it go on."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sweeps.analysis.loading.one import find_cell
from sweeps.errors import SweepsError
from sweeps.records.arrays import read_arrays
from sweeps.records.paths import SweepPaths


def weights(folder: str | Path, cell: str) -> dict[str, np.ndarray]:
    """The final weights of a cell that was trained with `train.save=final`, those that its last row was measured with.

    Args:
        folder: of the sweep, `runs/NAME`, as `load` takes it.
        cell: its id, or the first digits of it.

    Returns:
        float32 arrays by the names of `parameters.csv`. They multiply from the right: `x @ weight_ih + h @ weight_hh`;
        a recurrent matrix `[H, H]` has one for each gate, `weight_hh.f`.

    Raises:
        SweepsError: there is no such cell, its weights were not kept or cannot be read.
    """
    paths = find_cell(cell, [SweepPaths(Path(folder).absolute())])
    try:
        return read_arrays(paths.weights)
    except FileNotFoundError:
        raise SweepsError(
            f"{paths.root.name} has no {paths.weights.name}; train it with train.save=final, once more if it is done"
        ) from None
