"""Handwritten digits, pixel by pixel: the 1,797 real 8 x 8 images that scikit-learn ships (UCI Optdigits, test part).

The network reads one pixel per time step, row by row, and classifies the digit after the last; the first pixel is then
63 steps back. A length T above 64 appends T - 64 blank steps, so that all of the image is further back.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from sweeps.tasks.base import Batch, at_least, register

PIXELS = 64
TEST_SHARE = 0.2


@cache
def split() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Images `[n, 64]` in [0, 1] and labels of the 1,437 training and the 360 test digits.

    The split is stratified by digit and the same for every seed: seeds differ in their batches, not in the test set.
    """
    from sklearn.datasets import load_digits  # slow to import, and only this task needs it
    from sklearn.model_selection import train_test_split

    images, labels = load_digits(return_X_y=True)
    pixels = (images / 16).astype(np.float32)
    parts = train_test_split(pixels, labels.astype(np.int64), test_size=TEST_SHARE, stratify=labels, random_state=0)
    train, test, train_labels, test_labels = parts
    return train, train_labels, test, test_labels


class Digits:
    """One input, the pixel; ten classes. The evaluation set is the complete test set, whatever `train.eval_size`."""

    inputs = 1
    outputs = 10
    loss = "cross_entropy"
    score = "accuracy"
    chance_loss = math.log(10)

    def __init__(self, length: int, solved_at: float) -> None:
        self.length = at_least(length, PIXELS, "an image has 64 pixels; longer sequences end in blank steps")
        self.solved_at = solved_at

    def sample(self, rng: np.random.Generator, batch: int) -> Batch:
        train, labels, _, _ = split()
        index = rng.integers(0, len(labels), batch)
        return self._sequences(train[index], labels[index])

    def evaluation(self, rng: np.random.Generator, size: int) -> Batch:
        del rng, size
        _, _, test, labels = split()
        return self._sequences(test, labels)

    def _sequences(self, images: np.ndarray, labels: np.ndarray) -> Batch:
        x = np.zeros((self.length, len(labels), 1), dtype=np.float32)
        x[:PIXELS, :, 0] = images.T
        return Batch(x, labels)


register("digits", Digits)
