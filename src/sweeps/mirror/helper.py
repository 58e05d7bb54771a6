"""A second process that writes runs: one process mirrors a long sweep at the speed of one core.

It is given one cell at a time and ends with its input, so it never outlives the mirror by more than a cell; the
mirror's lock stays held until then.
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
from sweeps.mirror.run import run_content
from sweeps.records.paths import SweepPaths


class HelperError(Exception):
    """The helper failed at a cell, or has ended; the message says why."""


class Helper:
    """A context: the process runs while it is open, and every file is written when it closes.

    Attributes:
        alive: false once the process turned out to have ended.
    """

    def __init__(self, sweep: SweepPaths, client: Client, lock: int) -> None:
        """`lock` is the file descriptor that the helper keeps open."""
        self.alive = True
        told = {"sweep": str(sweep.root), "project": client.project, "entity": client.entity}
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, json.dumps(told)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            pass_fds=(lock,),
        )

    def write(self, cell: str) -> Path:
        """Write the run of one cell; returns its file, which is only sure to be complete when the helper closes.

        Raises:
            HelperError: that did not work.
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


def main(told: dict[str, Any]) -> None:
    """Answer each line of standard input, a cell, with a line of JSON. What stops the mirror closes that input."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # a terminal or a batch system sends them to both
        signal.signal(number, signal.SIG_IGN)
    sweep = SweepPaths(Path(told["sweep"]))
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever the client prints is no reply
    client = Client(sweep.mirror, project=told["project"], entity=told["entity"], asked="offline")
    for line in sys.stdin:
        try:
            reply = {"path": str(client.write(run_content(sweep.cell(line.strip()))))}
        except Exception as error:  # the client has many; the mirror tries again itself
            reply = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), file=replies, flush=True)
    client.flush()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
