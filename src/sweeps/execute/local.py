"""The executor of this machine: a single-threaded process per pack, as many at once as there are cores."""

from __future__ import annotations

import math
import multiprocessing
import os
import signal
import threading
import time
import traceback
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path

from sweeps.execute.executor import Ended, Message
from sweeps.execute.fork_server import more_files, room_for, server_running, start_process
from sweeps.execute.machine import cores
from sweeps.interrupts import ENDING
from sweeps.plan.forecast import core_seconds
from sweeps.plan.packs import Pack

ONE_THREAD = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
TICK = 1.0
"""Seconds between two checks for workers that send no message."""
SLACK = 10
"""Multiple of its forecast time per logged step that a pack may be silent, if that is longer than the patience."""


def prepare() -> ForkServerContext:
    """Start the server that workers are forked from, unless it runs. It imports torch while this process goes on.

    Raises:
        OSError: no descriptor, process or temporary file is left for it.
    """
    for name in ONE_THREAD:
        os.environ[name] = "1"
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["sweeps.execute.local", "sweeps.execute.worker"])
    more_files()
    server_running()
    return context


class Local:
    """A process per pack, forked from a server that has imported torch once: a crash ends only that pack."""

    def __init__(self, workers: int = 0, patience: float = math.inf) -> None:
        """An executor with so many processes at once.

        Args:
            workers: processes; 0 = one per core.
            patience: seconds without a message from a worker before it is killed; workers send one per logged step.
        """
        self.workers, self.patience = workers or cores(), patience

    def run(self, packs: Sequence[Pack], root: Path) -> Iterator[Message | Ended]:
        room_for(min(self.workers, len(packs)))
        context = prepare()
        waiting = deque(packs)
        running: dict[Connection, _Job] = {}
        try:
            while waiting or running:
                while waiting and len(running) < self.workers:
                    job = _start(context, waiting.popleft(), root, self.patience)
                    running[job.messages] = job
                waiting_since = time.monotonic()
                ready = wait(list(running), min(TICK, self.patience / 4) if math.isfinite(self.patience) else None)
                for job in running.values():  # at most TICK: this process may have been suspended meanwhile
                    job.silent += min(TICK, time.monotonic() - waiting_since)
                for messages in ready:
                    assert isinstance(messages, Connection)
                    job = running[messages]
                    job.silent = 0.0
                    try:
                        kind, content = messages.recv()
                    except (EOFError, OSError):
                        del running[messages]
                        yield job.end()
                        continue
                    if kind == "over":
                        job.over = True
                    elif kind == "error":
                        job.error = content["traceback"]
                    else:
                        yield Message(job.pack, kind, content)
                for job in [job for job in running.values() if job.silent > job.patience]:
                    job.kill()
                    job.stuck = True
        finally:
            for job in running.values():
                job.kill()
                job.process.join()


@dataclass
class _Job:
    """A running worker. Nothing is sent through `alive`: it closes when this process dies, and then the worker ends."""

    pack: Pack
    process: BaseProcess
    messages: Connection
    alive: Connection
    patience: float  # seconds
    silent: float = 0.0  # seconds since its last message
    stuck: bool = False  # it was killed for being silent too long
    over: bool = False  # it sent its last message: not lost, whatever its exit status
    error: str | None = None

    def kill(self) -> None:
        """Kill the process by its id: `multiprocessing` takes it for ended once the fork server is gone."""
        assert self.process.pid
        with suppress(ProcessLookupError):
            os.kill(self.process.pid, signal.SIGKILL)

    def end(self) -> Ended:
        self.process.join()
        self.messages.close()
        self.alive.close()
        return Ended(self.pack, None if self.over else self._lost(), self.error)

    def _lost(self) -> str | None:
        code = self.process.exitcode
        if self.stuck:
            return f"silent for {self.patience:.4g} s and was ended (executor.patience)"
        if code is not None and code < 0:
            return f"killed by {signal.Signals(-code).name}"
        return f"ended with status {code}"


def patience_with(pack: Pack, patience: float) -> float:
    """Seconds that a pack may be silent: `patience`, or more if a logged step is forecast to take long."""
    train = pack.cells[0].settings.train
    rows = max(1.0, train.steps / train.log_every)
    return max(patience, SLACK * sum(core_seconds(cell.settings) for cell in pack.cells) / rows)


def _start(context: ForkServerContext, pack: Pack, root: Path, patience: float) -> _Job:
    """Start a worker. Its ends of the pipes are closed in this process, even if the start fails."""

    def attempt() -> _Job:
        messages, worker_messages = context.Pipe(duplex=False)
        worker_alive, alive = context.Pipe(duplex=False)
        with worker_messages, worker_alive:
            process = context.Process(target=_work, args=(pack, root, worker_messages, worker_alive), name=pack.id)
            try:
                process.start()
            except BaseException:
                messages.close()
                alive.close()  # a worker that did start ends itself
                raise
        return _Job(pack, process, messages, alive, patience_with(pack, patience))

    return start_process(attempt)


def _work(pack: Pack, root: Path, messages: Connection, alive: Connection) -> None:
    """The body of a worker process. It ends when the process of the sweep ends, even by SIGKILL."""
    from sweeps.execute.worker import train_pack  # imports torch; the fork server has done so already

    def send(kind: str, content: dict) -> None:
        try:
            messages.send((kind, content))
        except OSError:  # the process of the sweep is gone
            os._exit(1)

    # the process of the sweep handles these signals; the fork server may not have blocked them
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    threading.Thread(target=_end_with_sweep, args=(alive,), daemon=True).start()
    try:
        train_pack(pack, root, send)
    except Exception:
        send("error", {"traceback": traceback.format_exc()})
    send("over", {})


def _end_with_sweep(alive: Connection) -> None:
    try:
        alive.recv()
    except EOFError:
        os._exit(1)
