"""Send the workspace and the report to the W&B server: a view that exists is updated, so none is made twice."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from sweeps.dashboard.client import library
from sweeps.dashboard.workspace import Study, View, report, workspace
from sweeps.errors import SweepsError
from sweeps.mirror.environment import client_environment, import_client
from sweeps.mirror.server import Server

FIND = """
query SweepsView($entityName: String, $projectName: String, $type: String, $viewName: String) {
  project(name: $projectName, entityName: $entityName) {
    allViews(viewType: $type, viewName: $viewName) { edges { node { id name } } }
  }
}
"""
UPSERT = """
mutation SweepsUpsertView($id: ID, $entityName: String, $projectName: String, $type: String, $name: String,
                          $displayName: String, $description: String, $spec: String!) {
  upsertView(input: {id: $id, entityName: $entityName, projectName: $projectName, type: $type, name: $name,
                     displayName: $displayName, description: $description, spec: $spec, createdUsing: WANDB_SDK}) {
    view { id name }
  }
}
"""


def publish(study: Study, project: str, entity: str | None = None) -> list[tuple[str, str]]:
    """Save both views on the server; returns (title, address) of each.

    Raises:
        SweepsError: there is no key, the server refuses it or cannot be reached, or has no such project.
    """
    views = [workspace(study), report(study)]
    with client_environment():
        try:
            server = _Views()
            return [(view.title, server.save(view, project, entity)) for view in views]
        finally:
            with suppress(Exception):
                import_client().teardown()


class _Views(Server):
    """The server, with queries for the views of a project."""

    def save(self, view: View, project: str, entity: str | None) -> str:
        """Update the view of this name, or make it; returns its address."""
        owner = entity or self._entity
        target = {"entityName": owner, "projectName": project, "type": view.kind}
        existing = self._execute(FIND, {**target, "viewName": view.name}).get("project")
        if existing is None:
            raise SweepsError(
                f"The W&B server {self.url} has no project {owner}/{project}: `python -m sweeps sync` sends the runs "
                "and makes it; tracker.project and tracker.entity name another."
            )
        ids = [edge["node"]["id"] for edge in existing["allViews"]["edges"] if edge["node"]["name"] == view.name]
        content = {"name": view.name, "displayName": view.title, "description": view.description, "spec": view.spec}
        reply = self._execute(UPSERT, {**target, **content, "id": ids[0] if ids else None})
        return self._address(view, f"{owner}/{project}", reply["upsertView"]["view"]["id"])

    def _execute(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        try:
            return dict(library().graphql.execute_graphql(self._api, query, variables))
        except Exception as error:
            raise self._error(error) from error

    def _address(self, view: View, project: str, view_id: str) -> str:
        base = f"{library().graphql.get_app_url(self._api).rstrip('/')}/{project}"
        if view.kind == "project-view":
            return f"{base}?nw={view.name.removeprefix('nw-').removesuffix('-v')}"
        return f"{base}/reports/{view.title.replace(' ', '-')}--{view_id.rstrip('=')}"
