"""No malformed file stops a reader or fools it: every kind of damage, in every file, before everything that reads."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from rich.console import Console

from analysis.make_records import write_cell
from damage import IN_ITS_PLACE, KINDS, SUMMARY, Damage, is_done, problem_of, replaced
from helpers import make_cell, summary_of
from sweeps import comparison, load
from sweeps.config.identity import NUMERICS_VERSION, cell_id, id_of
from sweeps.config.schema import as_dict
from sweeps.dashboard.cells import count
from sweeps.errors import SweepsError
from sweeps.execute.executor import Ended
from sweeps.execute.harness import locked, run
from sweeps.launch import plan_for
from sweeps.main import main
from sweeps.mirror import folder
from sweeps.mirror.replay import mirror
from sweeps.mirror.run_content import run_content, run_id
from sweeps.plan.cells import Cell, distinct
from sweeps.records.files import write_json
from sweeps.records.paths import DIGESTS, PROVENANCE, ReportPaths, SweepPaths
from sweeps.records.plan_file import write_plan
from sweeps.records.safe_reading import yaml_value
from sweeps.records.summary import finished, in_the_way
from sweeps.report import verify as verifying
from sweeps.solo import train

SMALL: dict[str, Any] = {"length": 4, "steps": 40, "log_every": 20, "eval_every": 20}
GOOD = 3


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file without permissions cannot be read, even where the tests are run by one who may read everything."""
    opened = os.open

    def guarded(path: Any, *how: Any, **more: Any) -> int:
        if os.path.isfile(path) and not stat.S_IMODE(os.stat(path).st_mode):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), os.fspath(path))
        return opened(path, *how, **more)

    monkeypatch.setattr(os, "open", guarded)


def damaged(root: Path, kinds: list[str]) -> dict[str, str]:
    """A sweep with a cell for each kind, and three good ones; kind by cell."""
    for seed in range(GOOD):
        write_cell(root, seed=seed, best_score=0.5, **SMALL)
    found = {}
    for place, kind in enumerate(kinds):
        cell = write_cell(root, seed=GOOD + place, best_score=0.99, **SMALL)
        name, damage = KINDS[kind]
        damage(root / cell / name)
        found[cell] = kind
    return found


@pytest.fixture
def sweep(tmp_path: Path) -> SweepPaths:
    return SweepPaths(tmp_path / "runs" / "damaged")


def test_there_are_enough_kinds() -> None:
    assert len(KINDS) >= 78


def test_every_damaged_cell_is_listed_with_one_sentence_and_no_number_of_it_counts(sweep: SweepPaths) -> None:
    kinds = damaged(sweep.root, list(KINDS))
    records = load(sweep.root)
    told = records.problems.set_index("cell")
    assert {kinds[str(cell)]: problem for cell, problem in told["problem"].items()} == {
        kind: problem_of(kind) for kind in KINDS
    }
    assert all(reason.strip() and "\n" not in reason for reason in told["reason"])
    assert list(records.cells["seed"]) == [0, 1, 2] and set(records.cells["best_score"]) == {0.5}
    counted = set(records.cells["cell"])
    assert set(records.metrics["cell"]) == set(records.gradient["cell"]) == set(records.parameters["cell"]) == counted
    assert len(records.metrics) == 3 * GOOD and len(records.gradient) == 3 * 4 * GOOD
    row = comparison(records).iloc[0]
    assert (row["n"], row["best_score"]) == (GOOD, 0.5)


def test_what_is_done_and_what_the_same_command_trains_again(sweep: SweepPaths) -> None:
    """A cell is done exactly when its summary is complete and its own."""
    kinds = damaged(sweep.root, list(KINDS))
    done = {kind: finished(sweep.cell(cell)) is not None for cell, kind in kinds.items()}
    assert done == {kind: is_done(kind) for kind in KINDS}
    found = count(sweep)
    assert (found.done, found.failed) == (GOOD + sum(done.values()), 0)
    taken = [kinds[cell] for cell in kinds if in_the_way(sweep.cell(cell))]
    assert taken == [f"{SUMMARY}: another cell"]


def test_what_is_mirrored_is_whole(sweep: SweepPaths) -> None:
    """The mirror reads all but the parameters; where the gradient was not recorded it goes without."""
    kinds = damaged(sweep.root, list(KINDS))
    taken = set()
    for cell, kind in kinds.items():
        try:
            run_id(sweep.cell(cell))
            run_content(sweep.cell(cell))
            taken.add(kind)
        except SweepsError as error:
            assert str(error).strip() and "\n" not in str(error), kind
    assert taken == {"gradient_through_time.csv: nothing"} | {
        kind for kind in KINDS if kind.startswith("parameters.csv")
    }


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_alone_beside_a_good_cell(sweep: SweepPaths, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What is read together may hide what is read alone."""
    kinds = damaged(sweep.root, [kind])
    records = load(sweep.root, cache=False)
    assert list(records.problems["cell"]) == list(kinds) and len(records.cells) == GOOD
    (sweep.report.root).mkdir()
    where = [f"experiment={sweep.root.name}", f"runs_dir={sweep.root.parent}"]
    assert main(["verify", *where]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.slow
def test_a_report_of_damaged_cells_is_made_and_verified(sweep: SweepPaths, capsys: pytest.CaptureFixture[str]) -> None:
    damaged(sweep.root, list(KINDS))
    where = [f"experiment={sweep.root.name}", f"runs_dir={sweep.root.parent}"]
    assert main(["report", *where]) == 0
    assert "Not counted: " in capsys.readouterr().out
    listed = (sweep.report.root / "tables" / "problems.csv").read_text().splitlines()
    assert len(listed) == 1 + len(KINDS)
    assert f"{GOOD} runs with numbers; not counted: " in (sweep.report.root / "report.md").read_text()
    assert main(["verify", *where]) == 0


@pytest.mark.slow
def test_the_same_sweep_trains_what_is_not_done_and_nothing_else(sweep: SweepPaths) -> None:
    from sweeps.execute.worker import train_pack

    class Here:
        workers = 1

        def run(self, packs: Any, root: Path) -> Any:
            for pack in packs:
                try:
                    train_pack(pack, root, lambda kind, content: None)
                    yield Ended(pack)
                except OSError as error:
                    yield Ended(pack, error=str(error))

    asked = [make_cell(f"seed={seed}", "train.steps=40", "train.log_every=20", "train.eval_every=20", "task.length=4")
             for seed in range(len(KINDS) + GOOD)]  # fmt: skip
    cells = distinct(asked)
    for start in range(0, len(cells), 32):
        run(plan_for(asked[start : start + 32], sweep, 1), sweep, Here(), lambda event: None)
    before = {cell.id: sweep.cell(cell.id).gradient_through_time.read_bytes() for cell in cells}
    kinds = {}
    for kind, cell in zip(KINDS, cells, strict=False):
        name, damage = KINDS[kind]
        path = sweep.cell(cell.id).root / name
        try:
            damage(path)
        except (AssertionError, IndexError):  # made for the planted records
            path.unlink()
        kinds[cell.id] = kind
    waiting = {cell.id for cell in cells if finished(sweep.cell(cell.id)) is None}
    assert len(waiting) >= 40
    plan = plan_for(asked, sweep, 1)
    assert {cell.id for cell in plan.to_train} == waiting
    result = run(plan, sweep, Here(), lambda event: None)
    refused = {kinds[cell] for cell in result.failures}
    assert refused == {f"{SUMMARY}: another cell", f"{SUMMARY}: a folder"}
    assert "holds the record of cell 0123456789ab" in "".join(result.failures.values())
    for each in waiting - result.failures.keys():
        assert sweep.cell(each).gradient_through_time.read_bytes() == before[each], kinds[each]
    records = load(sweep.root)
    assert waiting - result.failures.keys() <= set(records.cells["cell"])


def test_the_mirror_tells_of_each_damaged_cell_and_takes_the_others(
    sweep: SweepPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sweeps.mirror.replay.Client", _Takes)
    monkeypatch.setattr("sweeps.mirror.offline_file.complete", lambda path: True)
    monkeypatch.setattr("sweeps.mirror.replay._WORTH_HELP", 10_000)
    kinds = damaged(sweep.root, list(KINDS))
    result = mirror(sweep, project="tests")
    failed = {kinds[cell] for cell in result.failed}
    quiet = {f"{SUMMARY}: nothing"}  # not done, and nothing says otherwise
    assert failed | quiet | {kinds[cell] for cell in result.mirrored if cell in kinds} == set(KINDS)
    assert len(result.mirrored) == GOOD + len(KINDS) - len(failed | quiet)
    assert all("\n" not in reason for reason in result.failed.values())


class _Takes:
    """In place of the W&B client: takes every run."""

    mode = "offline"
    notes: tuple[str, ...] = ()

    def __init__(self, root: Path, **how: Any) -> None:
        self.root, self.runs = root, root / "wandb"

    def write(self, content: Any) -> Path:
        return self.root / content.id

    def flush(self) -> None:
        pass


def test_a_record_of_another_cell_is_not_written_over(sweep: SweepPaths) -> None:
    """It may be the only one there is: whoever trains the cell whose folder it lies in says so and leaves it."""

    class Idle:
        workers = 1

        def run(self, packs: Any, root: Path) -> Any:
            assert not packs
            return iter(())

    settings = make_cell()
    cell = Cell(cell_id(settings), settings)
    path = sweep.cell(cell.id).summary
    write_json(path, summary_of("0123456789ab"))
    before = path.read_bytes()
    with pytest.raises(SweepsError, match=r"holds the record of cell 0123456789ab; move it away"):
        train(cell, sweep, Console())
    result = run(plan_for([settings], sweep, 1), sweep, Idle(), lambda event: None)
    assert list(result.failures) == [cell.id] and "0123456789ab" in result.failures[cell.id]
    assert path.read_bytes() == before


# Files of the sweep itself.

LISTS: dict[str, Damage] = {
    "another header": lambda path: path.write_text("id,seed\n0123456789ab,1\n"),
    "a header that repeats": lambda path: path.write_text("cell,seed,seed\n0123456789ab,1,1\n"),
    "a long row": lambda path: path.write_text("cell,seed\n0123456789ab,1,2\n"),
    "a short row": lambda path: path.write_text("cell,seed\n0123456789ab\n"),
    "no cell": lambda path: path.write_text("cell,seed\n../../etc,1\n"),
    "an open quote": lambda path: path.write_text('cell,seed\n"0123456789ab,1\n'),
    "a field without end": lambda path: path.write_text(f"cell,seed\n0123456789ab,{'1' * 200_000}\n"),
    "cut in a row": lambda path: path.write_text("cell,seed\n0123456789ab,1"),
}
SAID: dict[str, Damage] = {
    "a list": lambda path: path.write_text("[]"),
    "another mapping": lambda path: path.write_text("hydra: {overrides: []}"),
    "numbers": lambda path: path.write_text("hydra: {overrides: {task: [1, 2]}}"),
    "deep": lambda path: path.write_text("a: " + "[" * 100_000),
}
BESIDE = [
    *(("plan.csv", how) for how in {**IN_ITS_PLACE, **LISTS}),
    *(("multirun.yaml", how) for how in {**IN_ITS_PLACE, **SAID}),
]
ABSENT = ("nothing", "a link to nothing")


@pytest.mark.parametrize(("name", "how"), BESIDE)
def test_a_file_beside_the_cells_that_cannot_be_read_is_a_problem_of_its_own(
    sweep: SweepPaths, name: str, how: str
) -> None:
    from sweeps.report.reproduce import changed_settings, reproduce

    cells = [write_cell(sweep.root, seed=seed, **SMALL) for seed in range(GOOD)]
    write_plan(sweep.plan, {cell: {"seed": seed} for seed, cell in enumerate(cells)})
    sweep.multirun.write_text("hydra: {overrides: {task: [experiment=damaged]}}\n")
    replaced({**IN_ITS_PLACE, **LISTS, **SAID}[how])(sweep.root / name)
    records = load(sweep.root)
    listed = {} if how in ABSENT else {name: "unreadable"}
    assert dict(zip(records.problems["cell"], records.problems["problem"], strict=True)) == listed
    part = records if records.plan is None else records.in_plan()
    assert len(part.cells) == GOOD and len(part.problems) == len(listed)
    assert changed_settings(sweep.root) is None and "python -m sweeps report experiment=damaged" in repr(
        reproduce(records)
    )
    assert count(sweep).planned == (GOOD if name == "multirun.yaml" else None)


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> SweepPaths:
    """A sweep with a report, whose figure is a picture and no more."""
    sweep = SweepPaths(tmp_path_factory.mktemp("reported") / "runs" / "small")
    for seed in range(GOOD):
        write_cell(sweep.root, seed=seed, **SMALL)
    _report(sweep)
    return sweep


def _report(sweep: SweepPaths, *_: Any, into: Path | None = None, records: Any = None, **more: Any) -> None:
    """In place of the whole report, which takes its time: what verify compares of it."""
    from PIL import Image

    from sweeps.analysis.provenance import write_provenance

    folder = into or sweep.report.root
    (folder / "figures").mkdir(parents=True)
    Image.new("RGB", (8, 8), "red").save(folder / "figures" / "one.png")
    (folder / "report.md").write_text("the report\n")
    write_provenance(records or load(sweep.root, cache=False), ReportPaths(folder))


REPORT: dict[str, dict[str, Damage]] = {
    DIGESTS: {
        "no digests": lambda path: path.write_text("a\nb\n"),
        "one that is none": lambda path: path.write_text(path.read_text() + "x  y\n"),
    },
    PROVENANCE: {
        "a list": lambda path: path.write_text("[]"),
        "deep": lambda path: path.write_text("[" * 100_000),
        "numbers": lambda path: path.write_text('{"cell_ids": 1, "records": [2]}'),
        "short texts": lambda path: path.write_text('{"cell_ids": "a", "records": ""}'),
    },
    "figures/one.png": {
        "cut in half": lambda path: path.write_bytes(path.read_bytes()[:40]),
        "another length": lambda path: path.write_bytes(path.read_bytes().replace(b"IHDR", b"IHDX")),
        "a size beyond all": lambda path: path.write_bytes(path.read_bytes()[:16] + b"\x7f" * 8),
    },
    "report.md": {},
}


@pytest.mark.parametrize(
    ("name", "how"), [(name, how) for name, more in REPORT.items() for how in {**IN_ITS_PLACE, **more}]
)
def test_a_damaged_report_is_said_to_differ(
    reported: SweepPaths,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    how: str,
) -> None:
    monkeypatch.setattr(verifying, "make_report", _report)
    shutil.copytree(reported.root, tmp_path / "small")
    where = ["experiment=small", f"runs_dir={tmp_path}"]
    path = tmp_path / "small" / "report" / name
    damage = {**IN_ITS_PLACE, **REPORT[name]}[how]
    (replaced(damage) if how in IN_ITS_PLACE else damage)(path)
    status, said = main(["verify", *where]), capsys.readouterr()
    if name == DIGESTS and how in ABSENT:
        assert status == 2 and "holds no report that can be verified" in said.err
        return
    assert status == 1 and said.err == ""
    assert [line for line in said.out.splitlines() if name in line and not line.startswith("note:")], said.out


def test_a_report_that_was_left_alone_does_not_differ(
    reported: SweepPaths, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(verifying, "make_report", _report)
    assert main(["verify", "experiment=small", f"runs_dir={reported.root.parent}"]) == 0


@pytest.mark.parametrize("how", IN_ITS_PLACE)
def test_no_cache_is_believed_and_nothing_in_its_place_is_touched(sweep: SweepPaths, tmp_path: Path, how: str) -> None:
    write_cell(sweep.root, **SMALL)
    IN_ITS_PLACE[how](sweep.cache)
    before = os.lstat(sweep.cache) if os.path.lexists(sweep.cache) else None
    assert len(load(sweep.root).cells) == 1
    if before is not None and how != "a folder":
        assert os.lstat(sweep.cache).st_ino == before.st_ino


def test_a_cache_elsewhere_is_not_tidied(sweep: SweepPaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that a link leads to belongs to the user."""
    monkeypatch.setattr("sweeps.analysis.loading.scan.SETTLED", -2_000_000_000)
    write_cell(sweep.root, **SMALL)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").touch()
    sweep.cache.symlink_to(tmp_path / "mine")
    load(sweep.root)
    sweep.cache.unlink()
    (sweep.cache).mkdir()
    (sweep.cache / "notes").mkdir()
    load(sweep.root)
    assert (tmp_path / "mine" / "thesis.tex").exists() and (sweep.cache / "notes").exists()


@pytest.mark.parametrize("how", ["a pipe", "an empty file", "binary"])
def test_a_lock_is_held_whatever_lies_in_its_place(sweep: SweepPaths, how: str) -> None:
    sweep.mirror.mkdir(parents=True)
    for path in (sweep.lock, sweep.mirror_lock):
        IN_ITS_PLACE[how](path)
    with locked(sweep), folder.hold_mirror(sweep), pytest.raises(SweepsError, match="another sweep"), locked(sweep):
        pass


# What is not damage.


def test_links_to_files_and_folders_elsewhere_are_records(sweep: SweepPaths, tmp_path: Path) -> None:
    """Records are kept on other disks; what a link leads to is read, and its changes are seen."""
    cells = [write_cell(sweep.root, seed=seed, **SMALL) for seed in range(2)]
    metrics = sweep.cell(cells[0]).metrics
    metrics.rename(tmp_path / "elsewhere.csv")
    metrics.symlink_to(tmp_path / "elsewhere.csv")
    sweep.cell(cells[1]).root.rename(tmp_path / "folder")
    sweep.cell(cells[1]).root.symlink_to(tmp_path / "folder")
    assert set(load(sweep.root).cells["cell"]) == set(cells)
    (tmp_path / "elsewhere.csv").write_text("step\n")
    assert list(load(sweep.root).problems["cell"]) == [cells[0]]


def test_names_that_are_no_text_and_folders_in_circles_are_no_trouble(sweep: SweepPaths) -> None:
    cell = write_cell(sweep.root, **SMALL)
    shutil.copytree(sweep.cell(cell).root, sweep.root / os.fsdecode(b"\xff\xfe"))
    (sweep.root / "around").symlink_to(sweep.root / "around")
    (sweep.root / "again").symlink_to(sweep.root)
    records = load(sweep.root)
    assert list(records.cells["cell"]) == [cell]
    assert records.problems.to_csv().encode()
    assert r"\udcff\udcfe" in set(records.problems["cell"])


VALUES = [0.001, 1e-3, 1e-8, 1e22, 1e16, 123456789.123, 5e-324, 0.1 + 0.2, -0.0, float("inf"), -1.5, 3.0, 1e100]
TEXTS = ["1e-3", "0.1", "yes", "null", "1:30", "0x10", "é ✓", "a: b", "# no", " a ", "2026-01-01", "~", "", "x" * 200]


@pytest.mark.parametrize("numerics", [1, 2, 3])
def test_what_is_written_to_config_yaml_reads_back_to_the_same_id(numerics: int) -> None:
    drawn = np.random.default_rng(0).integers(0, 2**63, 200).view(float)
    config = {
        "floats": {f"f{place}": float(value) for place, value in enumerate([*VALUES, *drawn[np.isfinite(drawn)]])},
        "texts": {f"t{place}": text for place, text in enumerate(TEXTS)},
        "others": {"whole": 1, "much": 10**15, "true": True, "false": False, "none": None, "list": [1, 2.0, "a"]},
        "seed": 7,
    }
    back = yaml_value(yaml.safe_dump(config, sort_keys=False))
    assert id_of(back, numerics) == id_of(config, numerics)
    assert id_of({**back, "seed": 8}, numerics) != id_of(config, numerics)


@pytest.mark.parametrize("overrides", [(), ("clip=norm", "optim.lr=1e-3"), ("clip=value", "init=random", "arch=lstm"),
                                       ("clip=none", "optim=rmsprop", "init.gain=2")])  # fmt: skip
def test_the_id_of_a_cell_is_that_of_its_config_yaml(overrides: tuple[str, ...]) -> None:
    settings = make_cell(*overrides)
    written = yaml.safe_dump(as_dict(settings), sort_keys=False)
    assert id_of(yaml_value(written), NUMERICS_VERSION) == cell_id(settings)


def test_a_setting_that_comes_later_orphans_no_record() -> None:
    """Ids of numerics 2, written down when a record had these settings and no others."""
    old = {"arch": {"name": "gru", "hidden": 32}, "seed": 0, "runs_dir": "runs", "experiment": "a"}
    canonical = json.dumps({"numerics": 2, "arch": old["arch"], "seed": 0}, sort_keys=True)
    assert id_of(old, 2) == hashlib.sha256(canonical.encode()).hexdigest()[:12]
    assert id_of({**old, "runs_dir": "elsewhere"}, 2) == id_of(old, 2)
