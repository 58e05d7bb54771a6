"""Atomic writing of record files: a reader never sees half of one, and floats read back to the same bits."""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any


def write_atomically(path: Path, content: str | bytes, lasting: bool = True) -> None:
    """Write text, as UTF-8, or bytes to a temporary file beside `path` and move it into place in one step.

    Args:
        lasting: wait until the disk has it, so that it is whole after a power failure too.

    Raises:
        OSError: the disk is full or the folder cannot be written; `path` is then as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            if lasting:
                os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException as error:
        Path(name).unlink(missing_ok=True)
        if isinstance(error, OSError):  # the error of a full disk has no file name
            error.filename = str(path)
        raise


def field(value: Any) -> str:
    """The text of one CSV field. Floats keep every bit; None, a value that was not measured, is empty."""
    if value is None:
        return ""
    if isinstance(value, float):
        return repr(value)  # shortest text that reads back to the same bits; nan, inf, -inf as such
    return str(value)


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a header and rows, atomically. No field of a record needs quoting."""
    lines = [",".join(columns)]
    lines.extend(",".join(map(field, row)) for row in rows)
    write_atomically(path, "\n".join(lines) + "\n")


def jsonable(value: Any) -> Any:
    """The value with every float that JSON lacks as text: `nan`, `inf` and `-inf`, as in the CSV files."""
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    if isinstance(value, dict):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(item) for item in value]
    return value


def write_json(path: Path, value: Any) -> None:
    """Write JSON, indented and in the given order, atomically."""
    write_atomically(path, json.dumps(jsonable(value), indent=2, allow_nan=False) + "\n")
