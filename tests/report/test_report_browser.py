"""The report in a real browser: it asks the network for nothing, shows every picture, sorts, and fits a phone."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page

from analysis.make_records import write_sweep
from sweeps.records.paths import SweepPaths
from sweeps.report.make import make_report

README = (
    "# Who remembers?\n\nA [remote picture](http://example.invalid/) ![](http://example.invalid/a.png) stays outside."
    "\n\n| a |\n|--:|\n| 1 |\n\nProse goes on behind a table."
)
CLAIMS = """Sorted by number, with powers of ten beyond what a number holds and one missing:

| name | value |
|------|------:|
| b    | 10^-400 |
| a    | 2.5 [1, 4] |
| d    | – |
| c    | **10^-2.7** |
| e    | 10^1.0 |

| share |
|------:|
| 9 of 10 (90%) |
| 10 of 12 (83%) |
| -inf |
"""


@dataclass(frozen=True)
class Seen:
    """A page, with its console messages and the addresses it requested since it was opened."""

    page: Page
    messages: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The HTML file of a report alone in an empty folder."""
    root = tmp_path_factory.mktemp("runs") / "small"
    write_sweep(root, archs=("rnn_tanh", "rnn_relu"), inits=("random", "identity"), lengths=(10, 20))
    page = make_report(SweepPaths(root), README, claims=CLAIMS).html
    return Path(shutil.copy(page, tmp_path_factory.mktemp("elsewhere")))


@pytest.mark.slow
def test_a_click_on_a_run_opens_its_page_and_a_click_there_comes_back(browser: Browser, tmp_path: Path) -> None:
    cell = write_sweep(tmp_path / "small", archs=("gru",), inits=("random", "identity"), lengths=(10,))[0]
    made = make_report(SweepPaths(tmp_path / "small"))
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(made.html.as_uri())
    page.get_by_role("link", name=cell).click()
    assert page.url == (made.runs / f"{cell}.html").as_uri()
    assert page.locator("figure").count() == 6 and page.locator("path.curve").count() >= 5
    page.get_by_role("link", name="The report of small").click()
    assert page.url == made.html.as_uri()
    assert [url for url in asked if not url.startswith(("data:", "file:"))] == []
    page.close()


@pytest.fixture(scope="module")
def opened(browser: Browser, report: Path) -> Seen:
    seen = Seen(browser.new_page(viewport={"width": 1200, "height": 900}))
    seen.page.on("console", lambda message: seen.messages.append(message.text))
    seen.page.on("pageerror", lambda error: seen.messages.append(str(error)))
    seen.page.on("request", lambda request: seen.requests.append(request.url))
    seen.page.goto(report.as_uri())
    return seen


@pytest.fixture
def page(opened: Seen) -> Page:
    opened.page.set_viewport_size({"width": 1200, "height": 900})
    return opened.page


def test_it_opens_without_an_error_and_without_the_network(opened: Seen, report: Path) -> None:
    assert opened.page.title() == "Who remembers?"
    assert opened.messages == []
    assert [url for url in opened.requests if not url.startswith("data:")] == [report.as_uri()]


def test_every_picture_is_there(page: Page) -> None:
    pictures = page.locator("img")
    assert pictures.count() == 9
    widths = pictures.evaluate_all("all => all.map(each => each.complete ? each.naturalWidth : 0)")
    assert min(widths) > 600
    assert all(pictures.evaluate_all("all => all.map(each => each.alt.length > 10)"))


def test_prose_behind_a_table_of_the_question_is_no_note_to_it(page: Page) -> None:
    size = "each => getComputedStyle(each).fontSize + getComputedStyle(each).color"
    prose, before = (page.get_by_text(text).evaluate(size) for text in ("goes on behind a table", "stays outside."))
    note = page.locator(".table p:not(.caption)").first.evaluate(size)
    assert prose == before != note


def test_every_link_within_the_page_leads_somewhere(page: Page) -> None:
    links = page.locator('a[href^="#"]')
    assert links.count() >= 8
    assert links.evaluate_all("all => all.filter(a => !document.getElementById(a.hash.slice(1))).length") == 0


def test_a_download_is_the_file(page: Page) -> None:
    with page.expect_download() as download:
        page.get_by_role("link", name="comparison.csv").click()
    assert download.value.suggested_filename == "comparison.csv"
    assert download.value.path().read_text().startswith("arch,init,clip,length,n,")


def test_a_table_sorts_up_down_and_back(page: Page) -> None:
    table = page.locator("table", has=page.get_by_role("columnheader", name="value"))
    head, button = table.get_by_role("columnheader", name="value"), table.get_by_role("button", name="value")
    before = names(table)
    assert before == ["b", "a", "d", "c", "e"] and head.get_attribute("aria-sort") is None
    button.click()
    assert (names(table), head.get_attribute("aria-sort")) == (["b", "c", "e", "a", "d"], "ascending")
    button.click()
    assert (names(table), head.get_attribute("aria-sort")) == (["a", "e", "c", "b", "d"], "descending")
    button.click()
    assert (names(table), head.get_attribute("aria-sort")) == (before, None)


def test_a_table_sorts_from_the_keyboard_one_column_at_a_time(page: Page) -> None:
    table = page.locator("table", has=page.get_by_role("columnheader", name="value"))
    table.get_by_role("button", name="name").focus()
    page.keyboard.press("Enter")
    assert names(table) == ["a", "b", "c", "d", "e"]
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    heads = table.get_by_role("columnheader").evaluate_all("all => all.map(each => each.ariaSort)")
    assert heads == [None, "ascending"]
    page.keyboard.press("Space")
    page.keyboard.press("Space")  # as it was, for the other tests


def test_shares_sort_by_their_first_number(page: Page) -> None:
    table = page.locator("table", has=page.get_by_role("columnheader", name="share", exact=True)).last
    table.get_by_role("button", name="share").click()
    assert names(table) == ["-inf", "9 of 10 (90%)", "10 of 12 (83%)"]


def test_it_fits_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.locator("details").first.evaluate("each => { each.open = true }")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    boxes = page.locator(".box").evaluate_all("all => all.map(each => [each.scrollWidth, each.clientWidth])")
    assert len(boxes) >= 15 and all(shown <= 390 for _, shown in boxes)
    assert any(full > shown for full, shown in boxes), "what is wider scrolls in its own box"
    box = page.locator(".box", has=page.locator("td:nth-child(6)")).first
    first = box.locator("td").first
    left = first.evaluate("each => each.getBoundingClientRect().left")
    box.evaluate("each => { each.scrollLeft = 60 }")
    assert box.evaluate("each => each.scrollLeft") == 60
    assert first.evaluate("each => each.getBoundingClientRect().left") == left, "the names of rows stay in sight"
    assert page.locator("table td").first.evaluate("each => parseFloat(getComputedStyle(each).fontSize)") >= 13


def test_it_prints_whole_pictures_and_no_controls(page: Page) -> None:
    page.emulate_media(media="print")
    assert page.locator("figure").first.evaluate("each => getComputedStyle(each).breakInside") == "avoid"
    assert not page.get_by_role("navigation").is_visible()
    short = page.locator(".table table", has=page.locator("td")).first
    assert short.evaluate("each => getComputedStyle(each).breakInside") == "avoid"
    # Chromium leaves a button out of a head that it repeats on the next page
    assert page.locator("th button").first.evaluate("each => getComputedStyle(each).display") == "contents"
    assert page.locator("pre").first.evaluate("each => each.scrollWidth <= each.clientWidth")
    page.set_viewport_size({"width": 700, "height": 900})  # about the width of A4 between its margins
    wide = "all => all.filter(each => each.getBoundingClientRect().right > innerWidth).length"
    assert page.locator("img, table").evaluate_all(wide) == 0
    page.emulate_media(media="screen")


def test_it_is_a_document_without_scripts(browser: Browser, report: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    bare = context.new_page()
    bare.goto(report.as_uri())
    assert bare.get_by_role("heading", name="The answer in numbers").is_visible()
    assert bare.locator(".table th").first.inner_text() == "axis" and bare.locator("th button").count() == 0
    context.close()


def names(table: Locator) -> list[str]:
    """The first column, from above."""
    return table.locator("tbody tr td:first-child").all_inner_texts()
