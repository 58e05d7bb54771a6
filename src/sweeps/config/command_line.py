"""Reports every wrong name and wrong value of a command line at once, where Hydra would stop at the first."""

from __future__ import annotations

from collections.abc import Sequence

from hydra import compose, initialize_config_dir
from hydra.errors import HydraException
from omegaconf import DictConfig

from sweeps.config.compose import Composer, settings_of
from sweeps.config.grid import Grid, expand
from sweeps.config.names import check_names, parse_override
from sweeps.config.places import CONF, choices, defaults
from sweeps.config.schema import GROUPS
from sweeps.errors import ConfigError


def load(overrides: list[str]) -> DictConfig:
    """Hydra's own composition, outside of a Hydra application."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("config", overrides)


def grid_of(arguments: Sequence[str]) -> Grid:
    """The jobs of a command line: the product of its own axes and those of its experiment.

    Raises:
        ConfigError: an axis is no setting, has no values, or there are more cells than allowed.
        HydraException: Hydra cannot compose it.
    """
    chosen = [text for text in arguments if text.startswith(("experiment=", "hydra.", "hydra/"))]
    with initialize_config_dir(str(CONF), version_base="1.3"):
        master = compose("config", chosen, return_hydra_config=True)
    # of a key given twice the last counts, as in Hydra
    last = {parse_override(text).get_key_element(): text for text in arguments}
    return expand(master.hydra.sweeper.params or {}, list(last.values()), master.plan.max_cells)


def problems(arguments: Sequence[str]) -> list[str]:
    """All problems of a command line; [] without composing anything if every name is known.

    Hydra itself stops at the first unknown key, before the sweeper runs, so names are checked here first. A setting
    that only some choices of its group have, such as `arch.forget_bias`, is known or not depending on those choices.
    """
    good, wrong = check_names(arguments)
    if not wrong and not any(_of_some_choices(parse_override(text).key_or_group) for text in good):
        return []
    try:
        jobs = grid_of(good).jobs
    except ConfigError as error:
        return wrong + error.problems
    except HydraException as error:
        return [*wrong, str(error).strip().splitlines()[0]]
    *_, values = settings_of(jobs, Composer(load))
    return wrong + values


def as_axes(arguments: Sequence[str]) -> list[str]:
    """The arguments of a sweep; a setting that only some choices have is an axis, be it of one value: `choice(2)`.

    Hydra would set a plain value in the sweep's own configuration, whose choice may lack it, before the grid decides
    which cells have it. One whose choice is given by a single name stays as it is.
    """
    parsed = [parse_override(text) for text in arguments]
    single = {each.key_or_group for each in parsed if not each.is_sweep_override()}
    return [
        f"{each.key_or_group}=choice({each.get_value_element_as_str()})"
        if _of_some_choices(each.key_or_group)
        and each.key_or_group in single
        and each.key_or_group.partition(".")[0] not in single
        else text
        for text, each in zip(arguments, parsed, strict=True)
    ]


def _of_some_choices(key: str) -> bool:
    group, _, name = key.partition(".")
    return group in GROUPS and bool(name) and not all(name in defaults(group, choice) for choice in choices(group))
