"""What a sweep trains at the moment, in `status.json`: for a look while it runs, never for a result.

The process that holds the lock of the sweep's folder writes it, at most once a second. A killed one leaves it as it
was, so a reader believes that a sweep runs only while the lock is held.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sweeps.records.files import jsonable, write_atomically
from sweeps.records.lock import is_held
from sweeps.records.paths import SweepPaths, is_cell
from sweeps.records.safe_reading import read_json

FORMAT = 1
STATES = ("running", "ended", "stopped", "failed")
"""What the file may say: ended by itself, stopped by a signal, failed as a whole with an error."""
NUMBERS = ("train_loss", "eval_loss", "eval_score", "grad_norm")


@dataclass(frozen=True)
class Now:
    """How it stands with the sweep in a folder.

    Attributes:
        state: one of STATES; `died` if its process is gone without a word; None if there is no status file and nothing
            runs.
        status: the content of the file, if it can be relied on to be what its process said last.
    """

    state: str | None
    status: dict[str, Any] | None


def write_status(path: Path, status: dict[str, Any]) -> None:
    """Write the file in one step. It does not wait for the disk: nobody needs it after a power failure.

    Raises:
        OSError: the folder cannot be written, or the disk is full.
    """
    text = json.dumps(jsonable({"format": FORMAT, **status}), allow_nan=False)
    write_atomically(path, text + "\n", lasting=False)


def read_status(path: Path) -> dict[str, Any] | None:
    """The content of a status file; None if it is missing, or not what `write_status` writes."""
    status = read_json(path)
    if status is None or status.get("format") != FORMAT or status.get("state") not in STATES:
        return None
    packs = status.get("packs")
    return status if isinstance(packs, list) and all(map(_is_pack, packs)) and _is_time(status) else None


def look(sweep: SweepPaths) -> Now:
    """How it stands with the sweep. The file is read again after the lock was free: the sweep may have ended between.

    A sweep without a file that holds the lock runs too: one from Python, or of another launcher.
    """
    status = read_status(sweep.status)
    if is_held(sweep.lock):
        return Now(status["state"] if status else "running", status)
    again = read_status(sweep.status)
    if again is None:
        return Now(None, None)
    if again["state"] != "running":
        return Now(again["state"], again)
    if status is None or status["started"] != again["started"]:  # it has begun this moment
        return Now("running", again)
    return Now("died", again)


def _is_time(status: dict[str, Any]) -> bool:
    left = status.get("seconds_left")
    return all(_is_number(status.get(name)) for name in ("started", "written")) and (left is None or _is_number(left))


def _is_pack(pack: Any) -> bool:
    if not isinstance(pack, dict) or not all(_is_number(pack.get(name)) for name in ("done", "step", "steps")):
        return False
    lanes, curve = pack.get("lanes"), pack.get("curve_steps")
    return isinstance(lanes, list) and isinstance(curve, list) and all(_is_lane(lane, len(curve)) for lane in lanes)


def _is_lane(lane: Any, points: int) -> bool:
    if not isinstance(lane, dict) or not isinstance(lane.get("name"), str) or not is_cell(str(lane.get("cell"))):
        return False
    curve = lane.get("curve")
    return isinstance(curve, list) and len(curve) == points and all(name in lane for name in NUMBERS)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
