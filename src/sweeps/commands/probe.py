"""The command that measures one cell again by probes that it was not trained with."""

from __future__ import annotations

from sweeps.commands.arguments import settings_in
from sweeps.commands.printed import say
from sweeps.errors import CommandError, SweepsError

AGAIN = "--again"


def probe(arguments: list[str]) -> int:
    """Measure a done cell by probes: cell=ID probe=jacobian,gates.

    Where its weights were kept (train.save=final) they are measured at the end of training; --again trains the cell
    anew in a temporary folder and measures it at all of its evaluations, as does a cell without weights. Each probe
    writes probe_NAME.csv beside the record, which stays as it is; `choices probe` says what each measures.
    """
    from sweeps.analysis.loading.final_weights import weights
    from sweeps.analysis.loading.one import find_cell, read_run
    from sweeps.commands.runs import PLACE, sweeps_in
    from sweeps.config.shortest import settings_from
    from sweeps.probe_again import all_along, at_end, needs_training, why_not

    settings = settings_in(arguments, (*PLACE, "cell", "probe"), flags=(AGAIN,))
    wanted = {"cell": "cell=ID, an id or the first of its digits", "probe": "probe=jacobian,gates"}
    problems = [f"{key}: not given; write {text}" for key, text in wanted.items() if not settings.get(key)]
    if problems:
        raise CommandError(problems)
    names = list(dict.fromkeys(settings["probe"].replace(" ", "").split(",")))
    run = read_run(find_cell(settings["cell"], sweeps_in(settings, arguments)))
    if run.summary is None:
        raise SweepsError(f"{run.id} is not done; train it with probe={settings['probe']}")
    own = settings_from(run.config, run.id)
    if wrong := why_not(own, names):
        raise CommandError(wrong)
    why = needs_training(own, names)
    kept = run.paths.weights.is_file() and AGAIN not in arguments and not why
    if kept:
        at_end(run.paths, own, names, run.summary.step, weights(run.paths.root.parent, run.id))
        say(f"Measured with the weights of update {run.summary.step}; {AGAIN} trains it anew and measures all along.")
    else:
        say(f"Training {run.id} anew, in a temporary folder{f': {why}' if why else ''}.")
        all_along(run.paths, own, names)
    for name in names:
        say(str(run.paths.probe(name)))
    return 0
