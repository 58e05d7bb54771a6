"""Going on from checkpoints: the bytes of an undisturbed run, whatever pack a cell was in and is in now.

`train.checkpoint=1e-9` keeps a checkpoint after every update; a run is interrupted by raising an exception, or a
SIGKILL, at a certain one.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from helpers import RECIPES, make_cell, make_cells
from sweeps import tasks
from sweeps.engine import optim
from sweeps.engine.native import library
from sweeps.engine.setup import set_up
from sweeps.engine.train import Measurement
from sweeps.execute import checkpoints as module
from sweeps.execute.checkpoints import made_with
from sweeps.execute.measured import as_arrays, from_arrays
from sweeps.execute.worker import train_pack
from sweeps.plan.cells import Cell
from sweeps.plan.packs import Pack
from sweeps.records import arrays, checkpoint
from sweeps.records.checkpoint import begun
from sweeps.records.paths import SweepPaths
from sweeps.records.summary import read_summary

FILES = ("metrics.csv", "gradient_through_time.csv", "parameters.csv")
ALWAYS = "train.checkpoint=1e-9"
STEPS = 9
TEXT = Path(__file__).parents[2] / "docs" / "decisions" / "018-checkpoints.md"
"""2,200 characters: of their training part a stream of 16 x 32 has three batches, then it begins anew."""
OPTIMISERS = ("sgd", "sgdw", "rmsprop", "adam", "adamw")


class Interrupted(BaseException):
    """As if the process had been killed: nothing of the code under test catches it."""


def some_cells(count: int, *shared: str) -> list[Cell]:
    """Cells of one shape: initialisations, clippings, rates and seeds mixed; two neighbours have the same seed."""
    clips, inits = ("none", "norm", "adaptive", "value", "per_parameter"), ("random", "orthogonal")
    kinds = zip(itertools.cycle(clips), itertools.cycle(inits), strict=False)
    own = (
        (f"clip={clip}", f"init={init}", "clip.threshold=0.05", f"optim.lr={0.03 / (1 + k % 3)}", f"seed={k // 2}")
        for k, (clip, init) in zip(range(count), kinds, strict=False)
    )
    return make_cells(*((f"train.steps={STEPS}", "arch.hidden=9", *each, *shared) for each in own))


def train(cells: Sequence[Cell], size: int, root: Path, stop: int | None = None) -> list[str]:
    """Train cells in packs of a size, each interrupted when the row of update `stop` has been measured.

    Returns:
        The notes.
    """
    notes: list[str] = []

    def notify(kind: str, content: dict) -> None:
        if kind == "note":
            notes.append(content["text"])
        if kind == "progress" and content["step"] == stop:
            raise Interrupted

    for start in range(0, len(cells), size):
        pack = Pack(tuple(cells[start : start + size]))
        if stop is None:
            train_pack(pack, root, notify)
        else:
            with pytest.raises(Interrupted):
                train_pack(pack, root, notify)
    return notes


def keeping(cells: Sequence[Cell]) -> list[Cell]:
    """The same cells, with a checkpoint after every update."""
    kept = [
        replace(cell, settings=replace(cell.settings, train=replace(cell.settings.train, checkpoint=1e-9)))
        for cell in cells
    ]
    return kept


def records(cells: Sequence[Cell], root: Path) -> dict[str, bytes]:
    return {f"{cell.id}/{name}": (root / cell.id / name).read_bytes() for cell in cells for name in FILES}


def steps(cells: Sequence[Cell], root: Path) -> list[int]:
    """The updates that the checkpoint of each cell has."""
    return [begun(SweepPaths(root).cell(cell.id).checkpoint, cell.id) for cell in cells]


def undisturbed(cells: Sequence[Cell], root: Path) -> dict[str, bytes]:
    quiet = [
        replace(cell, settings=replace(cell.settings, train=replace(cell.settings.train, checkpoint=0.0)))
        for cell in cells
    ]
    train(quiet, len(quiet), root)
    assert not list(root.rglob("checkpoint.npz"))
    return records(cells, root)


def test_all_optimisers_are_tried() -> None:
    assert set(OPTIMISERS) == set(optim.OPTIMIZERS)


SHAPES: list[tuple[str, str, tuple[str, ...]]] = [
    ("rnn_tanh", "sgd", ("optim.momentum=0.9",)),
    ("rnn_relu", "rmsprop", ("task=binary_sum",)),
    ("lstm", "adam", ("stack.layers=3", "stack.dropout=0.3", "stack.norm=layer")),
    ("gru", "adam", ("train.truncate=2", "stack.start=random", "stack.bidirectional=true")),
    ("rnn_tanh", "adam", ("task=copy", "stack.start=learned")),
    ("lstm", "rmsprop", ("train.log_every=1", "train.eval_every=3")),
    ("rnn_tanh", "sgdw", ("optim.nesterov=true", "train.accumulate=2", "task=copy")),
    ("gru", "adamw", ("stack.input_dropout=0.2", "stack.output_dropout=0.2", "train.accumulate=3")),
    ("lstm", "adam", ("task=char_lm", f"task.path={TEXT}", "task.length=32", "train.batch=16", "stack.layers=2")),
]


@pytest.mark.parametrize(
    ("kernel", "arch", "optimiser", "shape"),
    [*((kernel, *each) for each in SHAPES for kernel in ("torch", "native")), ("reference", "rnn_tanh", "adam", ())],
)
def test_going_on_in_another_pack_gives_the_bytes_of_an_undisturbed_run(
    kernel: str, arch: str, optimiser: str, shape: tuple[str, ...], tmp_path: Path
) -> None:
    if kernel == "native" and library() is None:
        pytest.skip("no C++ compiler: there are no native kernels on this machine")
    cells = keeping(some_cells(7, f"arch={arch}", f"optim={optimiser}", f"executor.kernel={kernel}", *shape))
    expected = undisturbed(cells, tmp_path / "undisturbed")
    assert len(set(expected.values())) == len(expected), "the cells differ, so the comparison means something"
    for before, after, stop in ((7, 1, 4), (1, 7, 6), (2, 7, 6), (7, 2, 4)):
        root = tmp_path / f"{before} {after}"
        train(cells, before, root, stop)
        assert steps(cells, root) == 7 * [stop], "the row of update `stop` is measured before that update is made"
        assert not list(root.rglob("*.csv"))
        notes = train(random.Random(stop).sample(cells, 7), after, root)
        assert set(notes) == {f"going on from update {stop} of {STEPS}"}
        assert records(cells, root) == expected, f"from packs of {before} to packs of {after}"
        assert not list(root.rglob("checkpoint.npz")), "a cell that has ended needs none"


def test_schedules_and_patience_go_on_as_they_were(tmp_path: Path) -> None:
    """What a plateau and early stopping have counted is in the checkpoint; one that had ended is not begun again."""
    common = ("optim=adamw", "optim.lr=0.05", "train.steps=20", "train.log_every=1", "train.eval_every=1")
    cells = keeping(make_cells(*((*common, *own, f"seed={k}") for k, own in enumerate(RECIPES))))
    expected = undisturbed(cells, tmp_path / "undisturbed")
    ends = {read_summary(SweepPaths(tmp_path / "undisturbed").cell(cell.id)).step for cell in cells}
    assert len(ends) > 1 and max(ends) == 20
    for before, after, stop in ((7, 1, 7), (1, 7, 11), (7, 3, 14)):
        root = tmp_path / f"{before} {after}"
        for cell in cells if before == 1 else [None]:
            run = cells if cell is None else [cell]
            if max(read_summary(SweepPaths(tmp_path / "undisturbed").cell(each.id)).step for each in run) >= stop:
                train(run, before, root, stop)
        left = [cell for cell in cells if not SweepPaths(root).cell(cell.id).summary.exists()]
        train(random.Random(stop).sample(left, len(left)), after, root)
        assert records(cells, root) == expected, f"from packs of {before} to packs of {after}"


class Stream:
    """A sine that goes on from batch to batch and begins anew every fourth; where it is, the stream alone knows."""

    length, inputs, outputs, loss, score = 5, 1, 1, "mse", "explained variance"
    chance_loss, solved_at = 1.0, 2.0

    def sample(self, rng: np.random.Generator, batch: int) -> tasks.Batch:
        return self._sequences(0, rng.normal(size=batch), False)

    def stream(self, rng: np.random.Generator, batch: int) -> Iterator[tasks.Batch]:
        for drawn in itertools.count():
            yield self._sequences(self.length * drawn, rng.normal(size=batch), drawn % 4 > 0)

    def evaluation(self, rng: np.random.Generator, size: int) -> tasks.Batch:
        return self._sequences(0, rng.normal(size=size), False)

    def _sequences(self, at: int, phase: np.ndarray, goes_on: bool) -> tasks.Batch:
        values = np.sin(0.3 * np.arange(at, at + self.length + 1)[:, None] + phase).astype(np.float32)
        return tasks.Batch(values[:-1, :, None], values[-1][:, None], goes_on=goes_on)


@pytest.mark.parametrize(("start", "batches"), [("zero", 1), ("random", 1), ("zero", 3)])
def test_a_stream_goes_on_in_the_states_in_which_it_was_left(
    start: str, batches: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "task_of", lambda settings: Stream())
    shape = ("arch=lstm", "train.log_every=1", "train.eval_every=3", f"stack.start={start}", f"train.steps={STEPS}",
             f"train.accumulate={batches}")  # fmt: skip
    cells = keeping(make_cells(*((*shape, f"init={init}") for init in ("random", "orthogonal", "identity"))))
    expected = undisturbed(cells, tmp_path / "undisturbed")
    for stop in (2, 3, 5):
        train(cells, 3, tmp_path / str(stop), stop)
        train(cells, 1, tmp_path / str(stop))
        assert records(cells, tmp_path / str(stop)) == expected, stop


def test_no_generator_is_forgotten() -> None:
    """Whatever generator is held for a seed is among those that a checkpoint has."""

    def held(thing: object) -> set[int]:
        if isinstance(thing, np.random.Generator):
            return {id(thing)}
        inner = thing.values() if isinstance(thing, dict) else thing if isinstance(thing, list | tuple) else []
        return {each for one in inner for each in held(one)}

    drops = ("stack.dropout=0.1", "stack.input_dropout=0.1", "stack.output_dropout=0.1")
    data = set_up([make_cell("stack.layers=3", *drops, "stack.start=random")]).data
    assert held(vars(data)) == {id(rng) for rng in data.generators(0).values()}
    assert len(data.generators(0)) == 6


def test_interrupted_at_every_update(tmp_path: Path) -> None:
    cells = keeping(some_cells(2, "arch=gru", "train.log_every=1", "train.eval_every=2"))
    expected = undisturbed(cells, tmp_path / "undisturbed")
    for stop in range(STEPS):
        train(cells, 2, tmp_path / "sweep", stop)
        assert steps(cells, tmp_path / "sweep") == [stop, stop]
    train(cells, 1, tmp_path / "sweep")
    assert records(cells, tmp_path / "sweep") == expected


def test_cells_of_one_pack_with_checkpoints_of_several_updates(tmp_path: Path) -> None:
    """Each goes on from its own: groups of one update train one after the other."""
    cells = keeping(some_cells(7, "train.log_every=1", "train.eval_every=2"))
    expected = undisturbed(cells, tmp_path / "undisturbed")
    root = tmp_path / "sweep"
    train(cells[:3], 3, root, 3)
    train(cells[3:5], 2, root, 7)
    assert steps(cells, root) == [3, 3, 3, 7, 7, 0, 0]
    done: list[float] = []
    ended: list[str] = []

    def notify(kind: str, content: dict) -> None:
        done.extend([content["done"]] if kind == "progress" else [])
        ended.extend([content["cell"]] if kind == "ended" else [])

    train_pack(Pack(tuple(cells)), root, notify)
    assert records(cells, root) == expected
    assert ended == [cell.id for cell in (*cells[3:5], *cells[:3], *cells[5:])], "the furthest first"
    assert done == sorted(done) and done[-1] == 1
    summary = read_summary(SweepPaths(root).cell(cells[4].id))
    assert (summary.pack.lane, summary.pack.lanes) == (1, 2), "the pack that it ended in"


def test_cells_that_have_ended_are_left_and_the_others_go_on(tmp_path: Path) -> None:
    """One has diverged and one was solved before the interruption; both stay, with their summaries."""
    shared = ("arch=rnn_relu", "optim=sgd", "task.length=20", "train.steps=30", "train.stop_when_solved=true")
    wild = ("init=identity", "init.gain=1.5", "optim.lr=1.0")
    calm = ("init=orthogonal", "optim.lr=0.01", "clip=norm")
    solved = make_cells((*shared, *calm, "task.solved_at=-1e9"))
    cells = keeping(make_cells(*((*shared, *(wild if k == 1 else calm), f"seed={k}") for k in range(4))))
    expected = undisturbed(cells, tmp_path / "undisturbed")
    root = tmp_path / "sweep"
    train(cells, 4, root, 26)
    assert steps(cells, root) == [26, 0, 26, 26]
    paths = SweepPaths(root).cell(cells[1].id)
    assert read_summary(paths).outcome == "diverged"
    before = paths.summary.read_bytes()
    train([cells[3], cells[0], cells[2]], 3, root)
    assert records(cells, root) == expected and paths.summary.read_bytes() == before

    train(keeping(solved), 1, tmp_path / "solved")
    assert read_summary(SweepPaths(tmp_path / "solved").cell(solved[0].id)).step == 0
    assert not list(tmp_path.rglob("checkpoint.npz"))


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def empty(path: Path) -> None:
    path.write_bytes(b"")


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "mine").touch()


def pickled(path: Path) -> None:
    """A file of arrays of Python objects: loading them would run whatever code they name."""
    np.savez(path, head=np.array([Cell], dtype=object))


def changed(**entries: object) -> Callable[[Path], None]:
    """Writes other entries into the head, and leaves the rest as it is."""

    def damage(path: Path) -> None:
        content = arrays.read_arrays(path)
        head = {**json.loads(content["head"].tobytes()), **entries}
        arrays.write_arrays(path, {**content, "head": np.frombuffer(json.dumps(head).encode(), dtype=np.uint8)})

    return damage


def without(name: str) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        content = arrays.read_arrays(path)
        del content[name]
        arrays.write_arrays(path, content)

    return damage


def smaller(path: Path) -> None:
    content = arrays.read_arrays(path)
    arrays.write_arrays(path, {**content, "state/weights": content["state/weights"][:-1]})


OTHER = made_with(make_cell()) | {"torch": "1.0"}


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (truncate, "checkpoint.npz cannot be read: "),
        (flip, "checkpoint.npz cannot be read: Bad CRC-32"),
        (empty, "checkpoint.npz cannot be read: "),
        (pickled, "checkpoint.npz cannot be read: Object arrays cannot be loaded when allow_pickle=False"),
        (changed(format=0), "checkpoint.npz is not one that this version can read"),
        (changed(step="4"), "checkpoint.npz is not one that this version can read"),
        (without("head"), "checkpoint.npz is not one that this version can read"),
        (changed(cell="0123456789ab"), "checkpoint.npz is of cell 0123456789ab"),
        (changed(made_with=OTHER), f"checkpoint.npz was made with torch 1.0, here {made_with(make_cell())['torch']}"),
        (changed(step=STEPS + 1), f"checkpoint.npz does not fit: it is of update {STEPS + 1} of {STEPS}"),
        (without("state/optimizer.m"), "checkpoint.npz does not fit: optimizer.m is in one of the two alone"),
        (smaller, "checkpoint.npz does not fit: weights is torch.float32 ["),
        (without("rows/rows"), "checkpoint.npz holds no rows: 'rows'"),
    ],
)
def test_a_checkpoint_that_cannot_be_used_is_said_and_its_cell_starts_anew(
    damage: Callable[[Path], None], said: str, tmp_path: Path
) -> None:
    cells = keeping(some_cells(3))
    expected = undisturbed(cells, tmp_path / "undisturbed")
    root = tmp_path / "sweep"
    train(cells, 3, root, 4)
    damage(SweepPaths(root).cell(cells[1].id).checkpoint)
    first, second = train(cells, 3, root)
    assert first.startswith(f"starting anew (1 of the cells): {said}") and "\n" not in first
    assert second == f"going on from update 4 of {STEPS} (2 of the cells)"
    assert records(cells, root) == expected and not list(root.rglob("checkpoint.npz"))


def test_numbers_of_another_version_are_not_gone_on_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cells of another numerics version have other ids; a checkpoint that was copied there is another cell's."""
    from sweeps.config import identity

    [cell] = keeping(some_cells(1))
    train([cell], 1, tmp_path, 4)
    monkeypatch.setattr(identity, "NUMERICS_VERSION", identity.NUMERICS_VERSION + 1)
    [other] = keeping(some_cells(1))
    assert other.id != cell.id
    (tmp_path / cell.id).rename(tmp_path / other.id)
    assert train([other], 1, tmp_path) == [f"starting anew: checkpoint.npz is of cell {cell.id}"]


def test_a_checkpoint_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    """Where the file should be lies a folder."""
    cells = keeping(some_cells(2))
    expected = undisturbed(cells, tmp_path / "undisturbed")
    path = SweepPaths(tmp_path / "sweep").cell(cells[0].id).checkpoint
    path.mkdir(parents=True)
    (path / "mine").touch()
    notes = train(cells, 2, tmp_path / "sweep", 6)
    assert notes[0] == "starting anew (1 of the cells): checkpoint.npz cannot be read: it is a folder, not a file"
    assert notes[1:] == [f"no checkpoint at update {step}: {path}: Is a directory" for step in range(1, 7)]
    assert steps(cells, tmp_path / "sweep") == [0, 6]
    train(cells, 2, tmp_path / "sweep")
    assert records(cells, tmp_path / "sweep") == expected
    assert (path / "mine").exists()


def test_a_worker_killed_in_the_middle(tmp_path: Path) -> None:
    """SIGKILL, as the system sends it when memory runs out; whatever file was being written is whole or not there."""
    cells = keeping(some_cells(3, "arch=lstm"))
    expected = undisturbed(cells, tmp_path / "undisturbed")
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from test_checkpoints import keeping, some_cells\n"
        "from sweeps.execute.worker import train_pack; from sweeps.plan.packs import Pack\n"
        "def kill(kind, content):\n"
        "    if kind == 'progress' and content['step'] == 4: os.kill(os.getpid(), signal.SIGKILL)\n"
        "train_pack(Pack(tuple(keeping(some_cells(3, 'arch=lstm')))), Path(sys.argv[1]), kill)\n"
    )
    here = Path(__file__).parent
    path = os.pathsep.join([str(here), str(here.parent), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "sweep")], env=os.environ | {"PYTHONPATH": path})
    assert done.returncode == -signal.SIGKILL
    assert steps(cells, tmp_path / "sweep") == [4, 4, 4]
    train(cells, 2, tmp_path / "sweep")
    assert records(cells, tmp_path / "sweep") == expected


def test_checkpoints_are_minutes_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a clock on which every update takes 40 seconds: after 120 s, and 120 s after the end of that."""

    class Clock:
        now = 0.0

        def monotonic(self) -> float:
            self.now += 40
            return self.now

    written: list[int] = []
    monkeypatch.setattr(module, "time", Clock())
    monkeypatch.setattr(module, "write_checkpoint", lambda path, content: written.append(content.head.step))
    [cell] = some_cells(1, "train.checkpoint=2")
    train([cell], 1, tmp_path)
    assert written == [3, 6, 9]
    [cell] = some_cells(1, "train.checkpoint=0")
    train([cell], 1, tmp_path / "never")
    assert written == [3, 6, 9]


def test_seconds_are_those_of_all_parts(tmp_path: Path) -> None:
    [cell] = keeping(some_cells(1))
    train([cell], 1, tmp_path, 4)
    changed(seconds=1000.5)(SweepPaths(tmp_path).cell(cell.id).checkpoint)
    train([cell], 1, tmp_path)
    assert 1000.5 < read_summary(SweepPaths(tmp_path).cell(cell.id)).seconds < 1060


def test_measurements_read_back_bit_for_bit() -> None:
    norms = np.array([[np.nan, -np.inf, 0.1 + 0.2]]), np.array([[5.0, -1e-17, 1e308]])
    first = Measurement(
        0, 0, np.inf, 1 / 3, 5e-324, 0.1, norms[0], norms[1], np.nan, 0.1 + 0.7, True, [["w", 1e-320, None]], None
    )
    second = Measurement(0, 10, -0.0, 1e300, 1.0, 1.0, norms[1], norms[0], None, None, False, None, None)
    again = from_arrays(as_arrays([first, second]))
    for before, after in zip((first, second), again, strict=True):
        assert before.log10_norm.tobytes() == after.log10_norm.tobytes()
        assert repr(asdict(before)) == repr(asdict(after))


def test_equal_arrays_are_equal_bytes_and_a_file_that_unfolds_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = {"a": np.arange(3.0), "b.c": np.ones((2, 2), dtype=np.float32)}
    for name in ("one", "two"):
        arrays.write_arrays(tmp_path / name, content)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    np.savez_compressed(tmp_path / "dense.npz", a=np.zeros(10_000))
    monkeypatch.setattr(arrays, "LARGE", 5_000)
    with pytest.raises(checkpoint.SweepsError, match=r"dense\.npz cannot be read: it holds more than 5000 bytes"):
        arrays.read_arrays(tmp_path / "dense.npz")
