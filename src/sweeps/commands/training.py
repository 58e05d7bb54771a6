"""The commands about training: plan."""

from __future__ import annotations

from sweeps.commands.arguments import HELP


def plan(arguments: list[str]) -> int:
    """Print what a sweep would train and how long it would take, without training."""
    from sweeps.hydra_app import MULTIRUN, hydra_app

    if HELP & set(arguments):
        return hydra_app(["--help"])
    settings = [text for text in arguments if text not in MULTIRUN and not text.startswith("hydra/launcher=")]
    return hydra_app(["-m", *settings, "hydra.launcher.dry_run=true"])
