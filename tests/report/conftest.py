"""A Chromium for the pages. Without one these tests are skipped, unless SWEEPS_BROWSER=required asks for one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        if os.environ.get("SWEEPS_BROWSER") == "required":
            pytest.fail("SWEEPS_BROWSER=required, and there is no chromium; apt-get install chromium")
        pytest.skip("there is no chromium to open the page with; apt-get install chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()
