"""The cache beside the records is never stale: any change of a file is noticed, and it gives what the files give."""

from __future__ import annotations

import ast
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from analysis.make_records import write_cell
from sweeps import Records, load
from sweeps.analysis.loading import cache
from sweeps.analysis.loading.cache import READERS
from sweeps.analysis.loading.raw_records import RawRecords, read
from sweeps.analysis.loading.scan import SETTLED, Scan, scan
from sweeps.config.places import ROOT


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A sweep of which every file counts as old."""
    monkeypatch.setattr("sweeps.analysis.loading.scan.SETTLED", -SETTLED)
    for seed in range(3):
        write_cell(tmp_path, seed=seed, length=5, steps=60, log_every=20)
    write_cell(tmp_path, seed=3, outcome="diverged", end=40, length=5, steps=60, log_every=20)
    (tmp_path / write_cell(tmp_path, seed=4) / "summary.json").unlink()
    return tmp_path


def test_the_second_load_opens_no_record_and_gives_the_same(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load(root)
    monkeypatch.setattr(cache, "read", _refuse)
    assert_same(load(root), first)


def test_reading_the_files_gives_the_same_and_writes_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, during = sorted(root.rglob("*")), list[Path]()

    def watched(scanned: Scan, folder: Path) -> RawRecords:
        raw = read(scanned, folder)
        during.extend(root.rglob("*"))
        return raw

    with monkeypatch.context() as patch:
        patch.setattr(cache, "read", watched)
        truth = load(root, cache=False)
    assert sorted(during) == before and sorted(root.rglob("*")) == before
    assert_same(load(root), truth)
    assert len(list((root / ".cache").iterdir())) == 1


@pytest.mark.parametrize("name", ["metrics.csv", "config.yaml", "summary.json"])
def test_another_value_of_the_same_size_and_time_is_noticed(root: Path, name: str) -> None:
    records = load(root)
    path = root / records.cells["cell"].iloc[0] / name
    times, text = path.stat(), path.read_text()
    old, new = {"metrics.csv": (",0.01,", ",0.02,"), "config.yaml": ("32\n", "33\n")}.get(name, ("1.5", "2.5"))
    assert old in text
    path.write_text(text.replace(old, new, 1))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert path.stat().st_size == times.st_size and path.stat().st_mtime_ns == times.st_mtime_ns
    again = load(root)
    assert_same(again, load(root, cache=False))
    assert again.digests != records.digests


def test_a_cell_more_and_a_cell_less_are_noticed(root: Path) -> None:
    load(root)
    cell = write_cell(root, seed=9, length=5, steps=60, log_every=20)
    assert cell in set(load(root).cells["cell"])
    shutil.rmtree(root / cell)
    assert cell not in set(load(root).cells["cell"])
    assert len(list((root / ".cache").iterdir())) == 1, "older caches are removed"


def test_what_another_process_removes_meanwhile_is_no_error(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    truth = load(root, cache=False)
    theirs, stat = root / ".cache" / "writing-theirs", Path.stat
    theirs.mkdir(parents=True)

    def gone(path: Path, **how: bool) -> os.stat_result:
        if path == theirs:
            path.rmdir()
        return stat(path, **how)

    monkeypatch.setattr(Path, "stat", gone)
    assert_same(load(root), truth)
    assert not theirs.exists()


def test_nothing_is_kept_while_a_file_is_young(tmp_path: Path) -> None:
    """Two changes within one tick of the file system's clock leave the same stamp."""
    write_cell(tmp_path)
    assert not scan(tmp_path).settled()
    load(tmp_path)
    assert list((tmp_path / ".cache").iterdir()) == []


def test_a_damaged_cache_is_made_again(root: Path) -> None:
    truth = load(root, cache=False)
    load(root)
    column = next((root / ".cache").rglob("*.bin"))
    column.write_bytes(column.read_bytes()[:-1])
    assert_same(load(root), truth)


def test_another_reader_is_another_cache(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load(root)
    monkeypatch.setattr(cache, "_code", lambda: "other code")
    existed: list[bool] = []
    monkeypatch.setattr(cache, "_open", _noting(existed))
    assert len(load(root).cells) == 4 and existed == [False]


def test_a_folder_that_cannot_be_written_is_read_all_the_same(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    truth = load(root, cache=False)
    monkeypatch.setattr(cache, "_writable", lambda folder: False)
    assert_same(load(root), truth)


def test_frames_can_be_written_to_without_touching_the_cache(root: Path) -> None:
    load(root)
    records = load(root)
    before = records.metrics["train_loss"].copy()
    records.metrics.loc[0, "train_loss"] = -1.0
    assert records.metrics.loc[0, "train_loss"] == -1.0
    assert list(load(root).metrics["train_loss"]) == list(before)


def assert_same(one: Records, other: Records) -> None:
    for name in ("cells", "metrics", "gradient", "parameters", "problems"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name), check_exact=True)
    assert (one.extra_axes, one.plan, one.digests) == (other.extra_axes, other.plan, other.digests)


def _refuse(*_: object) -> None:
    raise AssertionError("a record was read")


def _noting(existed: list[bool]) -> Callable[[Path], None]:
    """In place of opening a cache: notes whether the folder exists, and fails as if it did not."""

    def instead(folder: Path) -> None:
        existed.append(folder.exists())
        raise FileNotFoundError(folder)

    return instead


def test_a_cache_belongs_to_all_the_code_that_reads_records() -> None:
    """`READERS` is the import closure of `raw_records` and of the cache, but for what only names errors and places."""
    package = ROOT / "src" / "sweeps"

    def imported(name: str) -> set[str]:
        tree = ast.parse((package / f"{name}.py").read_text(encoding="utf-8"))
        modules = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
        names = {f"{node.module}.{each.name}" for node in modules for each in node.names} | {
            str(node.module) for node in modules
        }
        paths = {each.removeprefix("sweeps.").replace(".", "/") for each in names if each.startswith("sweeps.")}
        return {path for path in paths if (package / f"{path}.py").exists()}

    closure, waiting = {"analysis/loading/cache"}, ["analysis/loading/cache"]
    while waiting:
        new = imported(waiting.pop()) - closure
        closure |= new
        waiting += new
    assert closure - set(READERS) <= {
        "amounts",
        "errors",
        "own",
        "config/schema",
        "config/places",
        "config/cards",
        "records/files",
    }
    assert set(READERS) <= closure
