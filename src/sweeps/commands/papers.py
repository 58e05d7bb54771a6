"""The command about all published statements: papers."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from sweeps.amounts import duration, number_of
from sweeps.commands.arguments import HELP, Help, settings_in
from sweeps.commands.claims import claims
from sweeps.config.places import EXPERIMENTS, choices
from sweeps.errors import SweepsError, unknown
from sweeps.terminal import say

OWN = ("experiment", "runs_dir", "into")


def papers(arguments: list[str]) -> int:
    """Train every experiment that has claims, the cheapest first, and judge each as it ends.

    A forecast of all comes first. Cells that are done are not trained again, so that the same command goes on where it
    was stopped. experiment=NAME,NAME chooses; into=FOLDER writes the verdicts to FOLDER/NAME/result (`into=experiments`
    is how they are committed); other settings, such as executor.workers=1, are those of the training. The exit status
    is 0 whatever the verdicts, and 1 if an experiment could not be trained or judged; the others go on.
    """
    if HELP & set(arguments):
        raise Help(" ".join([*(f"[{key}=...]" for key in OWN), "[any other setting of training]"]))
    own = [text for text in arguments if text.partition("=")[0] in OWN]
    training = [text for text in arguments if text not in own]
    settings = settings_in(own, OWN, several=True)
    names = _chosen(settings["experiment"] if any(text.startswith("experiment=") for text in own) else "")
    forecasts = _forecasts(names, settings["runs_dir"], training)
    failed, took = [], {}
    for name in sorted(names, key=lambda each: forecasts[each]):
        started = time.monotonic()
        say(f"\n== {name} ==")
        into = [f"into={Path(settings['into']) / name / 'result'}"] if "into" in settings else []
        if not _trained_and_judged(name, [f"runs_dir={settings['runs_dir']}"], training, into):
            failed.append(name)
        took[name] = time.monotonic() - started
    say("")
    for name, seconds in took.items():
        ended = "failed" if name in failed else "judged"
        say(f"{name}: {ended}, {duration(seconds)} (forecast {duration(forecasts[name])})")
    if failed:
        say(f"{number_of(len(failed), 'experiment')} of {len(names)} failed: {', '.join(failed)}")
    return int(bool(failed))


def _chosen(text: str) -> list[str]:
    """The experiments that are named, or all that have claims.

    Raises:
        SweepsError: one of them has none, or does not exist.
    """
    known = [name for name in choices("experiment") if (EXPERIMENTS / name / "claims.yaml").is_file()]
    for name in filter(None, text.split(",")):
        if name not in known:
            raise SweepsError(unknown("experiment with claims", name, known))
    return [name for name in text.split(",") if name] or known


def _forecasts(names: list[str], runs_dir: str, training: list[str]) -> dict[str, float]:
    """Seconds that each would take, printed with what is done of it."""
    from sweeps.execute.local import Local
    from sweeps.in_process import compose
    from sweeps.launch import plan_for
    from sweeps.records.paths import SweepPaths

    forecasts = {}
    for name in names:
        cells = compose(f"experiment={name}", f"runs_dir={runs_dir}", *training)
        local = cells[0].executor
        plan = plan_for(cells, SweepPaths.at(runs_dir, name), Local(local.workers, local.patience).workers)
        forecasts[name] = plan.forecast
        say(f"{name}: {len(plan.cells):,} cells, {len(plan.done):,} done, about {duration(plan.forecast)}")
    say(f"{number_of(len(names), 'experiment')}: about {duration(sum(forecasts.values()))}, the shortest first")
    return forecasts


def _trained_and_judged(name: str, where: list[str], training: list[str], into: list[str]) -> bool:
    """Train an experiment in a process of its own, and judge its claims; False if either failed.

    Raises:
        KeyboardInterrupt: the training was interrupted.
    """
    command = [sys.executable, "-m", "sweeps", "-m", f"experiment={name}", *where, *training]
    status = subprocess.run(command).returncode
    if status in (130, 143):
        raise KeyboardInterrupt
    try:
        claims([f"experiment={name}", *where, *into])
    except (SweepsError, OSError) as error:
        say(f"{name}: {error}")
        return False
    return status == 0
