"""MNIST is what its files hold, in every layout, read pixel by pixel or row by row; odd files are refused in words."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers import make_cell
from sweeps import tasks
from sweeps.check import task_problems
from sweeps.tasks.mnist import Mnist, coarse, split
from sweeps.tasks.mnist_files import packaged

SETTINGS: dict[str, Any] = {
    "length": 784, "solved_at": 0.9, "permuted": False, "read": "pixel", "size": 28, "blank": False, "validation": 0.1,
    "path": "",
}  # fmt: skip
RNG = np.random.default_rng(0)


def mnist(**settings: Any) -> Mnist:
    made = tasks.make("mnist", **(SETTINGS | settings))
    assert isinstance(made, Mnist)
    return made


def full(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Noise in the format of the full set."""
    return np.random.default_rng(seed).integers(0, 256, (n, 28, 28), np.uint8), (np.arange(n) % 10).astype(np.uint8)


def idx(values: np.ndarray) -> bytes:
    """The IDX file format as its page says: two zeros, type 8, the number of axes, sizes as big-endian int32."""
    return bytes([0, 0, 8, values.ndim]) + b"".join(n.to_bytes(4, "big") for n in values.shape) + values.tobytes()


def write_idx(folder: Path, zipped: bool = False, mark: str = "-") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for part, (images, labels) in {"train": full(60, 1), "t10k": full(20, 2)}.items():
        for what, values in (("images", images), ("labels", labels)):
            file = folder / f"{part}-{what}{mark}idx{values.ndim}-ubyte{'.gz' if zipped else ''}"
            file.write_bytes(gzip.compress(idx(values)) if zipped else idx(values))


def write_npz(folder: Path) -> None:
    (x, y), (a, b) = full(60, 1), full(20, 2)
    np.savez(folder / "mnist.npz", x_train=x, y_train=y, x_test=a, y_test=b)


LAYOUTS: dict[str, tuple[Callable[[Path], None], str]] = {
    "flat": (lambda root: write_idx(root), ""),
    "flat, with dots": (lambda root: write_idx(root, mark="."), ""),
    "gzipped": (lambda root: write_idx(root, zipped=True), ""),
    "torchvision's": (lambda root: write_idx(root / "MNIST" / "raw"), ""),
    "inside of torchvision's": (lambda root: write_idx(root / "MNIST" / "raw"), "MNIST"),
    "a folder with Keras' file": (write_npz, ""),
    "Keras' file": (write_npz, "mnist.npz"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_of_the_full_set_is_read(tmp_path: Path, layout: str) -> None:
    write, below = LAYOUTS[layout]
    write(tmp_path)
    task = mnist(path=str(tmp_path / below))
    train, chosen, test = task.parts
    images, labels = full(60, 1)
    whole = {(coarse(image[None], 28)[0].tobytes(), label) for image, label in zip(images, labels, strict=True)}
    mine = [{(x.tobytes(), y) for x, y in zip(*part, strict=True)} for part in (train, chosen)]
    assert mine[0] | mine[1] == whole and not mine[0] & mine[1], "the user's training part is train and validation"
    own = task.test(RNG)
    assert np.array_equal(own.inputs[:, :, 0].T, (full(20, 2)[0].reshape(20, 784) / 255).astype(np.float32))
    assert np.array_equal(own.targets, full(20, 2)[1]) and len(test[1]) == 20, "the user's test part is the test part"


def test_the_packaged_images_are_5000_real_ones_in_three_parts() -> None:
    images, labels = packaged()
    assert images.shape == (5000, 28, 28) and np.bincount(labels).tolist() == [500] * 10
    pixels = images / 255
    # of the 60,000 training images mean and sd are 0.1307 and 0.3081, as every torchvision example says
    assert pixels.mean() == pytest.approx(0.1307, abs=0.002) and pixels.std() == pytest.approx(0.3081, abs=0.002)
    parts = split("", 28, 0.1)
    assert [np.bincount(y).tolist() for _, y in parts] == [[360] * 10, [40] * 10, [100] * 10]
    three = [{row.tobytes() for row in x} for x, _ in parts]
    assert sum(map(len, three)) == len(set().union(*three)) == 5000, "no image is in two parts"
    (train, labels_of), _, (test, truth) = split("", 14, 0.1)
    distances = (test**2).sum(1)[:, None] + (train**2).sum(1) - 2 * test @ train.T
    right = (labels_of[distances.argmin(1)] == truth).mean()
    assert right > 0.9, "labels belong to their images: the nearest neighbour names 0.93"


@pytest.mark.parametrize("permuted", [False, True])
@pytest.mark.parametrize(("read", "size", "length"), [("pixel", 28, 784), ("pixel", 7, 60), ("row", 14, 14)])
def test_the_image_comes_back_from_the_sequence(permuted: bool, read: str, size: int, length: int) -> None:
    task = mnist(permuted=permuted, read=read, size=size, length=length, blank=length == 60)
    for given, (images, labels) in ((task.evaluation(RNG, 3), task.parts[1]), (task.test(RNG), task.parts[2])):
        assert given.inputs.shape == (length, len(labels), task.inputs) and np.array_equal(given.targets, labels)
        pixels = given.inputs.swapaxes(0, 1).reshape(len(labels), -1)
        assert not pixels[:, size * size :].any(), "blank steps"
        image = np.empty((len(labels), size * size), np.float32)
        image[:, task.order] = pixels[:, : size * size]
        assert np.array_equal(image, images)
    assert (task.order.tolist() == list(range(size * size))) != permuted
    assert sorted(task.order) == list(range(size * size))


def test_the_permutation_is_one_for_all_parts_and_tasks() -> None:
    a, b = mnist(permuted=True), mnist(permuted=True, validation=0.3)
    assert np.array_equal(a.order, b.order)


def test_a_coarse_image_has_the_means_of_squares() -> None:
    [image], _ = full(1, 0)
    by_hand = [[image[4 * i : 4 * i + 4, 4 * j : 4 * j + 4].mean() / 255 for j in range(7)] for i in range(7)]
    assert coarse(image[None], 7)[0] == pytest.approx(np.array(by_hand).ravel(), rel=1e-6)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            ["task.length=100"],
            "task.length: given 100, must be 784 (an image of 28 x 28 has 784 steps of one pixel; with",
        ),
        (["task.size=14"], "task.length: given 784, must be 196"),
        (["task.blank=true", "task.length=700"], "task.length: given 700, must be at least 784 (an image"),
        (["task.size=9"], "task.size: given 9, must be one of 28, 14, 7, 4, 2"),
        (["task.read=rows"], "task.read: 'rows' is not known; did you mean 'row'"),
        (["task.validation=0"], "task.validation: given 0, must be from 0.01 to 0.9"),
        (
            ["task.path=/no/such/folder"],
            "task.path: given '/no/such/folder', which does not exist; must be a folder or",
        ),
    ],
)
def test_what_cannot_be_is_said_before_training(given: list[str], said: str) -> None:
    [problem] = task_problems([make_cell("task=mnist", "task.length=784", *given)])
    assert problem.startswith("task=mnist: ") and said in problem


def cut_short(root: Path) -> None:
    file = root / "train-images-idx3-ubyte"
    file.write_bytes(file.read_bytes()[:-5])


def of_a_digit_less(root: Path) -> None:
    (root / "train-labels-idx1-ubyte").write_bytes(idx(np.arange(60).astype(np.uint8) % 9))


ODD: dict[str, tuple[Callable[[Path], Any], str]] = {
    "cut short": (cut_short, "train-images-idx3-ubyte says 60 x 28 x 28 bytes and holds 47035: it is not whole"),
    "empty": (lambda root: (root / "train-images-idx3-ubyte").write_bytes(b""), "begins with nothing, must with 00 00"),
    "text": (lambda root: (root / "t10k-labels-idx1-ubyte").write_text("<html>"), "begins with 3c 68 74 6d, must with"),
    "missing": (lambda root: (root / "t10k-labels-idx1-ubyte").unlink(), "has no t10k-labels-idx1-ubyte (or with .gz)"),
    "no gzip": (
        lambda root: (root / "t10k-labels-idx1-ubyte").rename(root / "t10k-labels-idx1-ubyte.gz"),
        "t10k-labels-idx1-ubyte.gz cannot be read: Not a gzipped file",
    ),
    "other size": (
        lambda root: (root / "train-images-idx3-ubyte").write_bytes(idx(np.zeros((60, 27, 28), np.uint8))),
        "images are uint8 [60, 27, 28], must be uint8 [n, 28, 28]",
    ),
    "sizes beyond 64 bits": (
        lambda root: (root / "train-images-idx3-ubyte").write_bytes(
            bytes([0, 0, 8, 3]) + np.array([2**31, 2**31, 4], ">u4").tobytes()
        ),
        "says 2147483648 x 2147483648 x 4 bytes and holds 0: it is not whole",
    ),
    "fewer labels": (
        lambda root: (root / "train-labels-idx1-ubyte").write_bytes(idx(np.zeros(59, np.uint8))),
        "60 images and labels [59], must be one for each",
    ),
    "no nine": (of_a_digit_less, "labels are [0, 1, 2, 3, 4, 5, 6, 7, 8], must be all of 0 to 9"),
}


@pytest.mark.parametrize("odd", ODD)
def test_odd_files_are_named(tmp_path: Path, odd: str) -> None:
    write_idx(tmp_path)
    spoil, said = ODD[odd]
    spoil(tmp_path)
    with pytest.raises(ValueError) as raised:
        mnist(path=str(tmp_path))
    assert said in str(raised.value)


def test_so_few_images_that_a_part_has_none_are_refused(tmp_path: Path) -> None:
    write_idx(tmp_path)
    with pytest.raises(ValueError, match=r"task\.validation: given 0\.05 of 60 images, which leaves none to choose"):
        mnist(path=str(tmp_path), validation=0.05)


def test_an_odd_folder_is_said_with_what_it_must_hold(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="which holds nothing; must hold train-images-idx3-ubyte"):
        mnist(path=str(tmp_path))
    (tmp_path / "cat.png").write_bytes(b"x")
    with pytest.raises(ValueError, match=r"which holds cat\.png; must hold"):
        mnist(path=str(tmp_path))
    with pytest.raises(ValueError, match=r"which is a file; must be a folder or a file mnist\.npz"):
        mnist(path=str(tmp_path / "cat.png"))
    (tmp_path / "mnist.npz").write_bytes(b"x")
    with pytest.raises(ValueError, match=r"is not Keras' mnist.npz, which has x_train, y_train, x_test, y_test"):
        mnist(path=str(tmp_path / "mnist.npz"))
