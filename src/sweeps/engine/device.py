"""The device that a pack trains on: `cpu`, or `cuda` for the GPU."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


def available(device: str) -> bool:
    """Whether this machine has the device."""
    return device == "cpu" or torch.cuda.is_available()


def name_of(device: str) -> str:
    """The device as records name it: `cpu`, or the GPU's model name."""
    return torch.cuda.get_device_name() if device == "cuda" else device


@contextmanager
def settings_kept() -> Iterator[None]:
    """Restore torch's process-wide settings at the end: training sets one thread and flushes subnormals to zero.

    The number of threads is set back to what it was; flushing is switched off, torch's default.
    """
    threads = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.set_flush_denormal(False)
