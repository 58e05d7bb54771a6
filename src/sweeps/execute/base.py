"""The door for executors: place a pack, say how it ended. Truth, identity, retries and resume are the harness's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from sweeps.plan.packs import Pack


class Message(NamedTuple):
    """Something a running pack says; for people to look at, nothing depends on it."""

    pack: Pack
    kind: str  # as in worker.Notify
    content: dict


class Ended(NamedTuple):
    """A pack's job is over. That is no claim that its cells are done: their records tell."""

    pack: Pack
    lost: str | None = None  # how it died: a signal, a node
    error: str | None = None  # the traceback of an exception


class Executor(Protocol):
    """Interface. It never retries; closing the iterator ends what still runs."""

    workers: int

    def run(self, packs: Sequence[Pack], root: Path) -> Iterator[Message | Ended]:
        """Run `worker.train_pack` for every pack, in order as room allows; yield exactly one Ended for each."""
