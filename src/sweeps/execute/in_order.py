"""The executor of a notebook: packs are trained in this process, one after another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from sweeps.execute.executor import Ended, Message
from sweeps.plan.packs import Pack


class InOrder:
    """Trains in the calling process. An exception is raised to the caller and ends the sweep."""

    workers = 1

    def run(self, packs: Sequence[Pack], root: Path) -> Iterator[Message | Ended]:
        from sweeps.engine.device import settings_kept  # imports torch
        from sweeps.execute.worker import train_pack

        for pack in packs:
            with settings_kept():
                train_pack(pack, root, lambda kind, content: None)
            yield Ended(pack)
