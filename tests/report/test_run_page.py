"""The page of one run: the same bytes for the same record, one file, all of the record's settings; fits a phone."""

from __future__ import annotations

import base64
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

from analysis.make_records import write_cell
from sweeps.analysis.loading.one import OneRun, read_run
from sweeps.records.paths import SweepPaths
from sweeps.report.run_page import write_run_page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
COMMAND = "python -m sweeps arch=lstm clip=norm 'task.length=60'"


def planted(root: Path, **cell: Any) -> OneRun:
    return read_run(SweepPaths(root).cell(write_cell(root, **cell)))


def page_of(run: OneRun, path: Path, command: str = COMMAND) -> str:
    write_run_page(run, {"arch", "task.length"}, command, path)
    return path.read_text()


def pictures(text: str) -> list[str]:
    found = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', text)
    return [base64.b64decode(each).decode() for each in found]


def test_the_same_record_gives_the_same_bytes_wherever_it_lies(tmp_path: Path) -> None:
    run = planted(tmp_path / "here" / "small", arch="lstm", length=60, noise=0.2)
    shutil.copytree(tmp_path / "here", tmp_path / "there")
    moved = read_run(SweepPaths(tmp_path / "there" / "small").cell(run.id))
    assert page_of(run, tmp_path / "a.html") == page_of(moved, tmp_path / "b.html")


def test_it_needs_no_other_file_and_says_what_the_record_says(tmp_path: Path) -> None:
    text = page_of(planted(tmp_path / "small", arch="lstm", clip="norm", length=60, seed=7), tmp_path / "a.html")
    assert not re.findall(r"(?:src|href)=\"(?!data:)", text) and "<script" not in text and "http:" not in text
    assert "default-src 'none'" in text
    assert '<dt>arch</dt><dd class="changed">lstm</dd>' in text
    assert "<dt>seed</dt><dd>7</dd>" in text
    assert "&#39;task.length=60&#39;" in text, "the command line"
    assert "∂h<sub>t</sub>" in text
    assert len(pictures(text)) == 6
    assert not any("<dc:date>" in each for each in pictures(text))


@pytest.mark.parametrize(
    ("cell", "figures"),
    [
        ({"outcome": "diverged", "end": 0, "slope": 0.5}, 4),
        ({"outcome": "diverged", "end": 60, "length": 400, "slope": 1.5}, 6),
        ({"best_score": None, "curve": lambda lag: float("-inf")}, 5),
        ({"length": 2, "steps": 20, "log_every": 20, "eval_every": 20, "grad_norm": 0.0}, 6),
    ],
    ids=["diverged at once", "far beyond float64", "no score, exactly zero", "two steps, no gradient"],
)
@pytest.mark.filterwarnings("error")
def test_what_there_is_nothing_of_is_not_drawn(tmp_path: Path, cell: dict[str, Any], figures: int) -> None:
    text = page_of(planted(tmp_path / "small", **cell), tmp_path / "a.html", "(no command line gives this id: no)")
    assert len(pictures(text)) == figures
    assert "(no command line gives this id: no)" in text


def test_a_phone_shows_all_of_it_in_the_dark_too(tmp_path: Path) -> None:
    if CHROMIUM is None:
        if os.environ.get("SWEEPS_BROWSER") == "required":
            pytest.fail("SWEEPS_BROWSER=required, and there is no chromium; apt-get install chromium")
        pytest.skip("there is no chromium to open the page with; apt-get install chromium")
    page_of(planted(tmp_path / "small", arch="lstm", length=60), tmp_path / "a.html", COMMAND + " x.y=1" * 30)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 400, "height": 900}, color_scheme="dark")
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto((tmp_path / "a.html").as_uri())
        assert [url for url in asked if not url.startswith("data:")] == [(tmp_path / "a.html").as_uri()]
        wide = """() => [...document.querySelectorAll('body *')].filter(
            each => each.getBoundingClientRect().right > innerWidth + 0.5 || each.scrollWidth > each.clientWidth + 1
                && getComputedStyle(each).display !== 'inline').map(each => each.outerHTML.slice(0, 80))"""
        assert page.evaluate(wide) == []
        assert min(page.locator("img").evaluate_all("all => all.map(each => each.naturalWidth)")) > 0
        ink, paper = (page.evaluate(f"getComputedStyle(document.body).{name}") for name in ("color", "backgroundColor"))
        assert (ink, paper) == ("rgb(232, 230, 227)", "rgb(23, 24, 26)")
        browser.close()
