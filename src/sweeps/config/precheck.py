"""What Hydra would report one at a time, reported at once: every wrong name and wrong value of a command line."""

from __future__ import annotations

from collections.abc import Sequence

from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from sweeps.config.compose import Composer, settings_of
from sweeps.config.grid import expand
from sweeps.config.names import check_names
from sweeps.config.places import CONF


def load(overrides: list[str]) -> DictConfig:
    """Hydra's own composition, outside of a Hydra application."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("config", overrides)


def problems(arguments: Sequence[str]) -> list[str]:
    """Everything wrong with a command line whose names are not all right; [] (and fast) when they are."""
    good, wrong = check_names(arguments)
    if not wrong:
        return []
    chosen = [text for text in good if text.startswith(("experiment=", "hydra."))]
    with initialize_config_dir(str(CONF), version_base="1.3"):
        master = compose("config", chosen, return_hydra_config=True)
    _, values = settings_of(expand(master.hydra.sweeper.params or {}, good), Composer(load))
    return wrong + values
