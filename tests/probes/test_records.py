"""Probes beside the records: they change no byte of them, write a file each, and are made up for where they lack."""

from __future__ import annotations

import itertools
from pathlib import Path

import pandas as pd
import pytest

from sweeps.main import main
from sweeps.probes.base import NAMES, probe
from sweeps.records.paths import SweepPaths

SMALL = ("task=adding", "task.length=12", "arch.hidden=4", "train.steps=12", "train.batch=4", "train.eval_size=4",
         "train.log_every=2", "train.eval_every=4", "tracker=csv", "clip=value", "clip.threshold=0.01")  # fmt: skip
ALL = f"probe={','.join(NAMES)}"
CSV = ("metrics.csv", "gradient_through_time.csv", "parameters.csv")


def cells(root: Path) -> list[Path]:
    return sorted(path.parent for path in (root / "scratch").glob("*/summary.json"))


def contents(root: Path) -> dict[str, bytes]:
    return {f"{cell.name}/{name}": (cell / name).read_bytes() for cell in cells(root) for name in CSV}


@pytest.mark.parametrize(
    "grid",
    [
        ("arch=rnn_tanh,gru,mgu,lru", "seed=range(2)"),
        ("arch=lstm,slstm", "stack.layers=2", "stack.bidirectional=true", "stack.norm=layer"),
        ("arch=rnn_relu", "train.accumulate=2", "stack.start=learned", "clip=none"),
        ("arch=gru", "task=char_lm", "task.length=8"),
        ("arch=lstm", "task=copy", "stack.layers=2", "stack.dropout=0.5"),
    ],
    ids=str,
)
def test_records_have_the_same_bytes_with_and_without(grid: tuple[str, ...], tmp_path: Path) -> None:
    wanted = {text.partition("=")[0]: text for text in (*SMALL, *grid)}
    if wanted["clip"] == "clip=none":
        del wanted["clip.threshold"]
    for where, more in (("without", ()), ("with", (ALL,))):
        assert main(["-m", *wanted.values(), *more, f"runs_dir={tmp_path / where}"]) == 0
    assert contents(tmp_path / "with") == contents(tmp_path / "without") != {}
    for cell, name in itertools.product(cells(tmp_path / "with"), NAMES):
        frame = pd.read_csv(cell / f"probe_{name}.csv")
        assert tuple(frame) == ("step", *probe(name).columns)
        assert len(frame) or name in ("gates", "spectrum", "saturation"), "an LRU has no gate, matrix or function"
        at = {4, 8, 12} if name == "clipping" else {0, 12} if probe(name).ends else {0, 4, 8, 12}
        assert frame.empty or set(frame["step"]) == at
    assert not list((tmp_path / "without").glob("**/probe_*"))


def test_a_cell_that_lacks_a_probe_is_trained_again_and_others_are_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["-m", *SMALL, "arch=rnn_tanh,attention", f"runs_dir={tmp_path}"]
    assert main(command) == 0
    before = contents(tmp_path)
    assert main([*command, "probe=gates,spectrum"]) == 0
    assert "1 done" in " ".join(capsys.readouterr().out.split()), "attention has neither"
    assert contents(tmp_path) == before
    files = sorted(path.name for path in tmp_path.glob("scratch/*/probe_*"))
    assert files == ["probe_gates.csv", "probe_spectrum.csv"]
    assert main([*command, "probe=spectrum"]) == 0
    assert "Nothing to train" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("probe=jacobain", "did you mean 'jacobian'"),
        ("probe=gates,nothing", "'nothing' is not known"),
        ("probe=", "probe"),
    ],
)
def test_an_unknown_probe_is_refused(
    given: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for flags in ([], ["-m"]):
        assert main([*flags, *SMALL, given, f"runs_dir={tmp_path}"]) == 2
        assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_probe_that_no_cell_has_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SMALL, "arch=attention", "probe=jacobian", f"runs_dir={tmp_path}"]) == 2
    assert "no cell here has one" in " ".join(capsys.readouterr().err.split())


def test_the_names_are_those_of_the_modules() -> None:
    folder = Path(__file__).parents[2] / "src" / "sweeps" / "probes"
    modules = {path.stem for path in folder.glob("*.py") if "\nPROBE = " in path.read_text()}
    assert modules == set(NAMES)


def test_a_checkpoint_without_the_probe_is_not_gone_on_from(tmp_path: Path) -> None:
    from sweeps.execute.checkpoints import made_with
    from sweeps.in_process import compose

    [plain], [probed] = compose(*SMALL), compose(*SMALL, "probe=gates")
    assert made_with(plain) != made_with(probed)
    assert SweepPaths(tmp_path).cell("0" * 12).probe("gates").name == "probe_gates.csv"
