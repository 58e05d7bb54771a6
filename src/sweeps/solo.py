"""One cell in this process, through the same code as a pack: what a single run and Hydra's basic launcher call."""

from __future__ import annotations

from omegaconf import DictConfig
from rich.console import Console

from sweeps.config.compose import composed, plain
from sweeps.config.rules import check
from sweeps.errors import ConfigError
from sweeps.execute.harness import summary
from sweeps.execute.tracking import Mirror
from sweeps.launch import device_problems, place, task_problems
from sweeps.plan.cells import distinct
from sweeps.plan.packs import Pack


def one_cell(config: DictConfig) -> None:
    """Train one cell unless it is done; tell how it ended.

    Raises:
        ConfigError: its settings are wrong; nothing was written.
    """
    settings, problems = composed(plain, config, True)
    if settings is not None:
        problems = check(settings) + task_problems([settings]) + device_problems([settings])
    if settings is None or problems:
        raise ConfigError(problems)
    [cell] = distinct([settings])
    sweep = place(settings)
    console = Console()
    found = summary(sweep.cell(cell.id))
    if found is None:
        from sweeps.execute.worker import train_pack  # imports torch, which a finished cell does not need

        with Mirror(settings.tracker, sweep, console):
            train_pack(Pack((cell,)), sweep.root, lambda kind, content: None)
        found = summary(sweep.cell(cell.id))
        assert found is not None
    else:
        console.print("Already done.", end=" ")
    best = found["best"]["eval_score"]
    score = f", best {found['task']['score']} {best:.3f}" if isinstance(best, float) else ""
    why = f" ({found['reason']})" if found["reason"] else ""
    console.print(
        f"{cell.name}: {found['outcome']}{why} at step {found['step']}{score}", highlight=False, soft_wrap=True
    )
    console.print(f"Record: {sweep.cell(cell.id).root}", highlight=False, soft_wrap=True)
