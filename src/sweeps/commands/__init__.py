"""The commands other than training. Each takes `key=value` settings, as training does; a module per topic."""

from __future__ import annotations

from collections.abc import Callable

from sweeps.commands.choices import choices
from sweeps.commands.claims import claims
from sweeps.commands.compare import compare
from sweeps.commands.evaluate import evaluate
from sweeps.commands.papers import papers
from sweeps.commands.probe import probe
from sweeps.commands.report import dashboard, figure, figures, report, verify
from sweeps.commands.runs import find, show
from sweeps.commands.sample import sample
from sweeps.commands.training import plan
from sweeps.commands.wandb import mirror, sync, workspace

COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "choices": choices,
    "plan": plan,
    "figures": figures,
    "figure": figure,
    "report": report,
    "verify": verify,
    "claims": claims,
    "papers": papers,
    "compare": compare,
    "find": find,
    "show": show,
    "evaluate": evaluate,
    "sample": sample,
    "probe": probe,
    "mirror": mirror,
    "sync": sync,
    "workspace": workspace,
    "dashboard": dashboard,
}
"""First word of a command line -> function that takes the other words and returns the exit status."""
