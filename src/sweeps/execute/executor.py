"""The executor interface: start packs and report how each ended.

Whether cells are done, and what is retried or resumed, is decided by the harness from the records.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from sweeps.plan.packs import Pack


class Message(NamedTuple):
    """A report of a running pack, for the progress display; no result depends on it."""

    pack: Pack
    kind: str  # as in worker.Notify
    content: dict


class Ended(NamedTuple):
    """A pack no longer runs. Whether its cells are done is for their records to show."""

    pack: Pack
    lost: str | None = None  # how its worker died, for example of a signal
    error: str | None = None  # the traceback of the exception that training raised


class Executor(Protocol):
    """Interface of an executor. It never retries a pack; closing the iterator of `run` ends the packs still running."""

    workers: int

    def run(self, packs: Sequence[Pack], root: Path) -> Iterator[Message | Ended]:
        """Run `worker.train_pack` for every pack, in order as workers are free; yield exactly one Ended for each."""
