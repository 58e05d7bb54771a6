"""The executor of a notebook: packs are trained in this process, one after another."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path

from sweeps.execute.executor import Ended, Message
from sweeps.plan.packs import Pack


class InOrder:
    """Trains in the calling process. An exception ends its pack; the others are trained all the same."""

    workers = 1

    def run(self, packs: Sequence[Pack], root: Path) -> Iterator[Message | Ended]:
        from sweeps.engine.device import settings_kept  # imports torch
        from sweeps.execute.worker import train_pack

        for pack in packs:
            error = None
            try:
                with settings_kept():
                    train_pack(pack, root, lambda kind, content: None)
            except Exception:
                error = traceback.format_exc()
            yield Ended(pack, error=error)
