"""The command line in real processes: what is printed, what is written, and the exit status."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from inspect import getdoc
from pathlib import Path

import pytest
import yaml

from helpers import SMALL, make_cell
from sweeps.commands import COMMANDS
from sweeps.config.identity import cell_id
from sweeps.config.places import EXPERIMENTS
from sweeps.config.schema import as_dict
from sweeps.main import main
from sweeps.records import columns
from sweeps.records.paths import CellPaths, SweepPaths

FILES = ["config.yaml", "gradient_through_time.csv", "metrics.csv", "parameters.csv", "summary.json"]
GRID = ("arch=rnn_tanh,gru", "clip=none,norm", "seed=range(2)")


def sweeps(cwd: Path, *arguments: str, small: bool = True) -> subprocess.CompletedProcess[str]:
    """`python -m sweeps ...` typed in a folder; small unless the arguments say otherwise."""
    given = {text.partition("=")[0] for text in arguments}
    rest = [text for text in SMALL if small and text.partition("=")[0] not in given]
    command = [sys.executable, "-m", "sweeps", *arguments, *rest]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120)


def cells(cwd: Path, experiment: str = "scratch") -> dict[str, CellPaths]:
    """The cell folders under `runs/`."""
    return {paths.root.name: paths for paths in SweepPaths(cwd / "runs" / experiment).cells()}


def rows(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    with path.open(newline="") as file:
        reader = csv.DictReader(file)
        found = list(reader)
        return list(reader.fieldnames or ()), found


def contents(cwd: Path) -> dict[str, dict[str, bytes]]:
    """Every record file but the summaries, which hold times."""
    return {
        name: {path.name: path.read_bytes() for path in sorted(paths.root.iterdir()) if path.name != "summary.json"}
        for name, paths in cells(cwd).items()
    }


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A folder in which a small sweep has run."""
    cwd = tmp_path_factory.mktemp("swept")
    return cwd, sweeps(cwd, "-m", *GRID)


# --- one cell


def test_a_single_run_writes_the_five_files_and_a_second_call_says_so(tmp_path: Path) -> None:
    first = sweeps(tmp_path, "arch=lstm", "seed=3")
    assert first.returncode == 0, first.stderr
    settings = make_cell("arch=lstm", "seed=3")
    name = cell_id(settings)
    paths = SweepPaths(tmp_path / "runs" / "scratch").cell(name)
    assert sorted(path.name for path in (tmp_path / "runs" / "scratch").iterdir()) == [name]
    assert sorted(path.name for path in paths.root.iterdir()) == FILES
    assert yaml.safe_load(paths.config.read_text()) == as_dict(settings)
    assert (
        "lstm orthogonal clip=none T=6 seed=3: finished at step 6, not solved, best explained variance" in first.stdout
    )
    assert f"Record: {paths.root}" in first.stdout
    before = {path: path.stat().st_mtime_ns for path in paths.root.iterdir()}

    second = sweeps(tmp_path, "arch=lstm", "seed=3")
    assert second.returncode == 0
    assert second.stdout.startswith("Already done. lstm orthogonal")
    assert {path: path.stat().st_mtime_ns for path in paths.root.iterdir()} == before


def test_two_single_runs_of_one_cell_train_it_once(tmp_path: Path) -> None:
    """The second waits for the first, and says so."""
    steps = "train.steps=2000"
    with subprocess.Popen(
        [sys.executable, "-m", "sweeps", *SMALL, steps], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    ) as first:
        lock = SweepPaths(tmp_path / "runs" / "scratch").cell(cell_id(make_cell(steps))).lock
        while not lock.exists() and first.poll() is None:
            time.sleep(0.01)
        second = sweeps(tmp_path, steps)
        stdout, _ = first.communicate()
    assert re.match(r"rnn_tanh orthogonal clip=none T=6 seed=0: solved at step \d+, ended at step \d+, best", stdout)
    assert second.stdout.startswith("Another run trains this cell; waiting for it.\nAlready done. rnn_tanh")
    assert not lock.exists()


def test_the_columns_and_rows_are_those_of_the_contract(swept: tuple[Path, object]) -> None:
    """SMALL logs and evaluates at steps 0, 2, 4 and 6, over 6 time steps."""
    for paths in cells(swept[0]).values():
        header, metrics = rows(paths.metrics)
        assert header[:7] == [
            "step",
            "train_loss",
            "eval_loss",
            "eval_score",
            "grad_norm",
            "grad_norm_clipped",
            "clip_scale",
        ]
        assert tuple(header) == columns.METRICS
        assert [int(row["step"]) for row in metrics] == [0, 2, 4, 6]
        for row in metrics:
            assert all(repr(float(row[key])) == row[key] for key in header[1:8]), "floats keep every bit"
            scale = float(row["grad_norm_clipped"]) / float(row["grad_norm"])
            assert float(row["clip_scale"]) == pytest.approx(scale)
            assert row["beyond_float32"] == "0"
        header, through_time = rows(paths.gradient_through_time)
        assert header == ["step", "t", "lag", "log10_norm"]
        assert [(int(r["step"]), int(r["t"]), int(r["lag"])) for r in through_time] == [
            (step, t, 5 - t) for step in (0, 2, 4, 6) for t in range(6)
        ]
        header, parameters = rows(paths.parameters)
        assert header == ["step", "parameter", "grad_norm", "weight_norm", "spectral_radius", "sigma_max"]
        assert {int(row["step"]) for row in parameters} == {0, 2, 4, 6}
        recurrent = [row for row in parameters if row["parameter"].startswith("weight_hh")]
        assert recurrent
        assert all(float(row["sigma_max"]) >= float(row["spectral_radius"]) * (1 - 1e-5) for row in recurrent)
        assert all(row["sigma_max"] == "" for row in parameters if row not in recurrent)
        summary = json.loads(paths.summary.read_text())
        assert summary["outcome"] in columns.OUTCOMES
        assert {"reason", "step", "final", "best", "seconds", "pack", "versions", "commit", "device"} <= set(summary)
        assert summary["step"] == 6
        assert summary["cell"] == paths.root.name


# --- a sweep


def test_a_sweep_trains_every_cell_in_packs(swept: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    cwd, completed = swept
    assert completed.returncode == 0, completed.stderr
    assert "8 cells: 0 done, 8 to train in" in completed.stdout
    assert "8 of 8 cells done: 8 finished" in completed.stdout
    assert f"Records: {cwd / 'runs' / 'scratch'}" in completed.stdout
    wanted = {
        cell_id(make_cell(f"arch={arch}", f"clip={clip}", f"seed={seed}"))
        for arch in ("rnn_tanh", "gru")
        for clip in ("none", "norm")
        for seed in (0, 1)
    }
    found = cells(cwd)
    assert set(found) == wanted
    assert all(sorted(path.name for path in paths.root.iterdir()) == FILES for paths in found.values())
    lanes = [json.loads(paths.summary.read_text())["pack"]["lanes"] for paths in found.values()]
    assert max(lanes) > 1, "nothing was packed, so this test and the next show little"


def test_the_basic_launcher_writes_the_same_records_one_by_one(
    swept: tuple[Path, subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    completed = sweeps(tmp_path, "-m", *GRID, "hydra/launcher=basic")
    assert completed.returncode == 0, completed.stderr
    assert len(contents(swept[0])) == 8
    assert contents(tmp_path) == contents(swept[0])
    one, other = (SweepPaths(place / "runs" / "scratch") for place in (tmp_path, swept[0]))
    assert one.multirun.exists() and one.plan.read_bytes() == other.plan.read_bytes()
    assert {json.loads(paths.summary.read_text())["pack"]["lanes"] for paths in cells(tmp_path).values()} == {1}


@pytest.mark.parametrize("launcher", ["packed", "basic"])
def test_a_setting_of_one_architecture_is_swept_beside_another(tmp_path: Path, launcher: str) -> None:
    """Each job is a valid command line by itself, whatever launcher takes it."""
    grid = ("arch=lstm,rnn_tanh", "arch.forget_bias=0,1", "seed=range(2)", "init=random,he", "init.std=0.2")
    completed = sweeps(tmp_path, "-m", *grid, f"hydra/launcher={launcher}")
    assert completed.returncode == 0, completed.stderr
    assert "init.std is a setting of random alone" in completed.stdout
    assert "4 of the 16 points of the grid are skipped" in " ".join(completed.stdout.split())
    made = [yaml.safe_load(paths.config.read_text()) for paths in cells(tmp_path).values()]
    levels = sorted(
        (each["arch"]["name"], str(each["arch"].get("forget_bias")), each["init"].get("std", 0)) for each in made
    )
    of_lstm = [("lstm", bias, std) for bias in ("0.0", "1.0") for std in (0, 0.2)]
    assert levels == sorted(2 * [*of_lstm, ("rnn_tanh", "None", 0), ("rnn_tanh", "None", 0.2)])
    _, planned = rows(SweepPaths(tmp_path / "runs" / "scratch").plan)
    assert {row["arch.forget_bias"] for row in planned if row["arch.name"] == "rnn_tanh"} == {""} and len(planned) == 12


def test_a_finished_sweep_does_nothing_and_says_so(
    swept: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    cwd, _ = swept
    before = {path: path.stat().st_mtime_ns for paths in cells(cwd).values() for path in paths.root.iterdir()}
    again = sweeps(cwd, "-m", *GRID)
    assert again.returncode == 0
    assert "8 cells: 8 done, 0 to train" in again.stdout
    assert "Nothing to train: every cell is done." in again.stdout
    assert "8 of 8 cells done: 8 finished" in again.stdout
    assert {path: path.stat().st_mtime_ns for paths in cells(cwd).values() for path in paths.root.iterdir()} == before
    assert len(before) == 8 * len(FILES)


def test_a_longer_grid_trains_only_what_is_missing(swept: tuple[Path, object], tmp_path: Path) -> None:
    """Under another runs_dir, from another folder: records may be moved."""
    shutil.copytree(swept[0] / "runs", tmp_path / "deep" / "er")
    before = contents(swept[0])
    more = sweeps(tmp_path, "-m", "arch=gru", "clip=none", "clip.threshold=1,2", "seed=range(3)", "runs_dir=deep/er")
    assert more.returncode == 0, more.stderr
    assert "3 cells: 2 done, 1 to train in 1 pack" in more.stdout
    told = " ".join(more.stdout.split())
    assert "such points are those of clip=none, trained once, so that 3 of the 6 points" in told
    assert "3 of 3 cells done: 3 finished" in more.stdout
    found = SweepPaths(tmp_path / "deep" / "er" / "scratch").cells()
    assert {paths.root.name for paths in found} == {*before, cell_id(make_cell("arch=gru", "seed=2"))}


def test_plan_says_what_a_sweep_would_do_and_writes_nothing(
    swept: tuple[Path, subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    completed = sweeps(tmp_path, "plan", *GRID)
    assert completed.returncode == 0, completed.stderr
    assert "8 cells: 0 done, 8 to train in" in completed.stdout
    assert "rough: nothing measured here yet" in completed.stdout
    assert list(tmp_path.iterdir()) == []

    cwd, _ = swept
    before = {path: path.stat().st_mtime_ns for path in cwd.rglob("*")}
    completed = sweeps(cwd, "plan", "-m", *GRID, "task.length=6,7")
    assert "16 cells: 8 done, 8 to train in" in completed.stdout
    assert {path: path.stat().st_mtime_ns for path in cwd.rglob("*")} == before


def test_plan_of_an_experiment(tmp_path: Path) -> None:
    completed = sweeps(tmp_path, "plan", "experiment=first_look", "hydra/launcher=basic", small=False)
    assert completed.returncode == 0, completed.stderr
    assert f"Plan for {tmp_path / 'runs' / 'first_look'}" in completed.stdout
    assert "to train in" in completed.stdout
    assert list(tmp_path.iterdir()) == []


def test_digits_is_swept_like_any_task(tmp_path: Path) -> None:
    completed = sweeps(tmp_path, "-m", "task=digits", "task.length=64", "arch=rnn_relu,gru")
    assert completed.returncode == 0, completed.stderr
    assert "2 of 2 cells done" in completed.stdout
    for paths in cells(tmp_path).values():
        assert len(rows(paths.gradient_through_time)[1]) == 4 * 64
        assert json.loads(paths.summary.read_text())["task"]["score"] == "accuracy"


# --- outcomes and exit status


EXPLODING = ("arch=rnn_relu", "init=identity", "init.gain=1.5", "optim=sgd", "optim.lr=1e-3,10")


def test_divergence_is_an_outcome_with_step_and_reason(tmp_path: Path) -> None:
    completed = sweeps(tmp_path, "-m", *EXPLODING)
    assert completed.returncode == 0, completed.stderr
    assert "2 of 2 cells done: 1 finished, 1 diverged" in completed.stdout
    healthy, blown = (cell_id(make_cell(*EXPLODING[:-1], f"optim.lr={lr}")) for lr in ("1e-3", "10"))
    summary = json.loads(cells(tmp_path)[blown].summary.read_text())
    assert summary["outcome"] == "diverged"
    assert 0 < summary["diverged_step"] == summary["step"] < 6
    assert "loss" in summary["reason"]
    last = rows(cells(tmp_path)[blown].metrics)[1][-1]
    assert int(last["step"]) == summary["step"]
    assert {last["train_loss"], last["grad_norm"]} & {"inf", "nan"}
    assert json.loads(cells(tmp_path)[healthy].summary.read_text())["outcome"] == "finished"

    single = sweeps(tmp_path, *EXPLODING[:-1], "optim.lr=10")
    assert single.returncode == 0
    assert f": diverged at step {summary['step']} of " in single.stdout and f": {summary['reason']}" in single.stdout


@pytest.mark.parametrize("launcher", ["packed", pytest.param("basic", marks=pytest.mark.slow)])
def test_a_failed_cell_is_in_the_digest_and_in_the_exit_status(tmp_path: Path, launcher: str) -> None:
    """Its neighbours are done. The same command, once the cause is gone, does the rest."""
    doomed = cell_id(make_cell("seed=1"))
    obstacle = tmp_path / "runs" / "scratch" / doomed / "metrics.csv"
    obstacle.mkdir(parents=True)  # a folder where a file should be
    command = ("-m", "seed=range(3)", f"hydra/launcher={launcher}")
    completed = sweeps(tmp_path, *command)
    assert completed.returncode == 1
    assert "IsADirectoryError" in completed.stdout + completed.stderr
    assert "(the same command tries them again):" in completed.stdout + completed.stderr
    if launcher == "packed":
        assert "2 of 3 cells done: 2 finished" in completed.stdout
        assert f"{doomed}  rnn_tanh orthogonal clip=none T=6 seed=1: IsADirectoryError" in completed.stdout
        assert "IsADirectoryError" in json.loads((obstacle.parent / "failure.json").read_text())["reason"]
    else:
        assert "1 of 3 cells failed" in completed.stderr
        assert "seed=1" in completed.stderr
    done = [name for name, paths in cells(tmp_path).items() if paths.summary.exists()]
    assert doomed not in done
    assert len(done) == 2

    obstacle.rmdir()
    again = sweeps(tmp_path, *command)
    assert again.returncode == 0, again.stderr
    assert sorted(path.name for path in obstacle.parent.iterdir()) == FILES


# --- help


@pytest.mark.parametrize("asked", ["--help", "-h"])
@pytest.mark.parametrize("command", sorted(set(COMMANDS) - {"plan", "choices"}))
def test_every_command_explains_itself(capsys: pytest.CaptureFixture[str], command: str, asked: str) -> None:
    assert main([command, "experiment=first_look", asked]) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith(f"python -m sweeps {command} [experiment=...] [runs_dir=...]")
    assert str(getdoc(COMMANDS[command])) in printed.out
    assert printed.err == ""


def test_choices_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["choices", "--help"]) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("python -m sweeps choices [GROUP] [GROUP=NAME] [SECTION] [SETTING] [--json]")
    assert str(getdoc(COMMANDS["choices"])) in printed.out
    assert printed.err == ""


def test_plan_takes_what_training_takes_and_explains_that(tmp_path: Path) -> None:
    completed = sweeps(tmp_path, "plan", "experiment=first_look", "--help", small=False)
    assert completed.returncode == 0, completed.stderr
    usage = [line.split()[3] for line in completed.stdout.splitlines() if line.startswith("  python -m sweeps")]
    assert {name for words in usage for name in words.split("|") if name in COMMANDS} == set(COMMANDS)
    experiments = sorted(path.parent.name for path in EXPERIMENTS.glob("*/sweep.yaml"))
    assert f"experiment: {', '.join(experiments)} (" in completed.stdout
    assert "== Settings and their defaults ==" in completed.stdout
    assert list(tmp_path.iterdir()) == []


def test_settings_may_stand_on_both_sides_of_the_flag(tmp_path: Path) -> None:
    """Hydra's own parser takes them on one side only, and a sweep has no configuration to show but a cell's."""
    completed = sweeps(tmp_path, "task.length=7", "-m", "seed=0,1", "hydra.launcher.dry_run=true")
    assert completed.returncode == 0, completed.stderr
    assert "2 cells: 0 done, 2 to train" in completed.stdout
    shown = sweeps(tmp_path, "-m", "task.length=7", "--cfg", "job")
    assert shown.returncode == 0 and "length: 7" in shown.stdout


# --- wrong commands


@pytest.mark.parametrize("multirun", [["-m"], []], ids=["sweep", "single"])
def test_three_misspellings_are_one_message_and_nothing_is_written(tmp_path: Path, multirun: Sequence[str]) -> None:
    completed = sweeps(tmp_path, *multirun, "arch=rnn_tan", "init=ortho", "task.lenght=50", small=False)
    assert completed.returncode == 2
    assert completed.stdout == ""
    assert completed.stderr.startswith("3 problems in the settings; nothing was trained or written.\n")
    for given, meant in (("rnn_tan", "rnn_tanh"), ("ortho", "orthogonal"), ("task.lenght", "task.length")):
        assert f"{given!r} is not known; did you mean {meant!r}?" in completed.stderr
    assert "Traceback" not in completed.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("multirun", [(), ("-m",), ("-m", "hydra/launcher=basic")], ids=["single", "packed", "basic"])
@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ("seed=-1", "seed: given -1, must be an integer of at least 0"),
        ("task.length=1", "task=adding: task.length: given 1, must be at least 2"),
        ("runs_dir=${nowhere}", "Interpolation key 'nowhere' not found"),
    ],
)
def test_wrong_values_are_told_before_anything_happens(
    tmp_path: Path, multirun: Sequence[str], wrong: str, expected: str
) -> None:
    completed = sweeps(tmp_path, *multirun, wrong)
    assert completed.returncode == 2
    assert completed.stderr.startswith("1 problem in the settings; nothing was trained or written.\n")
    assert expected in completed.stderr
    assert "Traceback" not in completed.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("launcher", ["packed", "basic"])
def test_one_bad_cell_of_a_grid_stops_it_before_the_first_step(tmp_path: Path, launcher: str) -> None:
    completed = sweeps(tmp_path, "-m", "seed=0,1,-1", "optim.lr=1e-3,-1", f"hydra/launcher={launcher}")
    assert completed.returncode == 2
    assert "seed: given -1, must be an integer of at least 0 [in 2 of 6 cells]" in completed.stderr
    assert "optim.lr: given -1.0, must be 0 or a positive finite number [in 3 of 6 cells]" in completed.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("several", "expected"),
    [
        (["runs_dir=a,b"], "runs_dir: given a, b, must be one for a whole sweep"),
        (["experiment=first_look,digits"], "experiment: given first_look, digits, must be one"),
        (["tracker=csv,wandb"], "tracker: given csv, wandb, must be one"),
        (["tracker.mode=offline,online"], "tracker.mode: given offline, online, must be one"),
        (["executor.kernel=torch,auto"], "executor.kernel: given torch, auto, must be one"),
        (["seed=0,1", "executor.lanes=1,2"], "executor.lanes: given 1, 2, must be one"),
    ],
)
@pytest.mark.parametrize("launcher", ["packed", "basic"])
def test_a_sweep_has_one_folder_one_tracker_and_one_executor(
    tmp_path: Path, several: Sequence[str], expected: str, launcher: str
) -> None:
    completed = sweeps(tmp_path, "-m", *several, f"hydra/launcher={launcher}")
    assert completed.returncode == 2
    assert expected in completed.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["plam"], "'plam' is no command; did you mean 'plan'? (commands: choices, "),
        (["lstm"], "'lstm' is no command"),
        (["report", "experiment=nothing"], "there are no records under"),
        (["figures", "experimnt=x"], "did you mean 'experiment=...'?"),
        (["mirror", "bogus"], "argument: 'bogus' is not known"),
        (["plan", "arch=rnn_tan"], "did you mean 'rnn_tanh'?"),
        (["plan", "hydra.nothing=1"], "Could not override 'hydra.nothing'"),
    ],
)
def test_commands_that_do_not_exist_or_cannot_work(tmp_path: Path, arguments: Sequence[str], expected: str) -> None:
    completed = sweeps(tmp_path, *arguments, small=False)
    assert completed.returncode == 2
    assert expected in completed.stderr
    assert "Traceback" not in completed.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [[], ["-m"], ["-m", "hydra/launcher=basic"]], ids=["single", "packed", "basic"])
def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path, arguments: Sequence[str]) -> None:
    (tmp_path / "taken").touch()
    completed = sweeps(tmp_path, *arguments, "runs_dir=taken/runs")
    assert completed.returncode == 2
    assert completed.stderr.startswith(f"{tmp_path / 'taken' / 'runs' / 'scratch'}")
    assert completed.stderr.endswith(": Not a directory\n")
    assert completed.stderr.count("\n") == 1


def test_a_report_that_cannot_be_written_is_one_sentence(
    swept: tuple[Path, subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    (tmp_path / "taken").touch()
    completed = sweeps(swept[0], "report", f"into={tmp_path / 'taken' / 'report'}", small=False)
    assert completed.returncode == 2
    assert completed.stderr.startswith(f"{tmp_path / 'taken'}")
    assert completed.stderr.count("\n") == 1


def started(cwd: Path, *arguments: str) -> subprocess.Popen[str]:
    """A sweep of endless cells, in a process group of its own, that holds its folder."""
    rest = [text for text in SMALL if not text.startswith("train.steps=")]
    command = [sys.executable, "-m", "sweeps", "-m", *rest, "train.steps=100000000", "seed=0,1", *arguments]
    process = subprocess.Popen(
        command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.monotonic() + 30
    while not SweepPaths(cwd / "runs" / "scratch").lock.exists():
        assert process.poll() is None
        if time.monotonic() > deadline:
            os.killpg(process.pid, signal.SIGKILL)
            pytest.fail("the sweep does not hold its folder")
        time.sleep(0.02)
    return process


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder for temporary files of what is started; a short name, as sockets need."""
    with tempfile.TemporaryDirectory(prefix="t-", dir="/tmp") as folder:
        monkeypatch.setenv("TMPDIR", folder)
        yield Path(folder)


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [["seed=5,6"], ["seed=7", "train.steps=2"], ["seed=7", "train.steps=2", "hydra/launcher=basic"]],
    ids=["to train", "done", "basic"],
)
def test_a_second_sweep_in_the_same_folder_is_refused_and_replaces_nothing(
    tmp_path: Path, arguments: list[str]
) -> None:
    """Whether or not it has anything to train: a report would be of its cells and not of those that are trained."""
    if "seed=7" in arguments:
        assert sweeps(tmp_path, "-m", "seed=7", "train.steps=2").returncode == 0
    place = SweepPaths(tmp_path / "runs" / "scratch")
    place.lock.unlink(missing_ok=True)
    with started(tmp_path) as first:
        try:
            until(lambda: "100000000" in place.multirun.read_text())
            before = place.plan.read_bytes(), place.multirun.read_bytes(), contents(tmp_path)
            second = sweeps(tmp_path, "-m", *arguments)
            assert (place.plan.read_bytes(), place.multirun.read_bytes(), contents(tmp_path)) == before
        finally:
            os.killpg(first.pid, signal.SIGKILL)
    assert second.returncode == 2
    assert second.stderr == f"another sweep is writing to {place.root}; wait for it or set runs_dir\n"


def until(holds: Callable[[], object]) -> None:
    end = time.monotonic() + 30
    while True:
        with suppress(OSError):
            if holds():
                return
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize(
    "after",
    [
        pytest.param(0.0, marks=pytest.mark.slow, id="at once"),
        pytest.param(0.5, id="while torch is imported"),
        pytest.param(2.5, marks=pytest.mark.slow, id="in training"),
    ],
)
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=["Ctrl-C", "SIGTERM", "SIGHUP"])
def test_what_stops_a_sweep_stops_it_with_one_sentence_and_leaves_nothing(
    tmp_path: Path, temporary: Path, how: signal.Signals, after: float
) -> None:
    with started(tmp_path) as first:
        time.sleep(after)
        os.killpg(first.pid, how)  # a terminal sends it to the whole group, and so does `timeout`
        if how == signal.SIGTERM:
            os.killpg(first.pid, how)  # which sends it twice
        _, stderr = first.communicate(timeout=20)
    assert stderr == "Stopped. What has ended is on disk; the same command goes on from there.\n"
    assert first.returncode == 128 + how
    assert list(temporary.iterdir()) == []
