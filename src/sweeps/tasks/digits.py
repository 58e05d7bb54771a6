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

Part = tuple[np.ndarray, np.ndarray]
"""Images `[n, 64]` in [0, 1] and their labels."""


@cache
def split(validation: float) -> tuple[Part, Part | None, Part]:
    """The training, validation and test digits: with 0.2 there are 1149, 288 and 360 of them.

    The split is stratified by digit and the same for every seed: seeds differ in their batches, not in the test set,
    which is the same for every `validation`.

    Args:
        validation: the share of the 1,437 images that are not for the test; 0 for no such part.
    """
    from sklearn.datasets import load_digits  # slow to import, and only this task needs it
    from sklearn.model_selection import train_test_split

    images, labels = load_digits(return_X_y=True)
    pixels = (images / 16).astype(np.float32)
    parts = train_test_split(pixels, labels.astype(np.int64), test_size=TEST_SHARE, stratify=labels, random_state=0)
    rest, test, rest_labels, test_labels = parts
    if validation == 0:
        return (rest, rest_labels), None, (test, test_labels)
    parts = train_test_split(rest, rest_labels, test_size=validation, stratify=rest_labels, random_state=1)
    train, chosen, train_labels, chosen_labels = parts
    return (train, train_labels), (chosen, chosen_labels), (test, test_labels)


class Digits:
    """One input, the pixel, x [T, B, 1]; ten classes, targets [B].

    The validation part chooses, complete, whatever `train.eval_size`; the test part reports. Without a validation
    part (`validation` 0, as in records that lack the setting) the test part does both, and its scores are
    optimistic.
    """

    inputs = 1
    outputs = 10
    loss = "cross_entropy"
    score = "accuracy"
    chance_loss = math.log(10)

    def __init__(self, length: int, solved_at: float, validation: float = 0.0) -> None:
        self.length = at_least(length, PIXELS, "an image has 64 pixels; longer sequences end in blank steps")
        self.solved_at = solved_at
        if not (validation == 0 or 0.01 <= validation <= 0.9):
            raise ValueError(f"task.validation: given {validation:g}, must be from 0.01 to 0.9, or 0 for no such part")
        self.validation = validation

    def sample(self, rng: np.random.Generator, batch: int) -> Batch:
        (train, labels), _, _ = split(self.validation)
        index = rng.integers(0, len(labels), batch)
        return self._sequences(train[index], labels[index])

    def evaluation(self, rng: np.random.Generator, size: int) -> Batch:
        del rng, size
        _, chosen, test = split(self.validation)
        return self._sequences(*(chosen or test))

    def test(self, rng: np.random.Generator) -> Batch | None:
        del rng
        _, chosen, test = split(self.validation)
        return self._sequences(*test) if chosen else None

    def _sequences(self, images: np.ndarray, labels: np.ndarray) -> Batch:
        x = np.zeros((self.length, len(labels), 1), dtype=np.float32)
        x[:PIXELS, :, 0] = images.T
        return Batch(x, labels)


register("digits", Digits)
