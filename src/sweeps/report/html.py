"""A document as one HTML file that needs no other file: styles, script, pictures and downloads are inside."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Mapping, Sequence
from functools import cache, partial
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import Markup

from sweeps.records.paths import ReportPaths
from sweeps.report.as_it_is import escaper
from sweeps.report.document import MARKDOWN, Document, Picture, Section, Tabular, relative

KINDS = {
    ".csv": "text/csv",
    ".md": "text/markdown",
    ".png": "image/png",
    ".tex": "application/x-tex",
}
"""Media types by suffix; fixed here because those of `mimetypes` depend on the machine."""
STYLES = ("palette.css", "page.css")
SCRIPTS = ("contents.js", "sort.js", "look.js")
NO_FILE = re.compile(r"#|[a-z]+:")
"""The start of a link to a heading or to a URL."""
LONG = {"th": 12, "td": 32}
"""Characters of a table cell above which its text may be broken into lines."""
POWER = re.compile(r"\b10\^(-?\d+(?:\.\d+)?)")
SUBSCRIPT = re.compile(r"\b([hxL])_(\w)\b")


def symbols(text: str) -> Markup:
    """A text as HTML, with 10^-3 as a superscript and h_t as a subscript."""
    raised = POWER.sub(lambda match: f"10<sup>{match[1].replace('-', '−')}</sup>", html.escape(text))
    return Markup(SUBSCRIPT.sub(r"\1<sub>\2</sub>", raised))


class Renderer(RendererHTML):
    """Markdown to HTML for a page without other files: tables in a box that scrolls, files of the report inside."""

    def text(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """Text with 10^-3 as a superscript and h_t as a subscript."""
        return symbols(tokens[idx].content)

    def table_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return f'<div class="box" tabindex="0" role="group" aria-label="{html.escape(env["name"])}"><table>\n'

    def table_close(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return "</table></div>\n"

    def th_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        tokens[idx].attrSet("scope", "col")
        return self._cell(tokens, idx, options, env)

    def td_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return self._cell(tokens, idx, options, env)

    def _cell(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """A table cell; one with a long text gets the class that allows line breaks."""
        if len(tokens[idx + 1].content) > LONG[tokens[idx].tag]:
            tokens[idx].attrSet("class", "long")
        return self.renderToken(tokens, idx, options, env)

    def link_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """A link to a file of the report downloads it from inside the page; the page of a run opens beside this one.

        A link to any other file is removed.
        """
        target = str(tokens[idx].attrGet("href"))
        if target in env["files"]:
            tokens[idx].attrSet("href", embedded(env["files"][target]))
            tokens[idx].attrSet("download", env["files"][target].name)
        elif target not in env["pages"] and not NO_FILE.match(target):
            del tokens[idx].attrs["href"]
        return self.renderToken(tokens, idx, options, env)

    def image(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """A picture in prose becomes a link to it, so that the page never fetches anything."""
        source, text = str(tokens[idx].attrGet("src")), tokens[idx].content
        return f'<a href="{html.escape(source)}">{html.escape(text or source)}</a>'


def to_html(document: Document, folder: Path) -> str:
    """The document as HTML.

    Args:
        folder: where the file will be; the files that the document links to exist already.

    Raises:
        OSError: a picture of the document is missing.
    """
    numbers = {Tabular: document.numbered(Tabular), Picture: document.numbered(Picture)}

    def number(block: object) -> int:
        return numbers[type(block)][id(block)]

    resources = files("sweeps.report") / "page"
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    environment.lstrip_blocks = True
    environment.globals |= {
        "number": number,
        "kind": lambda block: type(block).__name__,
        "contents": [section for section in document.sections if section.level == 2],
        "parts": partial(_parts, document),
        "embedded": embedded,
        "size": size,
        "relative": partial(relative, folder=folder),
        "runs": _runs(document, folder, numbers[Picture]),
        "style": Markup("".join((resources / name).read_text(encoding="utf-8") for name in STYLES)),
        "script": Markup("".join((resources / name).read_text(encoding="utf-8") for name in SCRIPTS)),
    }
    inside = {relative(path, folder): path for path in sorted(folder.rglob("*.*")) if path.suffix in KINDS}
    pages = {relative(path, folder) for path in ReportPaths(folder).runs.glob("*.html")}
    known = {"files": inside, "pages": pages, "safe": escaper(document.texts)}
    environment.filters |= {"markdown": partial(_markdown, known), "inline": partial(_inline, known)}
    template = environment.from_string((resources / "report.html.jinja").read_text(encoding="utf-8"))
    return template.render(document=document) + "\n"


def _runs(document: Document, folder: Path, numbers: Mapping[int, int]) -> Markup:
    """The runs behind the pictures as JSON: their ids and words once, and where each lies in every picture."""
    place = {cell: at for at, cell in enumerate(document.runs)}
    pictures = [block for block in document.blocks if isinstance(block, Picture) and block.behind]
    data = {
        "pages": ReportPaths(folder).runs.is_dir(),
        "show": f"python -m sweeps show {document.place}".rstrip(),
        "runs": list(document.runs.items()),
        "figures": {
            numbers[id(each)]: {**_numbered(each.behind, place), "narrow": _narrow(each, place)} for each in pictures
        },
    }
    return Markup(json.dumps(data, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c"))


def _numbered(behind: Mapping[str, Any], place: Mapping[str, int]) -> dict[str, Any]:
    """The runs behind a picture with the place of each in the list of runs in place of its id."""
    panels = []
    for panel in behind["panels"]:
        kind = "marks" if "marks" in panel else "curves"
        panels.append({**panel, kind: [[place[cell], *numbers] for cell, *numbers in panel[kind]]})
    return {**behind, "panels": panels}


def _narrow(picture: Picture, place: Mapping[str, int]) -> list[dict[str, Any]]:
    """The panels of a picture for a small screen; without their runs where these are the same as in the large one."""
    wide, narrow = (
        [_split(panel) for panel in each.get("panels", ())] for each in (picture.behind, picture.behind_narrow)
    )
    if [runs for _, runs in wide] == [runs for _, runs in narrow]:
        return [frame for frame, _ in narrow]
    return list(_numbered(picture.behind_narrow, place)["panels"])


def _split(panel: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    frame = {key: panel[key] for key in ("box", "x", "y", "log")}
    return frame, {key: value for key, value in panel.items() if key not in frame}


def embedded(path: Path) -> str:
    """A file as a `data:` link; a PNG without its provenance, so that equal pictures give equal pages."""
    content = pixels(path) if path.suffix == ".png" else path.read_bytes()
    return f"data:{KINDS[path.suffix]};base64,{base64.b64encode(content).decode('ascii')}"


def pixels(png: Path) -> bytes:
    """The bytes of a PNG without its text chunks, which hold the provenance.

    After a signature of 8 bytes, each chunk is length (4 bytes), type (4), content and checksum (4).
    """
    content, kept, start = png.read_bytes(), [], 8
    while start < len(content):
        end = start + 12 + int.from_bytes(content[start : start + 4], "big")
        if content[start + 4 : start + 8] not in (b"tEXt", b"zTXt", b"iTXt"):
            kept.append(content[start:end])
        start = end
    return content[:8] + b"".join(kept)


def size(png: Path) -> tuple[int, int]:
    """Width and height of a PNG in CSS pixels, of two image pixels each, so that the layout is known before loading."""
    with png.open("rb") as file:
        head = file.read(24)
    return int.from_bytes(head[16:20], "big") // 2, int.from_bytes(head[20:24], "big") // 2


@cache
def _renderer() -> Renderer:
    return Renderer()


def _markdown(known: Mapping[str, Any], text: str, name: str = "table") -> Markup:
    """Markdown as HTML.

    Args:
        known: what a link may reach: `files` inside the page by link target, and `pages` beside it; `safe`, by which
            texts from the records are shown as they are.
        name: read out by screen readers for a table in the text.
    """
    return Markup(_renderer().render(MARKDOWN.parse(known["safe"](text)), MARKDOWN.options, {**known, "name": name}))


def _inline(known: Mapping[str, Any], text: str) -> Markup:
    """One paragraph of Markdown as HTML without its `<p>`."""
    return Markup(_markdown(known, text).removeprefix("<p>").removesuffix("</p>\n"))


def _parts(document: Document, section: Section) -> list[Section]:
    """The parts (level 3) of a section (level 2)."""
    start = list(document.sections).index(section) + 1
    parts = []
    for part in document.sections[start:]:
        if part.level == 2:
            break
        parts.append(part)
    return parts
