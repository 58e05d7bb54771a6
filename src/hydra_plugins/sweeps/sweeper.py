"""The sweeper `grid`: the product of the axes. Unlike Hydra's basic one it does not compose every cell to check it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.core.utils import JobStatus
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from hydra_plugins.sweeps.launcher import PackedLauncher
from sweeps.errors import SweepsError

if TYPE_CHECKING:
    from sweeps.config.compose import Composer
    from sweeps.config.grid import Grid


@dataclass
class GridConfig:
    _target_: str = "hydra_plugins.sweeps.sweeper.GridSweeper"
    params: dict[str, Any] = field(default_factory=dict)  # axes: key -> value or sweep, as on the command line


class GridSweeper(Sweeper):
    """Expands the axes, launches all jobs as one batch, and ends with status 1 when any failed."""

    config: DictConfig
    launcher: Launcher

    def __init__(self, params: dict[str, Any]) -> None:
        self.params = params or {}

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        self.context, self.config = hydra_context, config
        try:
            self.launcher = Plugins.instance().instantiate_launcher(
                hydra_context=hydra_context, task_function=task_function, config=config
            )
        except Exception as error:  # of any kind: a launcher may be third-party code
            raise SweepsError(f"hydra/launcher: {' '.join(str(error).split())}") from error

    def sweep(self, arguments: list[str]) -> Any:
        from sweeps.config.grid import expand
        from sweeps.misfits import without_misfits

        grid = without_misfits(expand(self.params, arguments, self.config.plan.max_cells), self._composer())
        jobs, packed = grid.jobs, isinstance(self.launcher, PackedLauncher)
        if isinstance(self.launcher, PackedLauncher):  # it checks the jobs, locks the folder and reports failures
            self.launcher.skipped = grid.skipped
        with nullcontext() if packed else self._locked(grid):
            returned = self.launcher.launch(jobs, initial_job_idx=0)
        failed = [job for job in returned if job.status != JobStatus.COMPLETED]
        if failed and not packed:
            print(f"{len(failed)} of {len(jobs)} cells failed (the same command tries them again):", file=sys.stderr)
            for job in failed:
                print(f"  {' '.join(job.overrides or ())}: {job._return_value!r}", file=sys.stderr)
        if failed:
            sys.exit(1)
        return returned

    def _composer(self) -> "Composer":
        from sweeps.config.compose import Composer

        return Composer(partial(self.context.config_loader.load_sweep_config, self.config))

    @contextmanager
    def _locked(self, grid: "Grid") -> Iterator[None]:
        """For another launcher than `packed`: check the jobs, write the plan, and lock the folder while it runs."""
        from sweeps.check import checked
        from sweeps.execute.harness import locked
        from sweeps.launch import PART, plan_for, write_cells
        from sweeps.records.paths import SweepPaths

        settings = checked(grid.jobs, self._composer())
        sweep = SweepPaths.at(settings[0].runs_dir, settings[0].experiment)
        if grid.skipped:
            print(grid.skipped)
        with locked(sweep):
            if not write_cells(plan_for(settings, sweep, workers=1), sweep, OmegaConf.to_yaml(self.config)):
                print(PART.format(sweep.plan.name))
            yield


ConfigStore.instance().store(group="hydra/sweeper", name="grid", node=GridConfig, provider="sweeps")
