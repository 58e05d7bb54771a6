"""The page of one run: a single HTML file with its curves, heat map and spectra, its settings and what to type."""

from __future__ import annotations

import base64
from collections.abc import Collection
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import jinja2
from markupsafe import Markup
from matplotlib.figure import Figure

from sweeps.analysis.loading.one import OneRun
from sweeps.analysis.run_facts import computed, ended, numbers, reaches, settings_of, title
from sweeps.config.cards import card
from sweeps.figures import one_run
from sweeps.records.files import write_atomically
from sweeps.report.html import symbols


@dataclass(frozen=True)
class Shown:
    """A figure of the page: its title, a caption, and the picture as a `data:` link."""

    title: str
    caption: str
    picture: str


def write_run_page(run: OneRun, changed: Collection[str], command: str, path: Path) -> None:
    """Write the page of a sound record; the same record gives the same bytes.

    Args:
        changed: names of the settings that differ from the defaults.
        command: the command line to type again, or why there is none.

    Raises:
        OSError: the file cannot be written.
    """
    assert run.records is not None and run.summary is not None
    resources = files("sweeps.report") / "page"
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    environment.lstrip_blocks = True
    environment.filters["symbols"] = symbols
    template = environment.from_string((resources / "run.html.jinja").read_text(encoding="utf-8"))
    styles = "".join((resources / name).read_text(encoding="utf-8") for name in ("page.css", "run.css"))
    table = numbers(run.summary)
    text = template.render(
        run=run,
        title=title(run.config) or run.id,
        ended=ended(run.summary, run.config.get("train", {}).get("steps")),
        figures=_figures(run),
        numbers=list(zip(list(table)[1:], *table.to_numpy()[:, 1:].tolist(), strict=True)),
        groups=settings_of(run.config, changed),
        computed=computed(run.summary),
        command=command,
        typed=command.startswith("python"),
        digests={name.partition("/")[2]: digest for name, digest in sorted(run.records.digests.items())},
        style=Markup(styles),
    )
    write_atomically(path, text + "\n")


def _figures(run: OneRun) -> list[Shown]:
    """The figures that the record has something to draw for, in order."""
    assert run.records is not None and run.summary is not None
    metrics, task, clip = run.records.metrics, run.summary.task, run.config.get("clip", {})
    shown = reaches(run.records.gradient)
    told = " ".join(f"Step {each.step}: {each.per_step()}; {each.far()}." for each in shown)
    by_norm = clip.get("threshold") if clip.get("name") == "norm" else None
    own = card("arch", str(run.config.get("arch", {}).get("name"))).caption
    cross = " The cross: it was not finite." if run.summary.outcome == "diverged" else ""
    before = ", before and after clipping" if clip.get("name") != "none" else ", not clipped"
    drawn: list[tuple[str, str, Figure | None]] = [
        ("Loss", f"On a logarithmic scale.{cross}", one_run.loss(metrics, task.chance_loss)),
        (
            f"{(task.score or 'score').capitalize()}",
            "Over the evaluation set, higher is better.",
            one_run.score(metrics, task.score or "score", task.solved_at),
        ),
        (
            "Gradient of the parameters",
            f"Its global norm{before}.{cross}",
            one_run.gradient_norm(metrics, clip.get("name") != "none", by_norm),
        ),
        (
            "Gradient through time, over training",
            "‖∂L/∂h_t‖ by training step and lag, the steps back from the end of the sequence. "
            f"Black is exactly zero, grey not finite. {own}".strip(),
            one_run.through_time(run.records.gradient),
        ),
        ("Gradient through time, first and last", told, one_run.by_lag(shown)),
        (
            "Spectra of the recurrent matrices",
            "Above the grey line, at 1, a linear recurrence would let something grow.",
            one_run.spectra(run.records.parameters),
        ),
    ]
    return [Shown(name, caption, _embedded(figure)) for name, caption, figure in drawn if figure is not None]


def _embedded(figure: Figure) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(one_run.svg(figure)).decode('ascii')}"
