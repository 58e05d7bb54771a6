"""Tests see no key, settings or cache of the user who runs them, and cannot connect to other machines."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mirror.standin import StandIn, stand_in
from sweeps.mirror import folder
from sweeps.records.paths import SweepPaths


@pytest.fixture(autouse=True)
def no_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("WANDB_") or name == "NETRC":
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    nowhere = "http://127.0.0.1:9"  # no server listens there
    monkeypatch.setenv("WANDB_BASE_URL", nowhere)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, nowhere)  # of the client's own processes: loopback alone needs no proxy
    for kind in ("GRAPHQL", "FILE_STREAM", "FILE_TRANSFER"):
        for what, value in (("MAX", "2"), ("WAIT_MIN_SECONDS", "1"), ("WAIT_MAX_SECONDS", "1")):
            monkeypatch.setenv(f"WANDB__{kind}_RETRY_{what}", value)
    monkeypatch.setattr(folder, "PATIENCE", 0.5)
    connect = socket.socket.connect

    def only_local(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and address[0] != "127.0.0.1":
            raise AssertionError(f"a test wanted to reach {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", only_local)


@pytest.fixture
def server() -> Iterator[StandIn]:
    with stand_in() as running:
        yield running


@pytest.fixture
def sweep(tmp_path: Path) -> SweepPaths:
    return SweepPaths(tmp_path / "runs" / "first_look")
