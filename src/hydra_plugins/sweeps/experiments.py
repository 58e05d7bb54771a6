"""Makes `experiment=NAME` load `experiments/NAME/sweep.yaml`, so that all files of an experiment are in one folder."""

from hydra.core.object_type import ObjectType
from hydra.plugins.config_source import ConfigLoadError, ConfigResult, ConfigSource
from omegaconf import DictConfig, OmegaConf
from yaml import YAMLError

GROUP = "experiment"


class Experiments(ConfigSource):
    """The config group `experiment`. Its files set any setting, are named by their folder and make a multirun."""

    @staticmethod
    def scheme() -> str:
        return "experiments"

    def load_config(self, config_path: str) -> ConfigResult:
        from sweeps.config.places import experiment_file

        name = config_path.removeprefix(f"{GROUP}/").removesuffix(".yaml")
        path = experiment_file(name)
        if not path.is_file():
            raise ConfigLoadError(f"there is no experiment file {path}")
        try:
            config = OmegaConf.load(path)
        except (YAMLError, ValueError) as error:  # ValueError: not UTF-8
            raise ConfigLoadError(f"{path} is no YAML: {' '.join(str(error).split())}") from None
        if not isinstance(config, DictConfig):
            raise ConfigLoadError(f"{path} must hold settings, key: value; it holds a list")
        config.pop("analysis", None)  # of the report, which reads it itself: no setting of a cell
        config.experiment = name
        OmegaConf.update(config, "hydra.mode", "MULTIRUN", force_add=True)
        header: dict[str, str | None] = {"package": "_global_"}
        return ConfigResult(config=config, path=f"experiments://{name}", provider=self.provider, header=header)

    def available(self) -> bool:
        return True

    def is_group(self, config_path: str) -> bool:
        return config_path in ("", GROUP)

    def is_config(self, config_path: str) -> bool:
        from sweeps.config.places import choices

        return config_path.removesuffix(".yaml") in (f"{GROUP}/{name}" for name in choices(GROUP))

    def list(self, config_path: str, results_filter: ObjectType | None) -> list[str]:
        from sweeps.config.places import choices

        if config_path == "":
            return [GROUP] if results_filter in (None, ObjectType.GROUP) else []
        return choices(GROUP) if results_filter in (None, ObjectType.CONFIG) else []
