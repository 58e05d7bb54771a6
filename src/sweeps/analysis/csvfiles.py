"""Many small CSV files as one frame: joined as bytes and parsed once, which is what makes loading fast."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

INTEGERS = ("step", "t", "lag")
NAMES = ("parameter",)


def read_many(
    files: Mapping[str, Path], columns: Sequence[str], cells: Sequence[str]
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Read the files of many cells into one frame with a categorical column `cell` in front.

    Args:
        files: path of each cell's file.
        columns: columns that must be there; further ones are kept.
        cells: categories of the column `cell`, in order.

    Returns:
        The rows of every readable file, and for every other cell one clause saying what is wrong with its
        file.
    """
    problems: dict[str, str] = {}
    by_header: dict[bytes, dict[str, bytes]] = defaultdict(dict)
    for cell, path in files.items():
        try:
            header, _, body = path.read_bytes().partition(b"\n")
        except OSError:
            problems[cell] = f"{path.name} is missing"
            continue
        lacking = [name for name in columns if name not in header.decode(errors="replace").split(",")]
        if lacking:
            problems[cell] = f"{path.name} lacks the column {', '.join(lacking)}"
        else:
            by_header[header][cell] = body if body.endswith(b"\n") or not body else body + b"\n"
    frames = []
    for header, bodies in by_header.items():
        try:
            frames.append(_parse(header, bodies, cells))
        except (ValueError, pd.errors.ParserError):
            for cell, body in bodies.items():  # one of them is not whole: find it
                try:
                    frames.append(_parse(header, {cell: body}, cells))
                except (ValueError, pd.errors.ParserError):
                    problems[cell] = f"{files[cell].name} holds a row that cannot be read"
    if not frames:
        empty = pd.DataFrame({name: pd.Series(dtype=_dtype(name)) for name in columns})
        return _named(empty, [], cells), problems
    return pd.concat(frames, ignore_index=True), problems


def _parse(header: bytes, bodies: Mapping[str, bytes], cells: Sequence[str]) -> pd.DataFrame:
    names = header.decode().strip().split(",")
    frame = pd.read_csv(
        io.BytesIO(b"".join(bodies.values())),
        header=None,
        names=names,
        dtype={name: _dtype(name) for name in names},
        skip_blank_lines=False,
        index_col=False,
    )
    place = {cell: code for code, cell in enumerate(cells)}
    codes = np.repeat([place[cell] for cell in bodies], [body.count(b"\n") for body in bodies.values()])
    return _named(frame, codes, cells)


def _named(frame: pd.DataFrame, codes: Any, cells: Sequence[str]) -> pd.DataFrame:
    """The frame with the column `cell`, given as codes into `cells`, in front."""
    names: Any = list(cells)
    column: Any = pd.Categorical.from_codes(codes, categories=names)
    frame.insert(0, "cell", column)
    return frame


def _dtype(name: str) -> str:
    return "int64" if name in INTEGERS else "object" if name in NAMES else "float64"
