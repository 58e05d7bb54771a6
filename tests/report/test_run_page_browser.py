"""The page of one run in a real browser: what is drawn and what hovering says are the record's numbers.

A drawn point is read back through the texts of the ticks beside it, as a reader does.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Browser, Locator, Page

from analysis.make_records import write_cell
from sweeps.analysis.loading.one import OneRun, read_run
from sweeps.analysis.typed import Typed
from sweeps.records.paths import SweepPaths
from sweeps.report.run_page import write_run_page

LOSS, SCORE, NORM, SPECTRA = (
    "Loss",
    "Explained variance",
    "Gradient of the parameters",
    "Spectra of the recurrent matrices",
)
MAP, LAGS = "Gradient through time, over training", "Gradient through time, first and last"
TICKS = """texts => texts.map(each => [each.getAttribute(AXIS), [...each.childNodes]
    .filter(part => !/\u200b/.test(part.textContent))
    .map(part => (part.nodeName === 'tspan' ? '^' : '') + part.textContent).join('')])"""
WIDE = """() => [...document.querySelectorAll('body *')].filter(each => !each.closest('svg') && (
    each.getBoundingClientRect().right > innerWidth + 0.5 || each.scrollWidth > each.clientWidth + 1
    && getComputedStyle(each).display !== 'inline')).map(each => each.outerHTML.slice(0, 80))"""


@dataclass(frozen=True)
class Opened:
    """A page, the run it is of, its requests and its errors."""

    page: Page
    run: OneRun
    requests: list[str]
    errors: list[str]

    def figure(self, title: str) -> Locator:
        return self.page.locator("figure", has=self.page.get_by_role("heading", name=title, exact=True))

    def key(self, title: str) -> list[str]:
        return [text.strip() for text in self.figure(title).locator(".key span").all_inner_texts()]

    def hover(self, title: str, across: float, down: float) -> list[str]:
        """The lines that hovering says at a part of the figure's drawing, from its left and from above."""
        drawing = self.figure(title).locator(".drawn > svg")
        drawing.scroll_into_view_if_needed()
        area = drawing.bounding_box()
        assert area is not None
        self.page.mouse.move(area["x"] + across * area["width"], area["y"] + down * area["height"])
        return self.figure(title).locator(".tip:visible div").all_inner_texts()

    def axis(self, title: str, axis: str) -> Callable[[float], float]:
        """From a place in the drawing to the value there, log10 of it on a logarithmic axis."""
        found = self.figure(title).locator(f"text.tick.{axis}").evaluate_all(TICKS.replace("AXIS", f"'{axis}'"))
        offset = 4.0 if axis == "y" else 0.0  # of a text's baseline below its tick
        logarithmic = axis == "y" and title in (LOSS, NORM, LAGS)
        (first, low), (last, high) = (
            (float(place) - offset, value(text, logarithmic)) for place, text in (found[0], found[-1])
        )
        return lambda place: low + (place - first) / (last - first) * (high - low)

    def drawn(self, title: str, name: str) -> np.ndarray:
        """[N, 2], the points of a curve as the axes have them."""
        path = self.figure(title).locator(f'path.curve[data-name="{name}"]').get_attribute("d")
        points = [(float(x), float(y)) for x, y in re.findall(r"[ML]([-\d.]+) ([-\d.]+)", path or "")]
        x, y = self.axis(title, "x"), self.axis(title, "y")
        return np.array([[x(across), y(down)] for across, down in points])

    def csv(self, name: str) -> pd.DataFrame:
        return pd.read_csv(self.run.paths.root / name)


def value(text: str, logarithmic: bool = False) -> float:
    """The number in a text of the page, or its log10: `0.05`, `10^−3`, `5·10^−4`."""
    power = re.fullmatch(r"(?:([\d.]+)·)?10\^?([-\d.]+)|([-\d.e]+)", text.replace("−", "-"))
    if "·" in text or "^" in text:
        assert power is not None, text
        log10 = float(power[2]) + (math.log10(float(power[1])) if power[1] else 0.0)
        return log10 if logarithmic else 10.0**log10
    number = float(text.replace("−", "-"))
    return math.log10(number) if logarithmic else number


@pytest.fixture
def shown(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Opened]]:
    pages: list[Opened] = []

    def show(width: int = 1400, scheme: Any = "light", **cell: Any) -> Opened:
        run = read_run(SweepPaths(tmp_path / "small").cell(write_cell(tmp_path / "small", **cell)))
        write_run_page(run, Typed({"arch"}, "python -m sweeps arch=lstm" + " x.y=1" * 30), tmp_path / f"{run.id}.html")
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        opened = Opened(page, run, [], [])
        page.on("request", lambda request: opened.requests.append(request.url))
        page.on("console", lambda message: opened.errors.append(message.text))
        page.on("pageerror", lambda error: opened.errors.append(str(error)))
        page.goto((tmp_path / f"{run.id}.html").as_uri())
        pages.append(opened)
        return opened

    yield show
    for each in pages:
        assert each.errors == [] and [url[:5] for url in each.requests[1:]] == ["data:"] * (len(each.requests) - 1)
        assert each.requests[0].endswith(f"{each.run.id}.html")
        each.page.close()


def test_the_curves_are_those_of_the_record(shown: Callable[..., Opened]) -> None:
    opened = shown(arch="lstm", clip="norm", length=60, noise=0.3)
    metrics, lags = opened.csv("metrics.csv"), opened.csv("gradient_through_time.csv")
    evaluated, last = metrics.dropna(subset=["eval_loss"]), lags[lags["step"] == 200].sort_values("lag")
    for title, name, x, y in (
        (LOSS, "training", metrics["step"], np.log10(metrics["train_loss"])),
        (LOSS, "evaluation", evaluated["step"], np.log10(evaluated["eval_loss"])),
        (SCORE, "evaluation", evaluated["step"], evaluated["eval_score"]),
        (NORM, "before clipping", metrics["step"], np.log10(metrics["grad_norm"])),
        (NORM, "after clipping", metrics["step"], np.log10(metrics["grad_norm_clipped"])),
        (LAGS, "step 200", last["lag"], last["log10_norm"]),
        (SPECTRA, "ρ", metrics["step"], [1.0] * len(metrics)),
        (SPECTRA, "σ_{max}", metrics["step"], [1.1] * len(metrics)),
    ):
        points, span = opened.drawn(title, name), max(float(np.ptp(y)), 0.1)
        assert points[:, 0] == pytest.approx(list(x), abs=0.005 * max(x)), (title, name)
        assert points[:, 1] == pytest.approx(list(y), abs=0.01 * span), (title, name)
    assert opened.figure(LOSS).locator("path.level").count() == 1
    assert opened.key(NORM) == [
        "before clipping",
        "after clipping",
        "threshold",
    ]


@pytest.mark.slow
def test_the_map_has_the_colours_of_the_record(shown: Callable[..., Opened]) -> None:
    opened = shown(length=30, noise=0.3, slope=-0.2)
    pixels = opened.page.evaluate(
        """async () => {
            const image = new Image();
            image.src = document.querySelector('image').getAttribute('href');
            await image.decode();
            const sheet = document.createElement('canvas');
            [sheet.width, sheet.height] = [image.width, image.height];
            const pen = sheet.getContext('2d');
            pen.drawImage(image, 0, 0);
            return [image.width, image.height, [...pen.getImageData(0, 0, image.width, image.height).data]];
        }"""
    )
    picture = np.array(pixels[2]).reshape(pixels[1], pixels[0], 4)[:, :, :3]
    table = opened.csv("gradient_through_time.csv").pivot_table(index="lag", columns="step", values="log10_norm")
    rows = ((np.arange(30)[::-1] + 0.5) / 30 * pixels[1]).astype(int)  # lag 0 at the bottom
    columns = ((np.arange(11) + 0.5) / 11 * pixels[0]).astype(int)
    norms = table.to_numpy()
    shares = (norms - norms.min()) / (norms.max() - norms.min())
    expected = matplotlib.colormaps["viridis"](shares)[:, :, :3] * 255
    assert np.abs(picture[np.ix_(rows, columns)] - expected).max() <= 6


def test_hovering_says_the_step_and_the_values(shown: Callable[..., Opened]) -> None:
    opened = shown(arch="gru", clip="norm", length=60, slope=(-7.0, -0.1), noise=0.2)
    metrics = opened.csv("metrics.csv").set_index("step")
    at, *lines = opened.hover(NORM, 0.5, 0.4)
    step = int(at.removeprefix("step "))
    assert [line.rpartition(" ")[0] for line in lines] == ["before clipping", "after clipping"]
    for line, column in zip(lines, ("grad_norm", "grad_norm_clipped"), strict=True):
        assert value(line.rpartition(" ")[2]) == pytest.approx(metrics[column][step], rel=0.01)
    norms = opened.csv("gradient_through_time.csv").set_index(["step", "lag"])["log10_norm"]
    for across, down in ((0.2, 0.1), (0.2, 0.8), (0.6, 0.4), (0.75, 0.12)):
        place, said = opened.hover(MAP, across, down)
        found = re.fullmatch(r"step (\d+), lag (\d+)", place)
        assert found is not None
        told = said.removeprefix("‖∂L/∂ht‖ ").replace("·10", "·10^")
        assert value(told, logarithmic=True) == pytest.approx(norms[int(found[1]), int(found[2])], abs=0.03), place
    assert norms.min() < -350, "where float64 has nothing left"
    assert opened.hover(MAP, 0.97, 0.5) == [], "beside the map, over the colour bar"
    at, *lines = opened.hover(LAGS, 0.5, 0.5)
    assert at.startswith("lag ") and [line.split(" ")[:2] for line in lines] == [["step", "0"], ["step", "200"]]
    opened.page.mouse.move(1, 1)
    assert opened.page.locator(".tip:visible").count() == 0


def test_powers_of_ten_are_ticks_far_beyond_float64(shown: Callable[..., Opened]) -> None:
    opened = shown(outcome="diverged", end=60, length=400, slope=1.5)
    texts = [each for _, each in opened.figure(LAGS).locator("text.tick.y").evaluate_all(TICKS.replace("AXIS", "'y'"))]
    powers = [value(each, logarithmic=True) for each in texts]
    assert max(powers) >= 500 and all(later - earlier == powers[1] - powers[0] for earlier, later in pairwise(powers))
    assert opened.figure(LOSS).locator("path.cross").count() == 1
    assert opened.figure(NORM).locator("path.cross").count() == 1
    assert "not finite" in opened.key(LOSS)
    assert opened.hover(MAP, 0.78, 0.5)[-1].endswith("not finite"), "the last step, at which it diverged"
    assert opened.key(MAP) == ["not finite"]


def test_a_gradient_of_exactly_zero_is_shown_as_such(shown: Callable[..., Opened]) -> None:
    opened = shown(length=60, best_score=None, curve=lambda lag: -3 - 0.1 * lag if lag < 40 else -math.inf)
    assert opened.figure(SCORE).count() == 0
    assert opened.key(MAP) == ["exactly zero"]
    assert opened.hover(MAP, 0.4, 0.1)[-1] == "‖∂L/∂ht‖ 0"
    assert opened.figure(LAGS).locator("path.zero").count() == 2 * 20, "lags 40 to 59, at two steps"
    assert opened.drawn(LAGS, "step 200").shape == (40, 2)
    assert opened.hover(LAGS, 0.95, 0.5)[1:] == ["step 0 0", "step 200 0"]


def test_a_run_of_one_logged_step_has_a_page(shown: Callable[..., Opened]) -> None:
    opened = shown(outcome="diverged", end=0, slope=0.5)
    assert opened.figure(LOSS).locator("text.tick.x").all_text_contents() == ["0"]
    assert opened.figure(LOSS).locator("path.cross").count() == 1
    assert opened.figure(NORM).locator("text.tick.y").count() == 0, "there is nothing to measure"
    assert opened.hover(MAP, 0.4, 0.4) == ["step 0, lag 11", "‖∂L/∂ht‖ not finite"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_all_of_it(shown: Callable[..., Opened], scheme: str) -> None:
    page = shown(400, scheme, arch="lstm", clip="norm", length=60, noise=0.2).page
    assert page.evaluate("document.documentElement.scrollWidth") == 400
    assert page.evaluate(WIDE) == []
    ink, paper = (page.evaluate(f"getComputedStyle(document.body).{name}") for name in ("color", "backgroundColor"))
    expected = {"light": ("rgb(27, 27, 27)", "rgb(255, 255, 255)"), "dark": ("rgb(232, 230, 227)", "rgb(23, 24, 26)")}
    assert (ink, paper) == expected[scheme]
    text = page.locator(".drawn text").first.evaluate("each => getComputedStyle(each).fill")
    assert text != paper
    outside = """() => [...document.querySelectorAll('.drawn > svg text')].filter(each => {
        const [inner, outer] = [each, each.closest('.drawn')].map(one => one.getBoundingClientRect());
        return inner.left < outer.left - 1 || inner.right > outer.right + 1;
    }).map(each => each.textContent)"""
    assert page.evaluate(outside) == []


def test_it_prints_in_light_colours_two_figures_a_row(shown: Callable[..., Opened]) -> None:
    page = shown(1100, "dark", length=60).page
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    tops = page.locator("figure").evaluate_all("all => all.map(each => Math.round(each.getBoundingClientRect().top))")
    assert len(set(tops)) == len(tops) / 2
    assert page.locator("figure").first.evaluate("each => getComputedStyle(each).breakInside") == "avoid"
    assert page.evaluate(WIDE) == []


def test_without_scripts_it_is_its_text_and_tables(browser: Browser, tmp_path: Path) -> None:
    run = read_run(SweepPaths(tmp_path / "small").cell(write_cell(tmp_path / "small")))
    write_run_page(run, Typed((), "python -m sweeps"), tmp_path / "a.html", back="../report.html")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((tmp_path / "a.html").as_uri())
    assert "The figures are drawn by a script" in page.content()
    assert page.get_by_role("heading", name="Settings").is_visible()
    assert page.get_by_role("link").get_attribute("href") == "../report.html"
    context.close()
