"""A second process that writes runs, since one process mirrors a long sweep at the speed of one core only.

It receives one cell at a time and ends when its input closes, so it outlives the mirror by one cell at most. It holds
the mirror's lock until then.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from sweeps.mirror.client import Client
from sweeps.mirror.run_content import run_content
from sweeps.records.paths import SweepPaths


class HelperError(Exception):
    """The helper failed at a cell, or has ended; the message says why."""


class Helper:
    """A context in which the helping process runs; when it closes, every file is complete.

    Attributes:
        alive: False once the process was seen to have ended.
    """

    def __init__(self, sweep: SweepPaths, client: Client, lock: int) -> None:
        """`lock` is the file descriptor of the mirror's lock, which the process inherits."""
        self.alive = True
        settings = {"sweep": str(sweep.root), "project": client.project, "entity": client.entity}
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, json.dumps(settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            pass_fds=(lock,),
        )

    def write(self, cell: str) -> Path:
        """Write the run of one cell; returns its file, which may be incomplete until the helper closes.

        Raises:
            HelperError: the run could not be written, or the process has ended.
        """
        assert self._process.stdin and self._process.stdout
        try:
            print(cell, file=self._process.stdin, flush=True)
            reply = json.loads(self._process.stdout.readline())
        except (OSError, ValueError) as error:
            self.alive = False
            raise HelperError("the helping process ended") from error
        if "error" in reply:
            raise HelperError(reply["error"])
        return Path(reply["path"])

    def __enter__(self) -> Helper:
        return self

    def __exit__(self, kind: type | None, value: BaseException | None, trace: TracebackType | None) -> None:
        with suppress(OSError):  # it has ended
            self._process.communicate()
        self._process.wait()


def main(settings: dict[str, Any]) -> None:
    """Write the cell named by each line of standard input, and answer it with a line of JSON, until the input closes.

    Args:
        settings: `sweep`, `project` and `entity`.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # sent to the mirror too, which then closes the input
        signal.signal(number, signal.SIG_IGN)
    sweep = SweepPaths(Path(settings["sweep"]))
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the client prints must not mix with the replies
    client = Client(sweep.mirror, project=settings["project"], entity=settings["entity"], mode="offline")
    for line in sys.stdin:
        try:
            reply = {"path": str(client.write(run_content(sweep.cell(line.strip()))))}
        except Exception as error:  # the client raises many kinds; the mirror tries again itself
            reply = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), file=replies, flush=True)
    client.flush()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
