"""Ctrl-C means what it means at a terminal: a shell that starts the tests in the background has it ignored in them."""

from __future__ import annotations

import signal

signal.signal(signal.SIGINT, signal.default_int_handler)
