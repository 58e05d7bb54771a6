"""Frames as columns on disk: appended batch by batch, then mapped into memory, so that a sweep larger than
memory can be loaded and loaded again at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

Column = dict[str, Any]
"""The description of a column: its dtype, and for text its categories."""


class Writer:
    """Appends batches of rows to the columns of one frame; a column is a file of plain numbers.

    Text is kept as codes into its categories. A column that a batch lacks is NaN there.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.rows = folder, 0
        self.columns: dict[str, Column] = {}

    def append(self, batch: Mapping[str, np.ndarray | pd.Categorical]) -> None:
        """Add rows: columns of one length.

        Raises:
            OSError: the disk is full.
        """
        count = max((len(values) for values in batch.values()), default=0)
        for name, values in batch.items():
            if name not in self.columns:
                self.columns[name] = {"dtype": _dtype(values).str}
                self._write(name, _missing(self.rows, _dtype(values)))
            self._write(name, self._codes(name, values) if isinstance(values, pd.Categorical) else values)
        for name, column in self.columns.items():
            if name not in batch:
                self._write(name, _missing(count, np.dtype(column["dtype"])))
        self.rows += count

    def _codes(self, name: str, values: pd.Categorical) -> np.ndarray:
        """The codes of text under the categories of the column, to which new ones are added."""
        known = self.columns[name].setdefault("categories", [])
        known.extend(each for each in values.categories if each not in known)
        new_codes = np.array([known.index(each) for each in values.categories], dtype=np.int32)
        return new_codes[values.codes] if len(new_codes) else _missing(len(values), np.dtype(np.int32))

    def _write(self, name: str, values: np.ndarray) -> None:
        with (self.folder / _file(name, list(self.columns))).open("ab") as file:
            values.astype(self.columns[name]["dtype"], copy=False).tofile(file)

    def meta(self) -> dict[str, Any]:
        """What `mapped` needs beside the files; JSON."""
        return {"rows": self.rows, "columns": self.columns}


def mapped(folder: Path, meta: Mapping[str, Any], cells: Sequence[str]) -> pd.DataFrame:
    """The frame of a folder, columns mapped into memory: read when touched, copied when written to.

    Args:
        cells: categories of the column `cell`, which is held as codes.

    Raises:
        OSError, ValueError: a file is missing or does not have the expected length.
    """
    names = list(meta["columns"])
    data: dict[str, Any] = {}
    for name, column in meta["columns"].items():
        dtype, path = np.dtype(column["dtype"]), folder / _file(name, names)
        if path.stat().st_size != meta["rows"] * dtype.itemsize:
            raise ValueError(f"{path} is not complete")
        values = np.memmap(path, dtype, mode="c") if meta["rows"] else np.empty(0, dtype)
        levels: Any = list(cells) if name == "cell" else column.get("categories")
        data[name] = values.view(np.ndarray) if levels is None else pd.Categorical.from_codes(values, levels)
    return pd.DataFrame(data, copy=False)


def code_dtype(count: int) -> np.dtype[Any]:
    """The smallest integer dtype for codes into `count` categories, the one that pandas itself takes: no copy."""
    return np.dtype(next(kind for kind in (np.int8, np.int16, np.int32) if count < np.iinfo(kind).max))


def _dtype(values: np.ndarray | pd.Categorical) -> np.dtype[Any]:
    return np.dtype(np.int32) if isinstance(values, pd.Categorical) else values.dtype


def _missing(rows: int, dtype: np.dtype[Any]) -> np.ndarray:
    """A column of missing values: NaN, or code -1."""
    return np.full(rows, np.nan if dtype.kind == "f" else -1, dtype)


def _file(name: str, names: Sequence[str]) -> str:
    """The file of a column: its number, so that a name from a CSV header is never part of a path."""
    return f"{list(names).index(name)}.bin"
