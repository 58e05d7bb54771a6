"""The sweeper `grid`: the product of the axes. Hydra's basic sweeper would compose every cell once more to check it."""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.core.utils import JobStatus
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf


@dataclass
class GridConfig:
    _target_: str = "hydra_plugins.sweeps.sweeper.GridSweeper"
    params: dict[str, Any] = field(default_factory=dict)  # axes: key -> value or sweep, as on the command line


class GridSweeper(Sweeper):
    """Expands the axes, launches all jobs as one batch, and ends with status 1 when any failed."""

    config: DictConfig
    launcher: Launcher

    def __init__(self, params: dict[str, Any]) -> None:
        self.params = params

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        self.context, self.config = hydra_context, config
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> Any:
        from sweeps.errors import SweepsError

        packed = "dry_run" in self.config.hydra.launcher  # our own launcher checks its jobs and tells what failed
        try:
            jobs = self._jobs(arguments, check=not packed)
            returned = self.launcher.launch(jobs, initial_job_idx=0)
        except SweepsError as error:
            print(error, file=sys.stderr)
            sys.exit(2)
        folder = Path(self.config.hydra.sweep.dir)
        if folder.is_dir() and not (packed and self.config.hydra.launcher.dry_run):
            OmegaConf.save(self.config, folder / "multirun.yaml")
        failed = [job for job in returned if job.status != JobStatus.COMPLETED]
        if failed and not packed:
            print(f"{len(failed)} of {len(jobs)} cells failed (the same command tries them again):", file=sys.stderr)
            for job in failed:
                print(f"  {' '.join(job.overrides or ())}: {job._return_value!r}", file=sys.stderr)
        if failed:
            sys.exit(1)
        return returned

    def _jobs(self, arguments: list[str], check: bool) -> list[list[str]]:
        from sweeps.config.grid import expand
        from sweeps.errors import ConfigError
        from sweeps.launch import checked

        try:
            jobs = expand(self.params, arguments)
        except ValueError as error:
            raise ConfigError([str(error)]) from None
        if check:
            checked(jobs, lambda overrides: self.context.config_loader.load_sweep_config(self.config, overrides))
        return jobs


ConfigStore.instance().store(group="hydra/sweeper", name="grid", node=GridConfig, provider="sweeps")
