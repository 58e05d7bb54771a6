"""The folders in which the W&B client keeps the attempts at each run."""

from __future__ import annotations

import os
import re
from pathlib import Path

from sweeps.records import wandb_log
from sweeps.records.wandb_client import SENT

_RUN_FOLDER = re.compile(r"(offline-)?run-\d{8}_\d{6}-(?P<id>[0-9a-f]{12}-n\d+)(-\d+)?")


def run_folders(root: Path) -> dict[str, list[Path]]:
    """Run id -> the folders of the attempts at it, oldest first. Listed: a path may hold glob characters."""
    found: dict[str, list[Path]] = {}
    folder = root / "wandb"
    for name in sorted(os.listdir(folder)) if folder.is_dir() else []:
        if match := _RUN_FOLDER.fullmatch(name):
            found.setdefault(match["id"], []).append(folder / name)
    return found


def offline(folder: Path) -> bool:
    return folder.name.startswith("offline-")


def uploaded(folder: Path, run: str) -> bool:
    """Uploaded, to the best of the client's knowledge; whether all of it arrived is for `sync` to find out."""
    return any((folder / f"run-{run}.wandb{ending}").exists() for ending in (SENT, ".synced"))


def whole(folder: Path, run: str) -> bool:
    return offline(folder) and wandb_log.complete(folder / f"run-{run}.wandb")
