"""`kill -9` of a whole sweep at any moment, then the same command: cells done once, records undisturbed."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from helpers import SMALL
from sweeps.records.checkpoint import begun
from sweeps.records.paths import SweepPaths
from sweeps.records.summary import finished

FILES = ["config.yaml", "gradient_through_time.csv", "metrics.csv", "parameters.csv", "summary.json"]
SHAPES = {
    # packs of four that take a while: most kills hit training
    "training": [
        "arch=rnn_tanh,lstm",
        "clip=none,norm",
        "seed=range(6)",
        "train.steps=400",
        "executor.lanes=4",
    ],
    # a pack per cell and few steps: most kills hit the start of a worker or the writing of a record
    "writing": [
        "arch=rnn_tanh,gru",
        "seed=range(40)",
        "task.length=40",
        "train.log_every=1",
        "executor.lanes=1",
    ],
}


def command(shape: str) -> list[str]:
    given = {text.partition("=")[0] for text in SHAPES[shape]}
    rest = [text for text in SMALL if text.partition("=")[0] not in given]
    return [sys.executable, "-m", "sweeps", "-m", *SHAPES[shape], *rest]


def records(cwd: Path) -> dict[str, dict[str, bytes]]:
    """Every file of every cell but the summaries, which hold times."""
    return {
        paths.root.name: {path.name: path.read_bytes() for path in paths.root.iterdir() if path.name != "summary.json"}
        for paths in SweepPaths(cwd / "runs" / "scratch").cells()
    }


def numbers(found: dict[str, dict[str, bytes]]) -> dict[str, dict[str, bytes]]:
    """The CSV files alone: config.yaml names the tracker too."""
    return {
        cell: {name: content for name, content in files.items() if name.endswith(".csv")}
        for cell, files in found.items()
    }


def done(cwd: Path) -> dict[str, int]:
    """When each cell that is done was done."""
    found = SweepPaths(cwd / "runs" / "scratch").cells()
    return {paths.root.name: paths.summary.stat().st_mtime_ns for paths in found if finished(paths) is not None}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, dict[str, bytes]]]:
    """The records of each shape of sweep."""
    found = {}
    for shape in SHAPES:
        cwd = tmp_path_factory.mktemp(shape)
        subprocess.run(command(shape), cwd=cwd, check=True, capture_output=True, timeout=120)
        found[shape] = records(cwd)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("whom", ["group", "driver"])
def test_killed_at_random_moments(
    tmp_path: Path,
    undisturbed: dict[str, dict[str, dict[str, bytes]]],
    shape: str,
    seed: int,
    whom: str,
) -> None:
    expected = undisturbed[shape]
    rng = random.Random(f"{shape} {seed} {whom}")
    before: dict[str, int] = {}
    counts = []
    for _ in range(3):
        with subprocess.Popen(
            command(shape),
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as sweep:
            enough = len(before) + rng.randint(0, len(expected) // 3)
            while len(done(tmp_path)) < enough and sweep.poll() is None:
                time.sleep(0.02)
            time.sleep(rng.uniform(0, 1.5 if enough == len(before) else 0.3))
            if sweep.poll() is not None:
                pass  # it ended before the random moment
            elif whom == "group":
                os.killpg(sweep.pid, signal.SIGKILL)
            else:
                sweep.kill()
        now = done(tmp_path)
        assert {cell: now.get(cell) for cell in before} == before, "a cell that was done was done again"
        before = now
        counts.append(len(now))

    completed = subprocess.run(command(shape), cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert completed.returncode == 0, completed.stderr
    after = done(tmp_path)
    assert {cell: after.get(cell) for cell in before} == before
    assert set(after) == set(expected)
    assert records(tmp_path) == expected
    for paths in SweepPaths(tmp_path / "runs" / "scratch").cells():
        assert sorted(path.name for path in paths.root.iterdir()) == FILES, "no half-written file is left"
    print(f"done after each kill, of {len(expected)}: {counts}")
    assert counts[0] < len(expected), "the first kill came too late to disturb anything"
    assert counts[-1] > 0, "no kill came late enough to leave anything to go on from"


def processes(driver: int) -> dict[str, list[int]]:
    """The processes that a sweep has started, by kind."""
    parents: dict[int, int] = {}
    commands: dict[int, str] = {}
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError):
            parents[int(path.name)] = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            commands[int(path.name)] = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    own = {pid for pid, parent in parents.items() if parent == driver}
    servers = [pid for pid in own if "multiprocessing.forkserver" in commands[pid]]
    return {
        "server": servers,
        "worker": [pid for pid, parent in parents.items() if parent in servers],
        "mirror": [pid for pid in own if "sweeps mirror" in commands[pid]],
    }


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(
    ("whom", "shape", "kills"), [("worker", "training", 4), ("server", "writing", 3), ("mirror", "writing", 1)]
)
def test_a_part_killed_at_random_moments(
    tmp_path: Path, undisturbed: dict[str, dict[str, dict[str, bytes]]], whom: str, shape: str, seed: int, kills: int
) -> None:
    """The sweep goes on without it; what it could not do, the same command does."""
    rng = random.Random(f"{whom} {seed}")
    line = [*command(shape), *(["tracker=wandb", "tracker.mode=offline"] if whom == "mirror" else [])]
    line = [text for text in line if whom != "mirror" or text != "tracker=csv"]
    killed = 0
    with subprocess.Popen(
        line, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    ) as sweep:
        while killed < kills and sweep.poll() is None:
            time.sleep(rng.uniform(0.05, 1.0))
            if found := processes(sweep.pid)[whom]:
                with suppress(ProcessLookupError):
                    os.kill(rng.choice(found), signal.SIGKILL)
                    killed += 1
        stdout, _ = sweep.communicate(timeout=120)
    assert killed, "it was over before the first kill"
    assert sweep.returncode in ((0, 1) if whom == "worker" else (0,)), stdout
    assert "Traceback" not in stdout
    before = done(tmp_path)
    again = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert again.returncode == 0, again.stderr
    after = done(tmp_path)
    assert {cell: after.get(cell) for cell in before} == before, "a cell that was done was done again"
    assert numbers(records(tmp_path)) == numbers(undisturbed[shape])
    if whom == "mirror":
        assert f"W&B mirror: {len(after)} cells in " in " ".join(again.stdout.split()), again.stdout
    print(f"killed {whom} {killed} times")


@pytest.mark.slow
@pytest.mark.parametrize("whom", ["group", "driver"])
def test_a_killed_sweep_goes_on_from_its_checkpoints(tmp_path: Path, whom: str) -> None:
    """Killed twice as soon as every cell of a pack has got further, then trained in packs of another size."""
    shared = [text for text in SMALL if text.partition("=")[0] not in ("train.steps", "task.length")]
    grid = ["arch=lstm", "clip=none,norm", "seed=range(5)", "train.steps=600", "task.length=20", *shared]
    line = [sys.executable, "-m", "sweeps", "-m", *grid]
    quiet = [*line, f"runs_dir={tmp_path / 'quiet' / 'runs'}", "train.checkpoint=0"]
    subprocess.run(quiet, check=True, capture_output=True, timeout=120)
    sweep = SweepPaths(tmp_path / "runs" / "scratch")
    line = [*line, f"runs_dir={tmp_path / 'runs'}"]

    def furthest() -> int:
        return max((begun(cell.checkpoint, cell.root.name) for cell in sweep.cells()), default=0)

    for _ in range(2):
        before = furthest()
        with subprocess.Popen(
            [*line, "executor.lanes=4", "train.checkpoint=1e-9"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as process:
            while furthest() < before + 20 and process.poll() is None:
                time.sleep(0.02)
            assert process.poll() is None, "it ended before it was killed"
            if whom == "group":
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
    time.sleep(1)  # workers end themselves after the driver
    assert furthest() >= 40, "the second went on from the checkpoints of the first"
    last = subprocess.run([*line, "executor.lanes=3"], capture_output=True, text=True, timeout=120)
    assert last.returncode == 0, last.stderr
    told = re.search(r"10 to train \((\d+) from a checkpoint\)", last.stdout)
    assert told and int(told[1]) >= 4, last.stdout
    assert "going on from update" in last.stdout and "starting anew" not in last.stdout
    assert numbers(records(tmp_path)) == numbers(records(tmp_path / "quiet"))
    assert not list(tmp_path.rglob("checkpoint.npz")) and not list(tmp_path.rglob(".*.tmp"))
