"""CSV bytes to columns. Files of one header are joined and parsed as one, which is what makes loading fast;
every float reads back to the bits it was written from."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import csv

from sweeps.records.rows import wrong_header

INTEGERS = ("step", "t", "lag", "layer", "direction")
"""Columns read as int32."""
NAMES = ("parameter",)
"""Columns read as categories; all others are float64."""

Columns = dict[str, np.ndarray | pd.Categorical]


class Unreadable(ValueError):
    """A file that is missing, incomplete or malformed; the message is a clause that says why."""


def split(name: str, content: bytes | None, columns: Sequence[str]) -> tuple[bytes, bytes]:
    """Header and rows of one file.

    Args:
        name: of the file, for messages.
        content: None for a file that is not there.
        columns: names that the header must have; further ones are kept.

    Raises:
        Unreadable: it is missing, lacks a column or ends in the middle of a row.
    """
    if content is None:
        raise Unreadable(f"{name} is missing")
    header, _, rows = content.partition(b"\n")
    header = header.rstrip(b"\r")
    try:
        names = header.decode().split(",")
    except UnicodeDecodeError:
        raise Unreadable(f"{name} is not text") from None
    if (what := wrong_header(names, columns)) is not None:
        raise Unreadable(f"{name} {what}")
    if rows and not rows.endswith(b"\n"):
        raise Unreadable(f"{name} ends in the middle of a row")
    return header, rows


def parse(files: Mapping[str, tuple[bytes, bytes]]) -> tuple[list[tuple[list[str], list[int], Columns]], set[str]]:
    """The rows of many files as columns, a block for each distinct header.

    Args:
        files: header and rows of each cell's file.

    Returns:
        Blocks of (cells, number of rows of each, columns of all their rows in that order), and the cells whose
        file holds a row that cannot be read.
    """
    by_header: dict[bytes, list[str]] = defaultdict(list)
    for cell, (header, _) in files.items():
        by_header[header].append(cell)
    blocks, bad = [], set()
    for header, cells in by_header.items():
        try:
            blocks.append((cells, *_parse(header, [files[cell][1] for cell in cells])))
        except (pa.ArrowException, Unreadable):
            good = []
            for cell in cells:  # one of them is malformed: find it
                try:
                    _parse(header, [files[cell][1]])
                    good.append(cell)
                except (pa.ArrowException, Unreadable):
                    bad.add(cell)
            if good:
                blocks.append((good, *_parse(header, [files[cell][1] for cell in good])))
    return blocks, bad


def _parse(header: bytes, rows: Sequence[bytes]) -> tuple[list[int], Columns]:
    names = header.decode().split(",")
    counts = [each.count(b"\n") for each in rows]
    types = {name: _arrow_type(name) for name in names}
    if not sum(counts):
        return counts, {name: _numpy(pa.chunked_array([], kind), name) for name, kind in types.items()}
    table = csv.read_csv(
        io.BytesIO(b"".join(rows)),
        csv.ReadOptions(column_names=names, block_size=1 << 22),
        csv.ParseOptions(quote_char=False, ignore_empty_lines=False),
        csv.ConvertOptions(column_types=types, null_values=[""], strings_can_be_null=False),
    )
    if table.num_rows != sum(counts):
        raise Unreadable("a row is broken")
    return counts, {name: _numpy(table[name], name) for name in names}


def _numpy(column: Any, name: str) -> np.ndarray | pd.Categorical:
    if name in INTEGERS and column.null_count:
        raise Unreadable(f"a {name} is empty")
    if name in NAMES:
        encoded = column.unify_dictionaries().combine_chunks()
        if isinstance(encoded, pa.ChunkedArray):  # no rows at all
            return pd.Categorical([])
        levels = encoded.dictionary.to_pylist()
        order: Any = sorted(levels)
        new_codes = np.array([order.index(each) for each in levels], dtype=np.int32)
        return pd.Categorical.from_codes(new_codes[encoded.indices.to_numpy()], order)
    return np.asarray(column.to_numpy())


def _arrow_type(name: str) -> Any:
    if name in INTEGERS:
        return pa.int32()
    return pa.dictionary(pa.int32(), pa.string()) if name in NAMES else pa.float64()
