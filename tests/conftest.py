"""Ctrl-C and a closed terminal mean what they mean: who starts the tests in the background may have them ignored."""

from __future__ import annotations

import signal

import pytest

signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(scope="session", autouse=True)
def folders_of_tests(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Made before code under test has this process put its temporary files into a folder that ends with it."""
    tmp_path_factory.getbasetemp()
