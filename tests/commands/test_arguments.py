"""The arguments of the commands other than training."""

from __future__ import annotations

from pathlib import Path

import pytest

from sweeps.commands.arguments import settings_in, sweep_of
from sweeps.errors import ConfigError, SweepsError

KEYS = ("experiment", "runs_dir")


@pytest.mark.parametrize("given", ["a b", '"a b"', "'a b'"])
def test_a_path_may_have_spaces_and_the_quotes_that_hydra_wants(given: str) -> None:
    assert settings_in([f"runs_dir={given}"], KEYS)["runs_dir"] == "a b"


@pytest.mark.parametrize("name", ["", "..", "a/b", "."])
def test_an_experiment_is_a_folder_of_runs(name: str) -> None:
    with pytest.raises(ConfigError, match="must be the name of a folder of"):
        settings_in([f"experiment={name}"], KEYS)


def test_an_experiment_that_was_not_run_yet_is_known(tmp_path: Path) -> None:
    (tmp_path / "digits").mkdir()
    with pytest.raises(SweepsError, match="has no records yet; `make sweep EXPERIMENT=first_look`"):
        sweep_of(settings_in(["experiment=first_look", f"runs_dir={tmp_path}"], KEYS))
    with pytest.raises(SweepsError, match="'digit' is not known; did you mean 'digits'"):
        sweep_of(settings_in(["experiment=digit", f"runs_dir={tmp_path}"], KEYS))
