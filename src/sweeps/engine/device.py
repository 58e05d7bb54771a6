"""Where a pack trains: `cpu`, or `cuda` for the GPU."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


def available(device: str) -> bool:
    """Whether this machine has the device."""
    return device == "cpu" or torch.cuda.is_available()


def name_of(device: str) -> str:
    """What a record calls it: `cpu`, or the GPU by its name."""
    return torch.cuda.get_device_name() if device == "cuda" else device


@contextmanager
def settings_kept() -> Iterator[None]:
    """Give torch back its number of threads at the end, and subnormal numbers: training changes both."""
    threads = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.set_flush_denormal(False)
