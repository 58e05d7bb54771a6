"""The report's first screen, its contents, and its figures under the pointer, in a real browser.

What the page says of a run is compared with the run's own CSV files, and where it says that a run lies with the colour
of the picture at that place.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from analysis.make_records import write_cell
from sweeps.records.paths import ReportPaths, SweepPaths
from sweeps.report.make import make_report

GAINS = (0.5, 1.0, 2.0)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> ReportPaths:
    """A study of the gain, one seed of each architecture: every line of a figure is one run."""
    root = tmp_path_factory.mktemp("runs") / "gain"
    for arch, shift in (("rnn_tanh", 0.0), ("gru", 0.3)):
        for gain in GAINS:
            write_cell(
                root,
                arch=arch,
                length=60,
                slope=-0.1 * gain - shift,
                noise=0.1,
                best_score=0.4 * gain - shift,
                settings={"init.gain": gain},
            )
    return make_report(SweepPaths(root))


@pytest.fixture(scope="module")
def opened(browser: Browser, report: ReportPaths) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    page.goto(report.html.as_uri())
    yield page
    page.close()


@pytest.fixture
def page(opened: Page, report: ReportPaths) -> Page:
    opened.set_viewport_size({"width": 1400, "height": 900})
    if opened.url.partition("#")[0] != report.html.as_uri():
        opened.goto(report.html.as_uri())
    opened.keyboard.press("Escape")
    opened.evaluate("scrollTo(0, 0)")
    return opened


def look(page: Page, title: str) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """The number of a figure by its title, what the page knows of it, and all that it knows."""
    data = json.loads(page.locator("script[type='application/json']").text_content() or "")
    number = str(page.locator(f'figure:has(img[alt="{title}"])').get_attribute("id")).removeprefix("figure-")
    return number, data["figures"][number], data


def share(panel: dict[str, Any], x: float, y: float) -> tuple[float, float]:
    """Where a point of a panel lies, as shares of the picture from its left and its top."""
    (low, high), (left, top, right, bottom) = panel["x"], panel["box"]
    across = math.log(x / low) / math.log(high / low) if panel["log"] else (x - low) / (high - low)
    up = (y - panel["y"][0]) / (panel["y"][1] - panel["y"][0])
    return left + across * (right - left), bottom - up * (bottom - top)


def points(panel: dict[str, Any]) -> list[tuple[int, float, float]]:
    """Run, x and y of every point that lies inside a panel."""
    every = [tuple(mark) for mark in panel.get("marks", ())]
    for run, *ys in panel.get("curves", ()):
        every += [(run, x, y) for x, y in zip(panel["at"], ys, strict=True) if y is not None]
    return [each for each in every if panel["y"][0] <= each[2] <= panel["y"][1]]


def point_at(page: Page, number: str, panel: dict[str, Any], x: float, y: float) -> tuple[float, float]:
    """The place of a point in the window, with its figure scrolled into sight."""
    image = page.locator(f"#figure-{number} img")
    image.scroll_into_view_if_needed()
    box = image.bounding_box()
    assert box is not None
    u, v = share(panel, x, y)
    return box["x"] + u * box["width"], box["y"] + v * box["height"]


def tip(page: Page, number: str) -> list[str]:
    return page.locator(f"#figure-{number} .tip p").all_inner_texts()


def test_the_first_screen_says_what_was_found_and_shows_it(page: Page) -> None:
    for text in ("What mattered?", "6 runs:", "Varied: architecture (tanh RNN, GRU), gain (0.5, 1, 2)"):
        box = page.get_by_text(text).first.bounding_box()
        assert box is not None and box["y"] + box["height"] < 900, text
    first = page.locator("header p").first.inner_text()
    assert "gain" in first.partition(":")[0], "the axis with the whole effect is named first"
    figure = page.locator("header img").bounding_box()
    assert figure is not None and figure["y"] + figure["height"] < 900 and figure["width"] > 450


def test_contents_stay_in_sight_and_mark_where_one_is(page: Page) -> None:
    page.get_by_role("link", name="Tables").first.click()
    page.wait_for_function("document.querySelector('nav a[aria-current]')?.textContent === 'Tables'")
    box = page.get_by_role("navigation").bounding_box()
    assert box is not None and box["y"] >= 0 and box["y"] + box["height"] <= 900
    assert page.evaluate("scrollY") > 900


@pytest.mark.parametrize("width", [1400, 390])
def test_every_run_lies_where_the_picture_shows_it(page: Page, report: ReportPaths, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    data = json.loads(page.locator("script[type='application/json']").text_content() or "")
    seen = 0
    for number, figure in data["figures"].items():
        image = page.locator(f"#figure-{number} img")
        source = str(image.evaluate("async image => { await image.decode(); return image.currentSrc }"))
        with Image.open(BytesIO(_bytes(source))) as picture:
            colours = np.asarray(picture.convert("RGB"), dtype=int)
        height, wide = colours.shape[:2]
        panels = figure["panels"]
        if width == 390:
            panels = [
                {**dict(panels[at] if at < len(panels) else {}), **each} for at, each in enumerate(figure["narrow"])
            ]
        title = str(image.get_attribute("alt"))
        if title == "Outcomes over the whole grid":
            continue  # fields without a mark
        for panel in panels:
            for _, x, y in points(panel):
                u, v = (round(each * size) for each, size in zip(share(panel, x, y), (wide, height), strict=True))
                around = colours[max(0, v - 4) : v + 5, max(0, u - 4) : u + 5]
                assert around.min() < 200, (title, x, y)
                seen += 1
    assert seen > 100


def test_a_curve_under_the_pointer_says_what_its_record_says(page: Page, report: ReportPaths) -> None:
    number, figure, data = look(page, "Gradient through time, at initialisation")
    for panel in figure["panels"]:
        for run, *ys in panel["curves"]:
            at = len(ys) // 2
            lag, height = panel["at"][at], ys[at]
            page.mouse.move(*point_at(page, number, panel, lag, height))
            cell, words = data["runs"][run]
            frame = pd.read_csv(report.root.parent / cell / "gradient_through_time.csv")
            [norm] = frame.loc[(frame["step"] == 0) & (frame["lag"] == lag), "log10_norm"]
            assert height == pytest.approx(norm, rel=1e-3)
            first, value, how = tip(page, number)
            assert first == words and f"lag (steps back) {lag:g}: ‖∂L/∂h_t‖ " in value and cell in how
            plain = f"{float(f'{10**height:.3g}'):g}" if abs(height) < 4 else f"10{norm:.4g}"
            assert value.endswith(f"‖∂L/∂h_t‖ {plain}".replace("-", "−")), "a power of ten only where it is far from 1"
            drawn = page.locator(f"#figure-{number} .layer polyline").get_attribute("points") or ""
            assert len(drawn.split()) == sum(each is not None for each in ys)


def test_words_of_a_run_are_its_settings_and_what_it_reached(page: Page, report: ReportPaths) -> None:
    *_, data = look(page, "Loss over training")
    assert len(data["runs"]) == 6
    for cell, words in data["runs"]:
        summary = json.loads((report.root.parent / cell / "summary.json").read_text())
        config = (report.root.parent / cell / "config.yaml").read_text()
        name = "GRU" if "name: gru" in config else "tanh RNN"
        best = summary["best"]["eval_score"]
        assert words.startswith(f"{name}, gain = ") and words.endswith(
            f"seed 0: not solved, best explained variance {best:.3g}"
        )


def test_a_click_opens_the_page_of_the_run_and_back(page: Page, report: ReportPaths) -> None:
    number, figure, data = look(page, "What every run reached, by what mattered")
    panel = figure["panels"][0]
    run, x, y = panel["marks"][-1]
    place = point_at(page, number, panel, x, y)
    page.mouse.move(*place)
    page.mouse.click(*place)
    page.wait_for_url(f"**/runs/{data['runs'][run][0]}.html")
    assert page.get_by_text(str(data["runs"][run][0])).first.is_visible()
    page.go_back()
    page.wait_for_url(lambda url: "report.html" in url)


def test_runs_at_one_place_are_listed_to_choose_from(browser: Browser, tmp_path: Path) -> None:
    for seed in range(2):
        for arch in ("gru", "lstm"):
            write_cell(tmp_path / "solved", arch=arch, seed=seed, outcome="solved", end=120)
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    page.goto(make_report(SweepPaths(tmp_path / "solved")).html.as_uri())
    number, figure, data = look(page, "Outcomes over the whole grid")
    panel = figure["panels"][0]
    _, x, y = panel["marks"][0]
    here = [run for run, *place in panel["marks"] if place == [x, y]]
    assert len(here) == 2, "the two seeds of an architecture"
    place = point_at(page, number, panel, x, y)
    page.mouse.move(*place)
    assert tip(page, number)[: len(here)] == [data["runs"][run][1] for run in here]
    link = page.locator(f"#figure-{number} .tip a").first
    assert link.get_attribute("href") == f"runs/{data['runs'][here[0]][0]}.html"
    page.close()


def test_nothing_is_said_where_no_run_is(page: Page) -> None:
    number, figure, _ = look(page, "Loss over training")
    left, top, *_ = figure["panels"][0]["box"]
    box = page.locator(f"#figure-{number} img").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + left * box["width"] / 2, box["y"] + top * box["height"] / 2)
    assert page.locator(f"#figure-{number} .tip").is_hidden()


def test_on_a_phone_every_panel_is_in_sight_and_the_contents_fold(page: Page) -> None:
    page.set_viewport_size({"width": 400, "height": 850})
    assert page.evaluate("document.documentElement.scrollWidth") == 400
    for box in page.locator("figure .box").evaluate_all("all => all.map(each => [each.scrollWidth, each.clientWidth])"):
        assert box[0] <= box[1]
    for image in page.locator("figure img").all():
        assert image.evaluate("each => each.getBoundingClientRect().right") <= 400
        natural, shown = image.evaluate("each => [each.naturalWidth, each.clientWidth]")
        assert natural / shown < 2.2, "letters of 7 points are no smaller than 6.3"
    contents = page.get_by_role("navigation").locator("ol")
    assert contents.is_hidden()
    page.get_by_text("Contents", exact=True).click()
    assert contents.is_visible()
    page.get_by_role("link", name="What ran").first.click()
    assert contents.is_hidden()


def test_it_can_be_read_in_the_dark(browser: Browser, report: ReportPaths) -> None:
    dark = browser.new_page(viewport={"width": 1400, "height": 900}, color_scheme="dark")
    dark.goto(report.html.as_uri())
    ink, paper = dark.evaluate(
        "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
    )
    assert _contrast(ink, paper) > 7 and _luminance(paper) < 0.05
    for selector in ("nav a", "header p", "figcaption", "th", "td", "summary"):
        colour = dark.locator(selector).first.evaluate("each => getComputedStyle(each).color")
        assert _contrast(colour, paper) > 4.5, selector
    with Image.open(BytesIO(dark.locator("header img").screenshot())) as image:
        pixels = np.asarray(image.convert("RGB"), float)
    ground = [float(each) for each in re.findall(r"\d+", paper)[:3]]
    assert np.abs(pixels[1, 1] - ground).max() < 5, "a picture lies on the paper of the page"
    assert pixels.mean(2).max() > 200, "and its text is light"
    dark.close()


def test_it_prints_without_what_a_pointer_needs(page: Page) -> None:
    page.emulate_media(media="print")
    assert not page.get_by_role("navigation").is_visible()
    assert page.locator(".tip, .layer").evaluate_all(
        "all => all.every(each => getComputedStyle(each).display === 'none')"
    )
    assert page.locator("header img").is_visible()
    page.emulate_media(media="screen")


def test_no_look_asks_for_anything(browser: Browser, report: ReportPaths) -> None:
    page, asked = browser.new_page(viewport={"width": 1400, "height": 900}), []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(report.html.as_uri())
    number, figure, _ = look(page, "Loss over training")
    panel = figure["panels"][0]
    _, *ys = panel["curves"][0]
    page.mouse.move(*point_at(page, number, panel, panel["at"][1], ys[1]))
    assert tip(page, number)
    assert [url for url in asked if not url.startswith("data:")] == [report.html.as_uri()]
    page.close()


def _bytes(source: str) -> bytes:
    import base64

    return base64.b64decode(source.partition(",")[2])


def _luminance(colour: str) -> float:
    """Relative luminance of `rgb(...)` (WCAG 2)."""
    channels = [float(each) / 255 for each in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)
