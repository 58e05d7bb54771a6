"""The executor of this machine: a single-threaded process per pack, as many at once as there are cores."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import traceback
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from sweeps.execute.base import Ended, Message
from sweeps.plan.packs import Pack

ENDING = (signal.SIGINT, signal.SIGTERM)
ONE_THREAD = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Local:
    """Each pack has a process of its own, forked from a server that has imported torch once: a crash takes one pack."""

    def __init__(self, workers: int = 0) -> None:
        self.workers = workers or cores()

    def run(self, packs: Sequence[Pack], root: Path) -> Iterator[Message | Ended]:
        for name in ONE_THREAD:
            os.environ[name] = "1"
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["sweeps.execute.local", "sweeps.execute.worker"])
        _start_server()
        waiting = deque(packs)
        running: dict[Connection, _Job] = {}
        try:
            while waiting or running:
                while waiting and len(running) < self.workers:
                    job = _start(context, waiting.popleft(), root)
                    running[job.messages] = job
                for ready in wait(list(running)):
                    assert isinstance(ready, Connection)
                    job = running[ready]
                    try:
                        kind, content = ready.recv()
                    except (EOFError, OSError):
                        del running[ready]
                        yield job.end()
                        continue
                    if kind == "error":
                        job.error = content["traceback"]
                    else:
                        yield Message(job.pack, kind, content)
        finally:
            for job in running.values():
                job.process.kill()
                job.process.join()


@dataclass
class _Job:
    """A running process; `alive` is never written to: its closing tells the worker that the driver is gone."""

    pack: Pack
    process: BaseProcess
    messages: Connection
    alive: Connection
    error: str | None = None

    def end(self) -> Ended:
        self.process.join()
        self.messages.close()
        self.alive.close()
        lost = None if self.process.exitcode == 0 else _how(self.process.exitcode)
        return Ended(self.pack, lost, self.error)


def _start_server() -> None:
    """Start the fork server with Ctrl-C and SIGTERM held back, for it and all it forks: the driver handles them."""
    resource_tracker.ensure_running()  # it would let them through again
    with _held_back():
        forkserver.ensure_running()


@contextmanager
def _held_back() -> Iterator[None]:
    """Ctrl-C and SIGTERM wait for the end; what is started meanwhile never gets them, as a mask is inherited.

    The mask is of this thread. Another one may take the signal, and Python would raise it here all the same, between
    the making of a temporary folder and the note that it is to be removed: so the handlers are held back too.
    """
    came: list[int] = []
    handlers = {number: signal.signal(number, lambda number, frame: came.append(number)) for number in ENDING}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])


def _start(context: multiprocessing.context.ForkServerContext, pack: Pack, root: Path) -> _Job:
    messages, their_messages = context.Pipe(duplex=False)
    their_alive, alive = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(pack, root, their_messages, their_alive), name=pack.id)
    process.start()
    their_messages.close()
    their_alive.close()
    return _Job(pack, process, messages, alive)


def _work(pack: Pack, root: Path, messages: Connection, alive: Connection) -> None:
    """The body of a worker process. It ends with the driver, even when that is killed."""
    from sweeps.execute.worker import train_pack  # imports torch; the fork server has done so already

    threading.Thread(target=_die_with_driver, args=(alive,), daemon=True).start()
    try:
        train_pack(pack, root, lambda kind, content: messages.send((kind, content)))
    except Exception:
        messages.send(("error", {"traceback": traceback.format_exc()}))


def _die_with_driver(alive: Connection) -> None:
    try:
        alive.recv()
    except EOFError:
        os._exit(1)


def _how(exitcode: int | None) -> str:
    if exitcode is not None and exitcode < 0:
        return f"killed by {signal.Signals(-exitcode).name}"
    return f"ended with status {exitcode}"
