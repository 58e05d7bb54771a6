"""`checkpoint.npz`: what a cell that has not ended needs to go on from there.

A head (JSON) says whose it is and what it was made with; whether that fits is decided when it is read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from sweeps.errors import SweepsError
from sweeps.records.arrays import read_array, read_arrays, write_arrays
from sweeps.records.safe_reading import json_object

FORMAT = 1
HEAD, STATE, ROWS = "head", "state/", "rows/"


@dataclass(frozen=True)
class Head:
    """What a checkpoint is of.

    Attributes:
        cell: id of the cell, and so its settings and the numerics version.
        step: updates made.
        seconds: of one core so far, the cell's share of its packs.
        made_with: everything that decides bytes beside the settings, by name: libraries, kernel, processor, device.
        format: of the file.
    """

    cell: str
    step: int
    seconds: float
    made_with: Mapping[str, str]
    format: int = FORMAT


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint: its head, the state of the cell's lane, the rows measured so far."""

    head: Head
    state: Mapping[str, np.ndarray]
    rows: Mapping[str, np.ndarray]


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint in place of the one before, atomically.

    Raises:
        OSError: it cannot be written; the one before is still there.
    """
    head = np.frombuffer(json.dumps(asdict(checkpoint.head)).encode(), dtype=np.uint8)
    state = {f"{STATE}{name}": array for name, array in checkpoint.state.items()}
    rows = {f"{ROWS}{name}": array for name, array in checkpoint.rows.items()}
    write_arrays(path, {HEAD: head, **state, **rows})


def read_checkpoint(path: Path, cell: str, made_with: Mapping[str, str]) -> Checkpoint | None:
    """The checkpoint of a cell; None where there is none.

    Args:
        made_with: what would train the cell now.

    Raises:
        SweepsError: it is damaged, another cell's or made with something else; the message is a clause.
    """
    try:
        arrays = read_arrays(path)
    except FileNotFoundError:
        return None
    head = _head(arrays.get(HEAD))
    if head is None:
        raise SweepsError(f"{path.name} is not one that this version can read")
    if head.cell != cell:
        raise SweepsError(f"{path.name} is of cell {head.cell}")
    names = dict.fromkeys((*head.made_with, *made_with))
    differ = [each for each in names if head.made_with.get(each) != made_with.get(each)]
    if differ:
        parts = (f"{each} {head.made_with.get(each, 'none')}, here {made_with.get(each, 'none')}" for each in differ)
        raise SweepsError(f"{path.name} was made with {'; '.join(parts)}")
    return Checkpoint(head, _of(arrays, STATE), _of(arrays, ROWS))


def begun(path: Path, cell: str) -> int:
    """The updates that a cell has made by its checkpoint; 0 without one. Whether it fits is not looked at."""
    head = _head(read_array(path, HEAD))
    return head.step if head is not None and head.cell == cell else 0


def _head(array: np.ndarray | None) -> Head | None:
    """The head in its array; None if it is not one of this format."""
    content = None if array is None else json_object(array.tobytes())
    if content is None or content.get("format") != FORMAT:
        return None
    try:
        head = Head(**content)
    except TypeError:
        return None
    sound = (
        type(head.step) is int and head.step >= 0 and type(head.seconds) is float and isinstance(head.made_with, dict)
    )
    return head if sound else None


def _of(arrays: Mapping[str, np.ndarray], part: str) -> dict[str, np.ndarray]:
    return {name.removeprefix(part): array for name, array in arrays.items() if name.startswith(part)}
