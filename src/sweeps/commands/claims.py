"""The command about published statements: claims."""

from __future__ import annotations

from pathlib import Path

from sweeps.commands.arguments import settings_in, study_of
from sweeps.config.places import EXPERIMENTS, choices
from sweeps.errors import SweepsError, unknown
from sweeps.terminal import say

REQUIRE, INDEX = "--require", "--index"


def claims(arguments: list[str]) -> int:
    """Judge the claims of an experiment on its records: replicated, not replicated at this budget, or refuted.

    The claims stand in experiments/NAME/claims.yaml; verdicts are printed and written to claims.md and claims.csv in
    the folder of the records, or to into=FOLDER. The exit status is 0 whatever the verdicts; with --require it is 1
    unless every claim is replicated. --index makes experiments/README.md of the verdicts in experiments/*/result.
    """
    from sweeps.claims.judge import REPLICATED
    from sweeps.claims.of_experiment import claims_of, write_verdicts
    from sweeps.claims.words import MARKS, budget_of, counted, what_was_found
    from sweeps.report.make import records_to_report

    settings = settings_in(arguments, ("experiment", "runs_dir", "into"), flags=(REQUIRE, INDEX))
    if INDEX in arguments:
        return _index()
    path = EXPERIMENTS / settings["experiment"] / "claims.yaml"
    if not path.is_file():
        if (name := settings["experiment"]) not in choices("experiment"):
            raise SweepsError(unknown("experiment", name, choices("experiment")))
        raise SweepsError(
            f"experiment {settings['experiment']} has no claims: there is no {path.name} beside its sweep"
        )
    sweep, roots = study_of(settings)
    records = records_to_report(roots)
    found = claims_of(path, records)
    for each in found:
        say(f"{MARKS[each.verdict]} {each.claim.name}: {each.verdict}")
        say(f"    {each.claim.says}")
        say(f"    the {each.claim.criterion}: {what_was_found(each)}, {budget_of(each)}; {each.why}")
    say(f"{counted(found)}.")
    for written in write_verdicts(records, found, Path(settings["into"]) if "into" in settings else sweep.root):
        say(f"Written: {written}")
    return int(REQUIRE in arguments and any(each.verdict != REPLICATED for each in found))


def _index() -> int:
    """Make the page of all experiments with committed verdicts."""
    from sweeps.claims.index import index
    from sweeps.records.files import write_atomically

    page = EXPERIMENTS / "README.md"
    write_atomically(page, index(EXPERIMENTS))
    say(f"Written: {page}")
    return 0
