"""How it stands with a sweep, for the page: what runs, or how it came to an end."""

from __future__ import annotations

import time
from typing import Any

from sweeps.amounts import number_of
from sweeps.dashboard.cells import Counts
from sweeps.records.paths import SweepPaths
from sweeps.records.status_file import look

AGAIN = "The same command goes on from there."


def running_now(sweep: SweepPaths, counts: Counts) -> dict[str, Any]:
    """The part of the page's status that is about the process of the sweep.

    Returns:
        `state`, as in `records.status_file.Now`; `says`, a sentence for it; `packs` that train, as in the status file;
        `seconds_left` until all have ended, None if unknown; `waiting`, cells whose pack has not begun.
    """
    now = look(sweep)
    status, packs = now.status or {}, []
    age = max(0.0, time.time() - status.get("written", 0.0))
    waiting = None
    if now.state == "running" and now.status:
        packs = [pack | {"seconds_left": _left(pack.get("seconds_left"), age)} for pack in status["packs"]]
        begun = sum(lane.get("outcome") is None for pack in packs for lane in pack["lanes"])
        waiting = max(0, counts.missing - counts.failed - begun)
    state = "ended" if now.state == "died" and not counts.missing else now.state
    return {
        "state": state,
        "says": _sentence(state, status, counts) if sweep.root.is_dir() else f"Waiting for records in {sweep.root}.",
        "packs": packs,
        "seconds_left": _left(status.get("seconds_left"), age) if state == "running" else None,
        "waiting": waiting,
    }


def _sentence(state: str | None, status: dict[str, Any], counts: Counts) -> str:
    missing = "No cell is missing."
    if counts.missing:
        are = "is" if counts.missing == 1 else "are"
        missing = f"{counts.missing} of {number_of(counts.planned or 0, 'cell')} {are} missing."
    if state == "running":
        return (
            "" if status else "A sweep runs that does not say what it trains: one from Python or of another launcher."
        )
    if state == "ended":
        return f"The sweep has ended. {missing}" + (" The same command tries them again." if counts.missing else "")
    if state == "stopped":
        return f"The sweep was stopped at {_clock(status)}. {missing} {AGAIN}"
    if state == "failed":
        return f"The sweep ended with an error at {_clock(status)}: {status.get('error')} {missing} {AGAIN}"
    if state == "died":
        last = f"its last word is of {_clock(status)}"
        return f"The process of the sweep is gone, killed or with its machine; {last}. {missing} {AGAIN}"
    if counts.planned is None:
        return ""
    return f"No sweep runs here. {missing} {AGAIN}" if counts.missing else "Every cell is done."


def _left(seconds: Any, age: float) -> float | None:
    return None if seconds is None else max(0.0, round(seconds - age, 1))


def _clock(status: dict[str, Any]) -> str:
    return time.strftime("%H:%M:%S", time.localtime(status["written"]))
