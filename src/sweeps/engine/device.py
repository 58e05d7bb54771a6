"""Where a pack trains: `cpu`, or `cuda` for the GPU."""

from __future__ import annotations

import torch


def available(device: str) -> bool:
    """Whether this machine has the device."""
    return device == "cpu" or torch.cuda.is_available()


def name_of(device: str) -> str:
    """What a record calls it: `cpu`, or the GPU by its name."""
    return torch.cuda.get_device_name() if device == "cuda" else device
