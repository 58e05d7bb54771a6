"""The page of one run: a single HTML file with its numbers and a script that draws them, its settings, what to type."""

from __future__ import annotations

import base64
import hashlib
import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2
from markupsafe import Markup

from sweeps.analysis.loading.one import OneRun
from sweeps.analysis.run_facts import Reach, computed, numbers, reaches, settings_of, title
from sweeps.analysis.sequence import Shown
from sweeps.records.ended import ended
from sweeps.records.files import write_atomically
from sweeps.report.html import symbols
from sweeps.report.reproduce import place_of
from sweeps.report.run_figures import run_figures
from sweeps.report.run_sequence import caption, drawn

if TYPE_CHECKING:
    from sweeps.analysis.typed import Typed  # imports Hydra


def write_run_page(
    run: OneRun,
    typed: Typed,
    path: Path,
    *,
    reach: Sequence[Reach] | None = None,
    back: str | None = None,
    words: str = "",
    sequence: Shown | str = "",
) -> None:
    """Write the page of a sound record; the same record gives the same bytes.

    Args:
        reach: from `run_facts.reaches`, if it is known already.
        words: what tells the run apart from the others of its report, from `in_words`.
        sequence: one sequence through the network, or a sentence on how to get it; empty for neither.
        back: a link to the report that the page belongs to; None for a page of its own.

    Raises:
        OSError: the file cannot be written.
    """
    assert run.records is not None and run.summary is not None
    own = run.records
    reach = reaches(own.gradient) if reach is None else reach
    figures = run_figures(run.config, run.summary, own.metrics, own.gradient, own.parameters, reach)
    to_draw = json.dumps([each.numbers for each in figures], separators=(",", ":"), allow_nan=False)
    shown = None if isinstance(sequence, str) else sequence
    table, page = numbers(run.summary), _page(with_sequence=shown is not None)
    text = page.template.render(
        run=run,
        title=title(run.config) or run.id,
        back=back,
        words=words,
        ended=ended(run.summary, run.config.get("train", {}).get("steps")),
        figures=figures,
        measured_at=table[""].tolist(),
        numbers={name: table[name].tolist() for name in list(table)[1:]},
        groups=settings_of(run.config, typed.changed),
        computed=computed(run.summary),
        typed=typed,
        place=shlex.join(place_of(run.config.get("runs_dir"))),
        digests={name.partition("/")[2]: digest for name, digest in sorted(run.records.digests.items())},
        style=page.style,
        script=page.script,
        script_digest=page.script_digest,
        numbers_to_draw=_inside(to_draw),
        sequence=sequence if shown is None else caption(shown),
        sequence_to_draw=None if shown is None else _inside(json.dumps(drawn(shown), separators=(",", ":"))),
    )
    write_atomically(path, text + "\n", lasting=False)


def _inside(data: str) -> Markup:
    """JSON inside a script element, which no text in it ends."""
    return Markup(data.replace("<", "\\u003c"))


@dataclass(frozen=True)
class _Page:
    """What all pages of runs have in common.

    Attributes:
        script_digest: of the one script that the page's content policy lets run; whatever a record holds, does not.
    """

    template: jinja2.Template
    style: Markup
    script: Markup
    script_digest: Markup


@cache
def _page(with_sequence: bool) -> _Page:
    resources = files("sweeps.report") / "page"
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    environment.lstrip_blocks = True
    environment.filters["symbols"] = symbols
    template, palette, style, script = (
        (resources / name).read_text(encoding="utf-8")
        for name in ("run.html.jinja", "palette.css", "run.css", "run.js")
    )
    if with_sequence:
        script += (resources / "sequence.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    return _Page(environment.from_string(template), Markup(palette + style), Markup(script), Markup(f"sha256-{digest}"))
