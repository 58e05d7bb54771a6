"""No key and no connection to other machines; a stand-in for the W&B server that also keeps views."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from analysis.make_records import write_cell
from mirror.conftest import no_account
from mirror.mirrored import KEY
from mirror.standin import StandIn
from sweeps.records.paths import SweepPaths

__all__ = ["no_account"]


class Views(StandIn):
    """Keeps the views that are sent, in the strictest way: a view without an id is a new one, whatever its name.

    Attributes:
        views: id -> the arguments of the last upsert.
        projects: (entity, project) of those that exist.
    """

    def __init__(self) -> None:
        self.views: dict[str, dict[str, Any]] = {}
        self.projects = {("me", "sweeps")}
        super().__init__()

    def _graphql(self, name: str, variables: dict[str, Any]) -> dict[str, Any]:
        if name == "SweepsView":
            return {"project": self._project(variables)}
        if name == "SweepsUpsertView":
            view = variables["id"] or f"Vmlldzo{len(self.views)}="
            self.views[view] = variables
            return {"upsertView": {"view": {"id": view, "name": variables["name"]}}}
        return super()._graphql(name, variables)

    def _project(self, wanted: dict[str, Any]) -> dict[str, Any] | None:
        if (wanted["entityName"], wanted["projectName"]) not in self.projects:
            return None
        keys = ("entityName", "projectName", "type")
        edges = [
            {"node": {"id": view, "name": stored["name"]}}
            for view, stored in self.views.items()
            if all(stored[key] == wanted[key] for key in keys) and stored["name"] == wanted["viewName"]
        ]
        return {"allViews": {"edges": edges}}


@pytest.fixture
def server() -> Iterator[Views]:
    running = Views()
    yield running
    running.stop()


@pytest.fixture
def account(server: Views, monkeypatch: pytest.MonkeyPatch) -> Views:
    """A key for the stand-in."""
    monkeypatch.setenv("WANDB_BASE_URL", server.url)
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    return server


@pytest.fixture
def sweep(tmp_path: Path) -> SweepPaths:
    """Records of two architectures and two inits."""
    root = tmp_path / "runs" / "small"
    for arch in ("lstm", "gru"):
        for init in ("orthogonal", "identity"):
            write_cell(root, arch=arch, init=init)
    return SweepPaths(root)
