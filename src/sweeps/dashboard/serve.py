"""Serves the live page of one sweep: its progress, and its report as cells finish. Only to this machine (127.0.0.1)."""

from __future__ import annotations

import json
import os
import re
import sys
import threading
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from mimetypes import guess_type
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from sweeps.dashboard.live import Live
from sweeps.errors import SweepsError, message_of
from sweeps.records.safe_reading import printable, read_bytes

LOCAL = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d+)?", re.IGNORECASE)
"""Host header of a browser on this machine; without a port if that is 80, or behind a tunnel."""


@contextmanager
def serve(live: Live, port: int = 0) -> Iterator[str]:
    """Serve the page until the context ends.

    Args:
        port: 0 for any that is free.

    Yields:
        The address of the page.

    Raises:
        SweepsError: the port is taken or not permitted.
    """
    try:
        server = _Server(("127.0.0.1", port), partial(_Handler, live))
    except OSError as error:
        raise SweepsError(f"port: {port} cannot be used ({error.strerror}); port=0 takes a free one") from error
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        host, port = server.server_address[:2]
        yield f"http://{host!s}:{port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def port_of(text: str) -> int:
    """The port number in the text of a setting.

    Raises:
        SweepsError: the text is not a number from 0 to 65535.
    """
    if not (text.isascii() and text.isdigit() and int(text) < 65536):
        raise SweepsError(f"port: {text!r} is not a port (allowed: 0 for any that is free, to 65535)")
    return int(text)


def open_browser(address: str) -> None:
    """Open the address in a browser if there is a screen; one in the terminal would hide the terminal's output."""
    screen = sys.platform in ("darwin", "win32") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if screen:
        webbrowser.open(address)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a browser that closes the connection before its answer has arrived."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """Answers `/` with the page, `/status` with its state as JSON, `/report/...` with files of the newest report.

    Any other answer is the status of an error: never a list of files and never a redirection.
    """

    def __init__(self, live: Live, *arguments: Any) -> None:
        self.live = live
        super().__init__(*arguments)

    def do_GET(self) -> None:
        hosts = self.headers.get_all("Host", [])
        if len(hosts) != 1 or not LOCAL.fullmatch(
            hosts[0]
        ):  # another site whose name was made to resolve to this machine (DNS rebinding)
            return self.send_error(HTTPStatus.FORBIDDEN)
        path = unquote(self.path.partition("?")[0])
        if "\0" in path:
            self.send_error(HTTPStatus.BAD_REQUEST)
        elif path == "/":
            self._send("text/html; charset=utf-8", files(__package__).joinpath("page.html").read_bytes())
        elif path == "/status":
            self._send_status()
        elif path.startswith("/report/") and self.live.folder is not None:
            self._send_file(self.live.folder, path.removeprefix("/report/"))
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def do_HEAD(self) -> None:
        self.send_error(HTTPStatus.METHOD_NOT_ALLOWED)

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, format: str, *arguments: Any) -> None:
        pass

    def _send_status(self) -> None:
        try:
            status = self.live.status()
        except OSError as error:  # the folder of the sweep cannot be looked into
            return self.send_error(HTTPStatus.INTERNAL_SERVER_ERROR, printable(message_of(error)))
        self._send("application/json", json.dumps(status).encode())

    def _send_file(self, folder: Path, name: str) -> None:
        """Answer with a regular file in the folder or below, after links in its path are resolved."""
        try:
            path = (folder / name).resolve()
            if not path.is_relative_to(folder.resolve()):
                raise FileNotFoundError(name)
            content = read_bytes(path)
        except (OSError, RuntimeError):  # missing, not a regular file, or its links form a circle
            return self.send_error(HTTPStatus.NOT_FOUND)
        self._send(guess_type(path.name)[0] or "application/octet-stream", content)

    def _send(self, kind: str, body: bytes) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
