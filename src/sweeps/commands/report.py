"""The commands that show what the records say: figures, figure, report, verify, dashboard."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from sweeps.amounts import number_of
from sweeps.commands.arguments import selected, settings_in, study_of, text_of
from sweeps.config.analysis import ROLES
from sweeps.config.places import EXPERIMENTS, experiment_file
from sweeps.errors import CommandError, nearest, unknown
from sweeps.records.paths import ReportPaths, SweepPaths
from sweeps.terminal import say


def figures(arguments: list[str]) -> int:
    """Draw the figures of an experiment from its records; of several as one: experiment=a,b."""
    from sweeps.report.make import make_figures, records_to_report
    from sweeps.report.study import analysis_of

    settings = settings_in(arguments, ("experiment", "runs_dir"), several=True)
    sweep, roots = study_of(settings)
    for path in make_figures(sweep, records_to_report(roots), analysis_of(settings["experiment"])):
        say(f"{path}")
    return 0


def figure(arguments: list[str]) -> int:
    """Draw figures of the catalogue by name; without a name, list the names.

    `figure gradient_by_lag_start colour=init.gain panel=arch row=init select='task.length=100 clip=none'` says which
    axis is drawn as what, and of which part of the records; what is not said is found from what the study varied.
    `figure matrix_powers` and others are of theory and need no records; they go to runs_dir/figures or into=FOLDER.
    `figure score_by_level metric=decay_start` shows any number of a run, by the axes that matter most for it.
    experiment=a,b takes several sweeps as one. What is said so is written to a folder of its own in report/figures
    (`colour=init.gain-panel=arch`), beside the figures of the report, or to into=FOLDER.
    """
    from sweeps.figures.catalogue import FIGURES, FURTHER, why_nothing
    from sweeps.figures.charts import ON_FIRST_SCREEN
    from sweeps.figures.draw import draw
    from sweeps.figures.from_theory import THEORY
    from sweeps.report.make import records_to_report
    from sweeps.report.study import analysis_of

    names = [text for text in arguments if "=" not in text and not text.startswith("-")]
    rest = [text for text in arguments if text not in names]
    settings = settings_in(
        rest, ("experiment", "runs_dir", "formats", "into", *ROLES, "select", "metric"), several=True
    )
    if not names:
        say(f"Figures: {', '.join(FIGURES)}")
        say(f"Further ones, of probes and on request: {', '.join(FURTHER)}")
        say(f"Of theory, without records: {', '.join(THEORY)}")
        return 0
    if set(names) <= set(THEORY):
        return _from_theory(names, settings)
    sweep, roots = study_of(settings)
    into = Path(settings["into"]) if "into" in settings else _place_of(settings, sweep)
    formats = [kind for kind in settings.get("formats", "pdf,svg,png").split(",") if kind]
    chosen = {slot: settings[key] for key, slot in ROLES.items() if key in settings}
    records = selected(records_to_report(roots), settings.get("select", ""))
    if "metric" in settings and (others := [name for name in names if name != ON_FIRST_SCREEN]):
        raise CommandError([f"metric: {', '.join(others)} shows numbers of its own; {ON_FIRST_SCREEN} shows any"])
    analysis = analysis_of(settings["experiment"])
    drawn = draw(records, into, names, formats, chosen, analysis.axes, settings.get("metric") or analysis.metric)
    for each in drawn:
        for kind in formats:
            say(str(each.stem.with_name(f"{each.stem.name}.{kind}")))
    for name in sorted(set(names) - {each.name for each in drawn}):
        reasons = dict.fromkeys(why_nothing(name, part, settings.get("metric")) for _, part in records.by_task())
        say(f"{name}: these records hold nothing to draw ({'; '.join(reasons)})")
    return 0


def _from_theory(names: Sequence[str], settings: Mapping[str, str]) -> int:
    """Draw figures that need no records, into `into`, or `figures/` of the folder of runs."""
    from sweeps.figures.draw import draw_theory

    into = Path(settings["into"]) if "into" in settings else Path(settings["runs_dir"]) / "figures"
    for path in draw_theory(into, names, [kind for kind in settings.get("formats", "pdf,svg,png").split(",") if kind]):
        say(str(path))
    return 0


def _place_of(settings: Mapping[str, str], sweep: SweepPaths) -> Path:
    """Where figures go that are not the report's: a folder named after what was asked for; else the report's own."""
    asked = [f"{key}={settings[key]}" for key in (*ROLES, "select", "metric") if key in settings]
    name = re.sub(r"[^\w.,=-]+", "-", "-".join(asked))
    return sweep.report.figures / name if name else sweep.report.figures


def report(arguments: list[str]) -> int:
    """Write the tables, figures and report of an experiment from its records, with a page for every run.

    experiment=a,b makes one report of several sweeps, in a+b/report beside them: settings that differ between them are
    axes, a cell that is in both counts once. pages=true or pages=false says whether the runs have pages; by default up
    to 2,000 runs do.
    """
    from sweeps.analysis.provenance import cells_of
    from sweeps.report.make import make_report, records_to_report
    from sweeps.report.study import analysis_of

    settings = settings_in(arguments, ("experiment", "runs_dir", "into", "pages"), several=True)
    if (given := settings.get("pages")) not in (None, "true", "false"):
        raise CommandError([unknown("pages", given, ("true", "false"))])
    into = Path(settings["into"]) if "into" in settings else None
    pages = None if given is None else given == "true"
    (sweep, roots), analysis = study_of(settings), analysis_of(settings["experiment"])
    records, readme = records_to_report(roots), text_of(settings, "README.md")
    older, cells = cells_of(ReportPaths(into) if into else sweep.report), len(records.cells)
    if older is not None and older > cells:
        say(f"The report that is there was made of {number_of(older, 'cell')}; it is replaced by one of {cells}.")
    claims = _claims(settings, roots)
    made = make_report(sweep, readme, claims=claims, into=into, records=records, pages=pages, analysis=analysis)
    problems = records.problems["problem"].value_counts()
    if len(problems):
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(problems.items()))
        say(f"Not counted: {kinds} ({made.problems} says why)")
    if {"damaged", "contradictory"} & set(problems.index):
        say("The folder of a damaged cell can be deleted: the same sweep then trains it again.")
    say(f"Figures: {made.figures}")
    say(f"Report:  {made.html} (as Markdown: {made.markdown.name})")
    return 0


def _claims(settings: dict[str, str], roots: list[Path]) -> str | None:
    """What the user wrote of the claims, and the verdicts on those that are declared; None for neither."""
    from sweeps.analysis.provenance import provenance
    from sweeps.claims.of_experiment import claims_of
    from sweeps.claims.words import markdown
    from sweeps.report.make import records_to_report

    written, path = text_of(settings, "claims.md"), EXPERIMENTS / settings["experiment"] / "claims.yaml"
    if not path.is_file():
        return written
    records = records_to_report(roots)
    judged = markdown(claims_of(path, records), provenance(records, "claims"))
    return "\n\n".join(filter(None, (written, judged)))


def verify(arguments: list[str]) -> int:
    """Make a report again from the records, in a temporary folder, and list what differs from the one on disk."""
    from sweeps.report.study import analysis_of
    from sweeps.report.verify import verify as verdict_on

    settings = settings_in(arguments, ("experiment", "runs_dir"), several=True)
    (sweep, roots), analysis = study_of(settings), analysis_of(settings["experiment"])
    question, claims = text_of(settings, "README.md"), _claims(settings, roots)
    verdict = verdict_on(sweep, question, claims=claims, roots=roots, analysis=analysis)
    for text in verdict.records:
        say(f"record: {text}")
    for text in verdict.report:
        say(f"report: {text}")
    if verdict.stale:
        say(f"report: {len(verdict.stale)} further files differ only in where they say they come from")
    for name in verdict.left:
        say(f"note: {name} is not made from these records")
    if verdict.differs:
        say(f"{sweep.report.root} is not what its records give; `python -m sweeps report` makes it again")
        return 1
    say(f"All {verdict.files} files of {sweep.report.root} are what the records give, byte for byte.")
    return 0


def dashboard(arguments: list[str]) -> int:
    """Show an experiment in the browser until Ctrl-C: what trains now, and its report, made again as cells finish.

    It may be started before there are records: it waits for them.
    """
    from sweeps.dashboard.live import live
    from sweeps.dashboard.serve import open_browser, port_of, serve

    settings = settings_in(arguments, ("experiment", "runs_dir", "open", "port"))
    if (opened := settings.get("open", "true")) not in ("true", "false"):
        raise CommandError([unknown("open", opened, ("true", "false"))])
    port = port_of(settings.get("port", "0"))
    name = settings["experiment"]
    sweep = SweepPaths.at(settings["runs_dir"], name)
    if not sweep.root.is_dir():
        near = nearest(name, (each.root.name for each in SweepPaths.within(sweep.root.parent)))
        hint = f" Did you mean {near!r}?" if near and not experiment_file(name).exists() else ""
        say(f"There are no records in {sweep.root} yet; waiting for them.{hint}")
    words = [f"experiment={name}", f"runs_dir={sweep.root.parent}"]
    command = [sys.executable, "-m", "sweeps", "report", *words]
    with suppress(KeyboardInterrupt), live(sweep, command) as shown, serve(shown, port) as address:
        say(f"{name}: {address} (Ctrl-C stops it)")
        mirrored = sweep.mirrored_runs
        make = "" if mirrored.is_dir() else f"python -m sweeps mirror {' '.join(words)} && "
        say(f"In a terminal: {make}wandb leet {mirrored}")
        if opened == "true":
            open_browser(address)
        threading.Event().wait()
    say("Stopped.")
    return 0
