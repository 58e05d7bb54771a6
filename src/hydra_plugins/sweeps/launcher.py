"""The launcher `packed`: takes all jobs of a multirun at once, so that cells of one shape can train together."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf


@dataclass
class PackedConfig:
    _target_: str = "hydra_plugins.sweeps.launcher.PackedLauncher"
    dry_run: bool = False  # true: print the plan and stop


class PackedLauncher(Launcher):
    """Hands every job to `sweeps.launch` and returns one JobReturn per job, in order.

    Attributes:
        skipped: what the sweeper has to say of points of the grid that are no job, for the plan.
    """

    def __init__(self, dry_run: bool) -> None:
        self.dry_run = dry_run
        self.skipped = ""

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        self.context, self.config = hydra_context, config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        from sweeps.config.identity import cell_id
        from sweeps.launch import launch

        load = partial(self.context.config_loader.load_sweep_config, self.config)
        settings, result = launch(job_overrides, load, OmegaConf.to_yaml(self.config), self.dry_run, self.skipped)
        ids = [cell_id(each) for each in settings]
        pairs = zip(job_overrides, ids, strict=True)
        return [
            self._job_return(list(job), result.outcomes.get(cell), result.failures.get(cell)) for job, cell in pairs
        ]

    def _job_return(self, overrides: list[str], outcome: str | None, failure: str | None) -> JobReturn:
        status = JobStatus.FAILED if failure else JobStatus.COMPLETED
        value: Any = RuntimeError(failure) if failure else outcome
        job = JobReturn(overrides=overrides, status=status)
        job.return_value = value
        return job


ConfigStore.instance().store(group="hydra/launcher", name="packed", node=PackedConfig, provider="sweeps")
