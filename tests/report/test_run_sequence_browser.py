"""One sequence on the page of a run in a real browser: pixels and hovering are the numbers, light, dark and narrow."""

from __future__ import annotations

import base64
import hashlib
import html
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import matplotlib.image
import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from analysis.make_records import write_cell
from sweeps.analysis.loading.one import read_run
from sweeps.analysis.sequence import Bars, Panel, Shown
from sweeps.analysis.typed import Typed
from sweeps.records.paths import SweepPaths
from sweeps.report.run_page import write_run_page

STATES = np.linspace(-1, 1, 24).reshape(8, 3)
SHOWN = Shown(
    8,
    (Panel("states h_t", "unit", STATES), Panel("target", "class", np.where(STATES > 0, 1.0, np.nan))),
    (Bars("answer", "output", np.array([0.5, -2.0]), np.array([1.0, -1.0])),),
)
Opened = Callable[..., Page]


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Opened]:
    requests: list[str] = []
    errors: list[str] = []
    pages: list[Page] = []

    def open_page(width: int = 1200, scheme: Any = "light") -> Page:
        run = read_run(SweepPaths(tmp_path / "small").cell(write_cell(tmp_path / "small")))
        write_run_page(run, Typed(set(), "python -m sweeps"), tmp_path / "a.html", sequence=SHOWN)
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        page.on("request", lambda request: requests.append(request.url))
        page.on("console", lambda message: errors.append(message.text))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto((tmp_path / "a.html").as_uri())
        pages.append(page)
        return page

    yield open_page
    assert errors == [] and all(url.startswith(("data:", "file:")) for url in requests)
    assert len([url for url in requests if url.startswith("file:")]) == len(pages)
    for page in pages:
        page.close()


def pictures(page: Page, mode: str) -> list[np.ndarray]:
    """[height, width, 4] of each panel."""
    links = page.locator(f".sequence image.{mode}").evaluate_all("all => all.map(each => each.getAttribute('href'))")
    return [matplotlib.image.imread(io.BytesIO(base64.b64decode(link.partition(",")[2]))) for link in links]


def test_red_is_positive_blue_negative_and_a_gap_lets_the_page_through(opened: Opened) -> None:
    states, target = pictures(opened(), "light")
    high, wide = states.shape[:2]
    rows = ((np.arange(3) + 0.5) / 3 * high).astype(int)
    columns = ((np.arange(8) + 0.5) / 8 * wide).astype(int)
    cells = states[np.ix_(rows, columns)].transpose(1, 0, 2)  # [t, unit, colour]
    redder = cells[..., 0] - cells[..., 2]
    assert (np.sign(redder) == np.sign(STATES)).all()
    assert (cells[..., 3] == 1).all()
    assert (np.abs(cells[..., :3].min(-1) - 0.97)[np.abs(STATES) < 0.05] < 0.06).all(), "pale around 0"
    there = target[np.ix_(rows, columns)].transpose(1, 0, 2)[..., 3]
    assert np.array_equal(there == 1, STATES > 0)


@pytest.mark.parametrize(("scheme", "seen", "hidden"), [("light", "light", "dark"), ("dark", "dark", "light")])
@pytest.mark.parametrize("width", [1200, 400])
def test_it_fits_in_both_widths_and_is_drawn_for_the_scheme(
    opened: Opened, width: int, scheme: str, seen: str, hidden: str
) -> None:
    page = opened(width, scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for part in ("image", "i.scale"):
        assert page.locator(f".sequence {part}.{seen}").first.is_visible()
        assert not page.locator(f".sequence {part}.{hidden}").first.is_visible()
    inside = page.evaluate(
        """() => [...document.querySelectorAll('.sequence text')].every(each => {
            const own = each.getBoundingClientRect(), area = each.ownerSVGElement.getBoundingClientRect();
            return own.left >= area.left - 1 && own.right <= area.right + 1 && own.bottom <= area.bottom + 1; })"""
    )
    assert inside, "no text is cut off"
    dark = pictures(page, "dark")[0]
    assert dark[dark.shape[0] // 2, dark.shape[1] // 2, :3].max() < 0.5 < dark[0, 0, :3].max(), "dark around 0"


@pytest.mark.parametrize("width", [1200, 400])
def test_hovering_says_the_time_the_unit_and_the_value(opened: Opened, width: int) -> None:
    page = opened(width)
    image = page.locator(".sequence image.light").first
    image.scroll_into_view_if_needed()
    area = image.bounding_box()
    assert area is not None
    for t, unit in ((0, 0), (3, 1), (7, 2)):
        page.mouse.move(area["x"] + (t + 0.5) / 8 * area["width"], area["y"] + (unit + 0.5) / 3 * area["height"])
        place, said = page.locator(".sequence .tip div").all_inner_texts()
        assert place == f"t {t}, unit {unit}"
        assert float(said.replace("−", "-")) == pytest.approx(STATES[t, unit], abs=2e-3)
    page.mouse.move(1, 1)
    assert page.locator(".sequence .tip:visible").count() == 0


def test_bars_reach_from_zero_to_their_value_and_name_the_target(opened: Opened) -> None:
    page = opened()
    bars = page.locator(".sequence rect.bar").evaluate_all(
        "all => all.map(each => [+each.getAttribute('x'), +each.getAttribute('width')])"
    )
    (first, up), (second, down) = bars
    assert first == pytest.approx(second + down), "both begin at 0"
    assert down / up == pytest.approx(4.0)
    texts = page.locator(".sequence text").all_text_contents()
    assert "0.5, target 1" in texts and "−2, target −1" in texts


def test_only_the_scripts_of_the_page_may_run(opened: Opened, tmp_path: Path) -> None:
    opened()
    text = (tmp_path / "a.html").read_text()
    [script] = re.findall(r"<script>(.*?)</script>", text, re.S)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in html.unescape(text)
