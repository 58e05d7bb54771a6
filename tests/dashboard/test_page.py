"""The live page in a real browser: it follows the sweep, keeps the scroll position, requests nothing from elsewhere."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from analysis.make_records import write_cell
from report.test_report_browser import browser
from sweeps.dashboard.live import live
from sweeps.dashboard.serve import serve
from sweeps.records.paths import SweepPaths

__all__ = ["browser"]

LONG = """
import pathlib, sys
folder = pathlib.Path(sys.argv[-1].removeprefix("into="))
cells = len(list(pathlib.Path(sys.argv[1]).glob("*/summary.json")))
if cells == 3: sys.exit("no room")
folder.mkdir(exist_ok=True)
(folder / "report.html").write_text(f"<p id=count>{cells} cells</p><div style='height: 5000px'></div>")
"""


@pytest.mark.slow
def test_the_page_follows_the_sweep(browser: Browser, tmp_path: Path) -> None:
    sweep = SweepPaths(tmp_path / "runs" / "small")
    command = [sys.executable, "-c", LONG, str(sweep.root)]
    with live(sweep, command, pause=0.0) as shown, serve(shown) as address:
        page = browser.new_page()
        requested: list[str] = []
        console: list[str] = []
        page.on("request", lambda request: requested.append(request.url))
        page.on("console", lambda message: console.append(message.text))
        page.on("pageerror", lambda error: console.append(str(error)))
        page.goto(address)
        expect(page.locator("#empty")).to_contain_text("No cell has finished yet")
        frame = page.frame_locator("#frame")
        for seed, cells in enumerate(("1 cells", "2 cells")):
            write_cell(sweep.root, seed=seed)
            expect(frame.locator("#count")).to_have_text(cells, timeout=20_000)
            expect(page.locator("#report")).to_have_text(f"Report of {cells}", timeout=20_000)
            scroll = page.frames[1].evaluate("[scrollY, scrollTo(0, 900)][0]")
        assert scroll == 900 and page.title() == "small"
        write_cell(sweep.root, seed=2)
        expect(page.locator("#problem")).to_contain_text("no room", timeout=20_000)
        assert console == []
        assert requested and all(url.startswith((address, "data:")) for url in requested)
    expect(page.locator("#report")).to_contain_text("stopped", timeout=20_000)
    page.close()
