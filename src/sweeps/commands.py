"""The commands beside training: plan, report, mirror, sync, dashboard ... Each takes `key=value` like the rest."""

from __future__ import annotations

import os
import select
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from sweeps.arguments import HELP, settings_in, sweep_of, written
from sweeps.config.places import EXPERIMENTS
from sweeps.errors import ConfigError, unknown
from sweeps.records.paths import SweepPaths
from sweeps.terminal import terminal


def plan(arguments: list[str]) -> int:
    """Say what a sweep would do, and do nothing."""
    from sweeps.application import MULTIRUN, hydra_app

    if HELP & set(arguments):
        return hydra_app(["--help"])
    settings = [text for text in arguments if text not in MULTIRUN and not text.startswith("hydra/launcher=")]
    return hydra_app(["-m", *settings, "hydra.launcher.dry_run=true"])


def figures(arguments: list[str]) -> int:
    """Draw the figures of an experiment from its records."""
    from sweeps.report import make_figures

    sweep = sweep_of(settings_in(arguments, ("experiment", "runs_dir")))
    for path in make_figures(sweep):
        _say(f"{path}")
    return 0


def figure(arguments: list[str]) -> int:
    """Draw figures of the catalogue by name; without a name, say which there are."""
    from sweeps.analysis.figures.draw import FIGURES, draw
    from sweeps.report import asked_for

    names = [text for text in arguments if "=" not in text and not text.startswith("-")]
    rest = [text for text in arguments if text not in names]
    settings = settings_in(rest, ("experiment", "runs_dir", "formats", "into"))
    if not names:
        _say(f"Figures: {', '.join(FIGURES)}")
        return 0
    sweep = sweep_of(settings)
    into = Path(settings["into"]) if "into" in settings else sweep.report / "figures"
    formats = [kind for kind in settings.get("formats", "pdf,svg,png").split(",") if kind]
    drawn = draw(asked_for(sweep.root), into, names, formats)
    for each in drawn:
        for kind in formats:
            _say(str(each.stem.with_name(f"{each.stem.name}.{kind}")))
    for name in sorted(set(names) - {each.name for each in drawn}):
        _say(f"{name}: these records hold nothing to draw")
    return 0


def report(arguments: list[str]) -> int:
    """Write the tables, figures and report of an experiment from its records."""
    from sweeps.report import asked_for, make_report

    settings = settings_in(arguments, ("experiment", "runs_dir", "into"))
    into = Path(settings["into"]) if "into" in settings else None
    sweep = sweep_of(settings)
    records, readme = asked_for(sweep.root), written(settings, "README.md")
    page = make_report(sweep, readme, claims=written(settings, "claims.md"), into=into, records=records)
    lost = records.problems["problem"].value_counts()
    if len(lost):
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(lost.items()))
        _say(f"Not counted: {kinds} ({page.parent / 'tables' / 'problems.csv'} says why)")
    if {"damaged", "contradictory"} & set(lost.index):
        _say("The folder of a damaged cell can be deleted: the same sweep then trains it again.")
    _say(f"Figures: {page.with_name('figures')}")
    _say(f"Report:  {page} (as Markdown: {page.with_suffix('.md').name})")
    return 0


def verify(arguments: list[str]) -> int:
    """Make everything of a report again from the records, elsewhere, and say what differs."""
    from sweeps.verify import verify as verdict_on

    settings = settings_in(arguments, ("experiment", "runs_dir"))
    sweep = sweep_of(settings)
    verdict = verdict_on(sweep, written(settings, "README.md"), claims=written(settings, "claims.md"))
    for text in verdict.records:
        _say(f"record: {text}")
    for text in verdict.report:
        _say(f"report: {text}")
    if verdict.stale:
        _say(f"report: {len(verdict.stale)} further files differ only in where they say they come from")
    for name in verdict.left:
        _say(f"note: {name} is not made from these records")
    if verdict.differs:
        _say(f"{sweep.report} is not what its records give; `python -m sweeps report` makes it again")
        return 1
    _say(f"All {verdict.files} files of {sweep.report} are what the records give, byte for byte.")
    return 0


def mirror(arguments: list[str]) -> int:
    """Mirror an experiment's finished cells to W&B; with --follow until standard input closes."""
    from sweeps.records.mirror import follow

    following = "--follow" in arguments
    keys = ("experiment", "runs_dir", "tracker.project", "tracker.mode", "tracker.entity")
    settings = settings_in([text for text in arguments if text != "--follow"], keys)
    if following:
        os.nice(19)  # training comes first
    result = follow(
        sweep_of(settings),
        _input_closed if following else lambda: True,
        project=settings.get("tracker.project", "sweeps"),
        mode=settings.get("tracker.mode", "offline"),
        entity=settings.get("tracker.entity") or None,
    )
    for note in result.notes:
        _say(note)
    there = len(result.mirrored) + len(result.already)
    if result.mode != "disabled":
        folder = sweep_of(settings).wandb / "wandb"
        _say(f"{there} cells are in {folder} ({result.mode}), {len(result.mirrored)} of them new")
    for cell, reason in list(result.failed.items())[:3]:
        _say(f"{cell}: {reason}")
    if result.failed:
        _say(f"{len(result.failed)} cells could not be mirrored; their CSV records are whole")
    return 1 if result.failed else 0


def sync(arguments: list[str]) -> int:
    """Send an experiment's mirrored runs to the W&B server, each once."""
    from sweeps.records.sync import sync as send

    settings = settings_in(arguments, ("experiment", "runs_dir"))
    result = send(sweep_of(settings), _say)
    _say(f"{len(result.sent)} runs sent now, {len(result.already)} before")
    for run, problem in result.damaged.items():
        _say(f"{run}: its offline file is damaged ({problem}) and was skipped")
    for run, reason in list(result.failed.items())[:3]:
        _say(f"{run}: {reason}")
    if result.damaged:
        again = f"python -m sweeps mirror experiment={settings['experiment']}"
        _say(f"{len(result.damaged)} damaged files: `{again}` makes them again from the CSV records")
    if result.failed:
        _say(f"{len(result.failed)} runs did not arrive whole; sync again sends the rest")
    return 1 if result.failed or result.damaged else 0


def workspace(arguments: list[str]) -> int:
    """Make or update the W&B workspace and report of an experiment."""
    from sweeps.analysis.loading.load import load
    from sweeps.dashboard.publish import publish
    from sweeps.dashboard.workspace import study_of

    settings = settings_in(arguments, ("experiment", "runs_dir", "tracker.project", "tracker.entity"))
    study = study_of(load(sweep_of(settings).root))
    project, entity = settings.get("tracker.project", "sweeps"), settings.get("tracker.entity") or None
    for title, address in publish(study, project, entity):
        _say(f"{title}: {address}")
    return 0


def dashboard(arguments: list[str]) -> int:
    """Show an experiment in the browser, its report made again as cells finish, until Ctrl-C."""
    from sweeps.dashboard.live import live
    from sweeps.dashboard.serve import open_browser, port_of, serve

    settings = settings_in(arguments, ("experiment", "runs_dir", "open", "port"))
    if (wanted := settings.get("open", "true")) not in ("true", "false"):
        raise ConfigError([unknown("open", wanted, ("true", "false"))])
    port = port_of(settings.get("port", "0"))
    name, runs = settings["experiment"], Path(settings["runs_dir"]).absolute()
    sweep = SweepPaths(runs / name)
    if not (EXPERIMENTS / name / "sweep.yaml").exists():  # one that can still be started is waited for
        sweep = sweep_of(settings)
    where = [f"experiment={name}", f"runs_dir={runs}"]
    command = [sys.executable, "-m", "sweeps", "report", *where]
    with suppress(KeyboardInterrupt), live(sweep, command) as shown, serve(shown, port) as address:
        _say(f"{name}: {address} (Ctrl-C stops it)")
        mirrored = sweep.wandb / "wandb"
        make = "" if mirrored.is_dir() else f"python -m sweeps mirror {' '.join(where)} && "
        _say(f"In a terminal: {make}wandb leet {mirrored}")
        if wanted == "true":
            open_browser(address)
        threading.Event().wait()
    _say("Stopped.")
    return 0


COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "plan": plan,
    "figures": figures,
    "figure": figure,
    "report": report,
    "verify": verify,
    "mirror": mirror,
    "sync": sync,
    "workspace": workspace,
    "dashboard": dashboard,
}


def _input_closed() -> bool:
    """Whether standard input has reached its end, without waiting for it."""
    ready, _, _ = select.select([sys.stdin], [], [], 0)
    return bool(ready) and not os.read(sys.stdin.fileno(), 1)


def _say(text: str) -> None:
    terminal().print(text)
