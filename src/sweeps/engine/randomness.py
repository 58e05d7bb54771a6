"""Random generators, one per seed and purpose. They are passed as arguments; no global stream is used.

Cells of one seed share their streams whatever their architecture, initialisation or clipping, so that comparisons
between them are paired; and no stream depends on how often another was read.
"""

from __future__ import annotations

import zlib

import numpy as np


def generator(seed: int, *purpose: str) -> np.random.Generator:
    """The generator of `seed` for a purpose such as ("data",) or ("init", "weight_hh.f").

    Raises:
        ValueError: the seed is negative.
    """
    return np.random.default_rng([seed, *(zlib.crc32(part.encode()) for part in purpose)])
