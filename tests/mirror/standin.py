"""A stand-in for the W&B server on 127.0.0.1: it answers the real client, and keeps what it receives.

GraphQL (`/graphql`), the file stream (`/files/.../file_stream`) and file uploads (`/upload/...`), as wandb 0.31.0
uses them. Faults are injected by operation (`faults`) or by a hook on every request (`on_request`).
"""

from __future__ import annotations

import base64
import gzip
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

HISTORY, SUMMARY = "wandb-history.jsonl", "wandb-summary.json"
DROP = 0
"""Status of a fault: the connection is closed without an answer."""


@dataclass
class Run:
    """What the server holds of one run."""

    name: str
    config: dict[str, Any] = field(default_factory=dict)
    meta: dict[str, Any] = field(default_factory=dict)  # the other arguments of UpsertBucket
    files: dict[str, dict[int, str]] = field(default_factory=dict)  # streamed file -> line number -> line
    uploads: dict[str, bytes] = field(default_factory=dict)
    exit: int | None = None
    lines_received: int = 0  # history lines, repeated ones counted again

    @property
    def history(self) -> list[dict[str, Any]]:
        """The rows in order of their line."""
        return [json.loads(line) for _, line in sorted(self.files.get(HISTORY, {}).items())]

    @property
    def summary(self) -> dict[str, Any]:
        lines = self.files.get(SUMMARY, {})
        return dict(json.loads(lines[max(lines)])) if lines else {}


class StandIn:
    """A server at `url`, until `stop`.

    Attributes:
        runs: run id -> what arrived.
        requests: the name of every request, in order: a GraphQL operation, `file_stream` or `upload`.
        keys: the keys that requests were signed with.
        accepted: the key that is right; others get 401. None: any.
        appends: whether UpsertBucket returns the number of history lines, which makes the client append; if it
            returns 0, lines are overwritten. It is not documented which of them the real server does.
        faults: request name -> statuses to answer the next requests of that name with; None is a good answer.
        on_request: called with (number of requests so far, name) before a request is answered.
    """

    def __init__(self, *, appends: bool = True) -> None:
        self.appends = appends
        self.accepted: str | None = None
        self.runs: dict[str, Run] = {}
        self.requests: list[str] = []
        self.keys: set[str] = set()
        self.faults: dict[str, Iterator[int | None]] = {}
        self.on_request: Callable[[int, str], None] = lambda count, name: None
        self._lock = threading.Lock()
        self._server = _server(self)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, path: str, body: bytes, authorization: str) -> tuple[int, Any]:
        """(status, JSON value) of one request; the status DROP means that the connection closes instead."""
        query = json.loads(body) if path == "/graphql" else None
        name = _name(path, query)
        with self._lock:
            self.requests.append(name)
            self.on_request(len(self.requests), name)
            status = next(self.faults.get(name, iter(())), None)
            if status is not None:
                return status, {"errors": [{"message": f"the stand-in says {status}"}]}
            if name not in ("upload", "telemetry"):  # an upload's address is its permission
                _, _, key = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
                self.keys.add(key)
                if self.accepted not in (None, key):
                    return 401, {"errors": [{"message": "user is not logged in"}]}
            if query is not None:
                return 200, {"data": self._graphql(name, query.get("variables") or {})}
            if name == "file_stream":
                self._stream(self.runs[path.split("/")[4]], json.loads(body))
                return 200, {"limits": {}, "exitcode": None}
            if name == "upload":
                _, _, run, file = unquote(path).split("/", 3)
                self.runs[run].uploads[file] = body
            return 200, {}

    def _graphql(self, name: str, variables: dict[str, Any]) -> dict[str, Any]:
        if name == "Viewer":
            return {"viewer": {"id": "dXNlcg==", "entity": "me", "username": "me", "email": "", "flags": "{}",
                               "admin": False, "apiKeys": {"edges": []}, "teams": {"edges": []}}}  # fmt: skip
        if name == "GetDefaultEntity":
            return {"viewer": {"id": "dXNlcg==", "entity": "me"}}
        if name == "Runs":
            return {"project": self._runs(variables["project"], json.loads(variables["filters"])["group"])}
        if name == "ServerFeaturesQuery":
            return {"serverInfo": {"features": []}}
        if name == "OrganizationCoreWeaveOrganizationID":
            return {"entity": {"organization": None}}
        if name == "UpsertBucket":
            new = variables["name"] not in self.runs
            run = self.runs.setdefault(variables["name"], Run(variables["name"]))
            run.config.update(json.loads(variables.get("config") or "{}"))
            run.meta.update({key: value for key, value in variables.items() if value is not None})
            bucket = self._bucket(run)
            bucket["historyLineCount"] *= self.appends
            return {"upsertBucket": {"bucket": bucket, "inserted": new}}
        if name == "RunResumeStatus":
            known = self.runs.get(variables["name"])
            entity = {"id": "ZW50", "name": "me"}
            project = {"id": "cHJv", "name": variables.get("project"), "entity": entity}
            return {"model": {**project, "bucket": self._resume(known) if known else None}}
        if name == "CreateRunFiles":
            run_id = variables.get("run") or variables.get("runName") or variables.get("name")
            files = [{"name": file, "uploadUrl": f"{self.url}/upload/{run_id}/{file}"} for file in variables["files"]]
            return {"createRunFiles": {"runID": run_id, "uploadHeaders": [], "files": files}}
        return {}

    def _runs(self, project: str, group: str) -> dict[str, Any] | None:
        of_project = [run for run in self.runs.values() if run.meta.get("project") == project]
        if not of_project:
            return None
        of_group = [run for run in of_project if run.meta.get("groupName") == group]
        nodes = [{**self._bucket(run), "projectId": "1", "tags": [], "state": "finished"} for run in of_group]
        edges = [{"node": node, "cursor": node["name"]} for node in nodes]
        page = {"endCursor": None, "hasNextPage": False}
        return {
            "internalId": "1",
            "runCount": len(nodes),
            "readOnly": False,
            "runs": {"edges": edges, "pageInfo": page},
        }

    def _bucket(self, run: Run) -> dict[str, Any]:
        project = {"id": "cHJv", "name": run.meta.get("project"), "entity": {"id": "ZW50", "name": "me"}}
        return {
            **{"id": run.name, "name": run.name, "displayName": run.meta.get("displayName"), "description": None},
            **{"config": json.dumps(run.config), "sweepName": None, "project": project},
            "historyLineCount": len(run.files.get(HISTORY, {})),
        }

    def _resume(self, run: Run) -> dict[str, Any]:
        def tail(file: str) -> str:
            lines = run.files.get(file, {})
            return json.dumps([lines[max(lines)]] if lines else [])

        events = "wandb-events.jsonl"
        return {
            **self._bucket(run),
            **{"eventsLineCount": len(run.files.get(events, {})), "logLineCount": len(run.files.get("output.log", {}))},
            **{"historyTail": tail(HISTORY), "eventsTail": tail(events), "summaryMetrics": json.dumps(run.summary)},
            **{"wandbConfig": json.dumps({"t": 1}), "tags": run.meta.get("tags") or []},
        }

    def _stream(self, run: Run, update: dict[str, Any]) -> None:
        for file, chunk in (update.get("files") or {}).items():
            lines = run.files.setdefault(file, {})
            lines.update(enumerate(chunk["content"], chunk["offset"]))
            run.lines_received += len(chunk["content"]) if file == HISTORY else 0
        if update.get("complete"):
            run.exit = update.get("exitcode")


@contextmanager
def stand_in(*, appends: bool = True) -> Iterator[StandIn]:
    """A server for the time of the context."""
    server = StandIn(appends=appends)
    try:
        yield server
    finally:
        server.stop()


def _name(path: str, query: Any) -> str:
    if query is not None:
        match = re.search(r"\b(?:query|mutation)\s+(\w+)", query.get("query", ""))
        return str(query.get("operationName") or (match[1] if match else "graphql"))
    if path.endswith("/file_stream"):
        return "file_stream"
    return "upload" if path.startswith("/upload/") else "telemetry" if "/otel/" in path else path


def _server(stand_in: StandIn) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self._body()
            if "gzip" in self.headers.get("Content-Encoding", ""):
                body = gzip.decompress(body)
            status, value = stand_in.answer(self.path, body, self.headers.get("Authorization", ""))
            if status == DROP:
                self.close_connection = True
                return
            reply = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            with suppress(OSError):  # the client was killed
                self.wfile.write(reply)

        do_GET = do_POST = do_PUT = do_HEAD = do_PATCH = handle_any

        def _body(self) -> bytes:
            if "chunked" not in self.headers.get("Transfer-Encoding", ""):
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 256

        def handle_error(self, request: Any, client_address: Any) -> None:
            pass  # connections that a killed or failing client resets

    return Server(("127.0.0.1", 0), Handler)
