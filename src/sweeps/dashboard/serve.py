"""A page about one sweep on this machine: its progress, and its report as it grows. Bound to loopback."""

from __future__ import annotations

import json
import os
import sys
import threading
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any

from sweeps.dashboard.live import Live
from sweeps.errors import SweepsError

LOCAL = ("127.0.0.1", "localhost")


@contextmanager
def serve(live: Live, port: int = 0) -> Iterator[str]:
    """Serve until the context ends; gives the address. Port 0 is any that is free.

    Raises:
        SweepsError: the port is taken.
    """
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), partial(_Handler, live))
    except OSError as error:
        raise SweepsError(f"port: {port} cannot be used ({error.strerror}); port=0 takes a free one") from error
    server.daemon_threads = True
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
    """The port that a setting names.

    Raises:
        SweepsError: it is not one.
    """
    if not (text.isascii() and text.isdigit() and int(text) < 65536):
        raise SweepsError(f"port: {text!r} is not a port (allowed: 0 for any that is free, to 65535)")
    return int(text)


def open_browser(address: str) -> None:
    """Open the address where there is a screen; a browser of the terminal would hide what the terminal says."""
    screen = sys.platform in ("darwin", "win32") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if screen:
        webbrowser.open(address)


class _Handler(SimpleHTTPRequestHandler):
    """`/` the page, `/status` what it asks every few seconds, `/report/...` the files of the newest report."""

    def __init__(self, live: Live, *arguments: Any) -> None:
        self.live = live
        super().__init__(*arguments)

    def do_GET(self) -> None:
        host = self.headers.get("Host", "").rpartition(":")[0]
        if host not in LOCAL:  # a page elsewhere that gave its name this address
            return self.send_error(HTTPStatus.FORBIDDEN)
        path = self.path.partition("?")[0]
        if path == "/":
            self._send("text/html; charset=utf-8", files(__package__).joinpath("page.html").read_bytes())
        elif path == "/status":
            self._send("application/json", json.dumps(self.live.status()).encode())
        elif path.startswith("/report/") and self.live.folder is not None:
            self.directory, self.path = str(self.live.folder), path.removeprefix("/report")
            super().do_GET()
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def do_HEAD(self) -> None:
        self.send_error(HTTPStatus.METHOD_NOT_ALLOWED)

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def list_directory(self, path: Any) -> None:
        self.send_error(HTTPStatus.NOT_FOUND)

    def log_message(self, format: str, *arguments: Any) -> None:
        pass

    def _send(self, kind: str, body: bytes) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
