"""The commands about single runs: find, show."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from sweeps.amounts import number_of
from sweeps.commands.arguments import HELP, settings_in, study_of, sweep_of
from sweeps.errors import CommandError, SweepsError
from sweeps.records.paths import SweepPaths
from sweeps.terminal import say, say_table, terminal

if TYPE_CHECKING:
    from sweeps.analysis.loading.one import OneRun

AGAIN = "--again"
PLACE = ("experiment", "runs_dir")
COMPARED = re.compile(r"^[\w.]*[<>]")
"""An argument like `score>0.9`, which a shell takes for a file to write."""


def find(arguments: list[str]) -> int:
    """List the runs of an experiment that have certain settings or results: arch=lstm,gru score=0.5..0.9.

    Settings go by the names of the command line or by their short ones (length, gain, lr); numbers are compared as
    numbers, a,b is one or the other, 20..100 a range, 0.9.. at least, ..0.1 at most. Results are outcome, and as ranges
    score and loss (the best of a run) and updates (until it was solved). A run that is not done has its problem for an
    outcome: failed, unfinished, damaged, missing. experiment=a,b searches several. Exit status 1 if there is no such
    run.
    """
    from sweeps.analysis.finding import find as found_in

    if HELP & set(arguments):
        settings_in(arguments, (*PLACE, "outcome", "SETTING"))
    for text in arguments:
        if COMPARED.search(text) or ("=" not in text and not text.startswith("-")):
            raise CommandError(
                [f"find: {text!r} is no NAME=VALUE; a range is NAME=0.9.. , NAME=..0.9 or NAME=0.5..0.9"]
            )
    own = [text for text in arguments if "=" not in text or text.partition("=")[0] in PLACE]
    wanted: dict[str, str] = {}
    for text in arguments:
        key, _, value = text.partition("=")
        if text not in own:
            if key in wanted:
                raise CommandError([f"{key}: given twice; several values are {key}={wanted[key]},{value}"])
            wanted[key] = value
    _, roots = study_of(settings_in(own, PLACE, several=True))
    found, where = found_in(roots, wanted), " and ".join(map(str, roots))
    if found.nothing:
        say(f"No cell of {where} fits: {found.nothing}")
        return 1
    heads, rows = found.heads, found.rows
    console = terminal()
    if not console.is_terminal:
        say_table(heads, rows)
        return 0
    wide = sum(2 + max(map(len, column)) for column in zip(heads, *rows, strict=True)) > console.width
    say_table(heads[:-1] if wide else heads, [row[:-1] for row in rows] if wide else rows)
    place = "".join(f" {shlex.quote(text)}" for text in arguments if text.startswith("runs_dir="))
    say(f"{len(rows)} of {number_of(found.total, 'cell')} of {where}; python -m sweeps show cell=ID{place} shows one")
    return 0


def show(arguments: list[str]) -> int:
    """Show one run: settings, how it ended, its numbers, the gradient through time, the command line to type again.

    cell= is an id or the first digits of one; without experiment= it is looked for in every sweep of runs_dir.
    page=FILE.html writes it as a page that needs no other file, with curves, heat map and spectra, and, if its
    weights were kept (train.save=final), one sequence through the network. --again trains it
    anew in a temporary folder and says file by file whether the bytes are the same: exit status 1 if not. Exit status
    1 too where the record cannot be shown: it is damaged, or its run failed or has not ended.
    """
    from sweeps.analysis.loading.one import find_cell, read_run
    from sweeps.analysis.typed import typed

    again = AGAIN in arguments
    keys = (*PLACE, "cell", "page")
    settings = settings_in(arguments, keys, flags=(AGAIN,))
    if "cell" not in settings:
        raise CommandError(["cell: not given; write cell=ID, an id or the first of its digits"])
    page = _page(settings["page"]) if "page" in settings else None
    if again and page:
        raise CommandError(["page: given together with --again, which writes none; give one of them"])
    run = read_run(find_cell(settings["cell"], sweeps_in(settings, arguments)))
    if again:
        return _again(run)
    place = [text for text in arguments if text.startswith("runs_dir=")]
    known = typed(run.config, run.id, into=None if run.records else place)
    if page is None or run.records is None:
        from sweeps.report.run_text import run_text

        say(run_text(run, known.changed, known.command))
        return 0 if run.records is not None else 1
    from sweeps.one_sequence import one_sequence
    from sweeps.report.run_page import write_run_page

    write_run_page(run, known, page, sequence=one_sequence(run))
    say(f"Page: {page}")
    return 0


def _page(text: str) -> Path:
    path = Path(text)
    if path.suffix != ".html" or path.is_dir():
        raise CommandError([f"page: given {text!r}, must be the name of a file that ends in .html"])
    if not path.absolute().parent.is_dir():
        raise CommandError([f"page: given {text!r}, must be in a folder that exists; {path.parent} does not"])
    return path


def sweeps_in(settings: dict[str, str], arguments: list[str]) -> list[SweepPaths]:
    """The sweep that is named, or every folder of runs_dir."""
    if any(text.startswith("experiment=") for text in arguments):
        return [sweep_of(settings)]
    runs = Path(settings["runs_dir"]).absolute()
    sweeps = SweepPaths.within(runs)
    if not sweeps:
        raise SweepsError(f"there are no records under {runs}; run `make sweep` first")
    return sweeps


def _again(run: OneRun) -> int:
    from sweeps.again import train_again
    from sweeps.config.shortest import settings_from
    from sweeps.report.run_text import trouble

    if run.summary is None:
        say(f"{run.id} has no record to compare with. {trouble(run)}")
        return 1
    settings = settings_from(run.config, run.id)
    say(f"Training {run.id} anew, in a temporary folder.")
    verdict = train_again(run.paths, settings, run.summary)
    for text in verdict.files.values():
        say(text)
    say(verdict.summary)
    if verdict.same:
        say("The same bytes.")
        return 0
    for text in verdict.reasons:
        say(text)
    return 1
