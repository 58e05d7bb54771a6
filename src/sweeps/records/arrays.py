"""Files of named arrays, `.npz` of NumPy: the final weights of a cell, its checkpoint. They hold no pickles."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from sweeps.errors import SweepsError
from sweeps.records.files import write_atomically
from sweeps.records.safe_reading import LARGE, read_bytes, why


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays, atomically; equal ones give equal bytes.

    Raises:
        OSError: the disk is full or the folder cannot be written; `path` is then as it was.
    """
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, **dict(arrays))
    write_atomically(path, content.getvalue())


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """All arrays of a file.

    Raises:
        FileNotFoundError: there is none.
        SweepsError: it cannot be read, or not all of it; the message is a clause that names the file.
    """
    try:
        content = io.BytesIO(read_bytes(path))
        with zipfile.ZipFile(content) as members:
            if sum(each.file_size for each in members.infolist()) > LARGE:
                raise ValueError(f"it holds more than {LARGE} bytes")
        with np.load(content, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except FileNotFoundError:
        raise
    except Exception as error:  # a damaged file makes NumPy and zipfile raise almost any
        raise SweepsError(f"{path.name} cannot be read: {why(error) or type(error).__name__}") from error


def read_array(path: Path, name: str) -> np.ndarray | None:
    """One array of a file, without reading the others; None where it cannot be had."""
    if not os.path.isfile(path):  # a pipe would block
        return None
    try:
        with np.load(path, allow_pickle=False) as file:
            array = file[name]
    except Exception:  # as in `read_arrays`
        return None
    return array
