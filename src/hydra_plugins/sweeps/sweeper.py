"""The sweeper `grid`: the product of the axes. Hydra's basic sweeper would compose every cell once more to check it."""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.core.utils import JobStatus
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf


@dataclass
class GridConfig:
    _target_: str = "hydra_plugins.sweeps.sweeper.GridSweeper"
    params: dict[str, Any] = field(default_factory=dict)  # axes: key -> value or sweep, as on the command line


class GridSweeper(Sweeper):
    """Expands the axes, launches all jobs as one batch, and ends with status 1 when any failed."""

    def __init__(self, params: dict[str, Any]) -> None:
        self.params = params

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        self.config = config
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> Any:
        from sweeps.config.grid import expand
        from sweeps.errors import SweepsError

        jobs = expand(self.params, arguments)
        try:
            returned = self.launcher.launch(jobs, initial_job_idx=0)
        except SweepsError as error:
            print(error, file=sys.stderr)
            sys.exit(2)
        folder = Path(self.config.hydra.sweep.dir)
        if folder.is_dir():
            OmegaConf.save(self.config, folder / "multirun.yaml")
        if any(job.status != JobStatus.COMPLETED for job in returned):
            sys.exit(1)
        return returned


ConfigStore.instance().store(group="hydra/sweeper", name="grid", node=GridConfig, provider="sweeps")
