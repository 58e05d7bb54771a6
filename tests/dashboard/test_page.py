"""The live page in a real browser: it follows the sweep, keeps the scroll position, requests nothing from elsewhere."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from analysis.make_records import write_cell
from dashboard.test_now import MISSING, say
from report.conftest import browser
from sweeps.dashboard.live import live
from sweeps.dashboard.serve import serve
from sweeps.records.lock import hold
from sweeps.records.paths import SweepPaths
from sweeps.records.plan_file import write_plan

__all__ = ["browser"]

LONG = """
import pathlib, sys
folder = pathlib.Path(sys.argv[-1].removeprefix("into="))
cells = len(list(pathlib.Path(sys.argv[1]).glob("*/summary.json")))
if cells == 3: sys.exit("no room")
folder.mkdir(exist_ok=True)
count = f"{cells} cell{'s' * (cells != 1)}"
(folder / "report.html").write_text(f"<p id=count>{count}</p><div style='height: 5000px'></div>")
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
        for seed, cells in enumerate(("1 cell", "2 cells")):
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


@pytest.mark.slow
@pytest.mark.parametrize("width", [1400, 400])
def test_the_page_shows_what_trains_and_that_it_died(browser: Browser, tmp_path: Path, width: int) -> None:
    sweep = SweepPaths(tmp_path / "runs" / "small")
    sweep.root.mkdir(parents=True)
    write_plan(sweep.plan, {cell: {"seed": 0} for cell in MISSING})
    with live(sweep, [sys.executable, "-c", ""]) as shown, serve(shown) as address:
        page = browser.new_page(viewport={"width": width, "height": 800})
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        with hold(sweep.lock):
            say(sweep, "running")
            page.goto(address)
            expect(page.locator(".pack b")).to_have_text("gru orthogonal clip=none T=50")
            expect(page.locator(".pack tbody tr")).to_have_count(2)
            expect(page.locator(".pack tbody tr").first).to_contain_text("seed=00.2500.5001.50")
            expect(page.locator(".pack tbody tr").last).to_contain_text("nan")
            expect(page.locator(".pack .quiet").first).to_contain_text("update 20 of 40")
            assert (page.locator(".pack path").first.get_attribute("d") or "").count("L") == 2
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        expect(page.locator("#says")).to_contain_text("is gone", timeout=20_000)
        expect(page.locator("#now")).to_be_hidden()
        assert errors == []
        page.close()
