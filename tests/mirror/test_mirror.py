"""The W&B mirror holds what the CSV records hold, bit for bit, and never holds it twice.

Everything is offline and inside tmp_path: a socket that leaves this machine fails the test.
"""

from __future__ import annotations

import fcntl
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from functools import cache
from pathlib import Path
from shutil import ignore_patterns
from typing import Any

import pytest
from PIL import Image

from damage import IN_ITS_PLACE
from mirror.logged import LoggedRun, read
from mirror.mirrored import KEY, T, add_cell, assert_equals_csv, cell_id, damage, folders, log_of, run, timeless
from sweeps.errors import SweepsError
from sweeps.mirror import client as wandb_client
from sweeps.mirror import environment as wandb_environment
from sweeps.mirror import folder, offline_file
from sweeps.mirror import replay as mirroring
from sweeps.mirror.helper import Helper
from sweeps.mirror.replay import follow
from sweeps.mirror.run_content import HEAT_MAP
from sweeps.records.paths import SweepPaths


@pytest.mark.parametrize("folder", ["plain", "a b[x]*?c"])
def test_the_offline_file_equals_the_csv_bit_for_bit(tmp_path: Path, folder: str) -> None:
    sweep = SweepPaths(tmp_path / folder / "first_look")
    cells = [add_cell(sweep, 1), add_cell(sweep, 2, diverged=True), add_cell(sweep, 3, rows=300)]
    result = run(sweep)
    assert (result.mode, result.mirrored, result.already, result.failed) == ("offline", cells, [], {})
    assert run(sweep).already == cells  # the name of the folder is also parsed
    for cell in cells:
        logged = read(log_of(sweep, cell))
        assert logged.exit_code == 0
        assert_equals_csv(sweep, cell, logged.history)


def test_non_finite_values_stay_visible(sweep: SweepPaths) -> None:
    cell = add_cell(sweep, 1, rows=4, diverged=True)
    run(sweep)
    logged = read(log_of(sweep, cell))
    assert [row["nonfinite"] for row in logged.history] == [0, 0, 2, 2]
    assert logged.history[2]["train_loss"] == math.inf
    assert logged.history[2]["grad_norm"] == -math.inf
    assert math.isnan(logged.history[3]["train_loss"])
    assert logged.summary["nonfinite_values"] == 4
    assert logged.summary["outcome"] == "diverged"
    assert logged.summary["diverged_step"] == 30
    assert logged.summary["reason"] == "the loss is nan"
    assert logged.summary["final/train_loss"] == "NaN"


def test_the_run_can_be_found_filtered_and_grouped(sweep: SweepPaths) -> None:
    cell = add_cell(sweep, 7)
    run(sweep)
    logged = read(log_of(sweep, cell))
    assert logged.id == f"{cell}-n3"
    assert (logged.project, logged.group, logged.job_type) == ("tests", "first_look", "lstm")
    assert logged.tags == ("first_look", "lstm", "solved")
    assert logged.name == "lstm orthogonal norm T8 s7"
    flat = {key: value for key, value in logged.config.items() if key not in ("settings", "_wandb")}
    assert flat == {
        **{"arch": "lstm", "init": "orthogonal", "gain": 1.5, "clip": "norm", "threshold": 0.25, "length": T},
        **{"hidden": 32, "seed": 7, "task": "adding", "optim": "adam", "lr": 0.001},
        **{"experiment": "first_look", "outcome": "solved", "cell": cell},
    }
    assert logged.config["settings"]["optim"]["betas_first"] == [0.9, 0.999]
    assert "private" not in json.dumps(logged.config)
    expected = {"outcome": "solved", "solved_step": 30, "best/eval_score": 0.9, "train_seconds": 1.25}
    assert logged.summary.items() >= expected.items()
    assert "diverged_step" not in logged.summary


def test_the_gradient_through_time_is_there_as_scalars(sweep: SweepPaths) -> None:
    cell = add_cell(sweep, 1)
    run(sweep)
    for row, history in enumerate(read(log_of(sweep, cell)).history):
        at = {"0": 0, "half": T // 2, "last": T - 1}
        for name, lag in at.items():
            assert history[f"gradient/log10_norm_lag_{name}"] == -40.0 * lag - row - 1 / 3
        assert history["gradient/log10_slope_per_lag"] == pytest.approx(-40.0, rel=1e-12)


def test_the_gradient_through_time_is_there_as_a_picture(sweep: SweepPaths) -> None:
    cell = add_cell(sweep, 1)
    run(sweep)
    *others, last = read(log_of(sweep, cell)).history
    image = {key.rpartition("/")[2]: value for key, value in last.items() if key.startswith(f"{HEAT_MAP}/")}
    assert image["_type"] == "image-file"
    with Image.open(log_of(sweep, cell).parent / "files" / image["path"]) as picture:
        assert picture.size == (image["width"], image["height"])
    assert not any(HEAT_MAP in key for row in others for key in row)


def test_the_summary_has_the_last_value_of_every_column(sweep: SweepPaths) -> None:
    cell = add_cell(sweep, 1, rows=4, diverged=True)
    run(sweep)
    logged = read(log_of(sweep, cell))
    latest = {
        key: value for row in logged.history for key, value in row.items() if key[0] != "_" and "time/" not in key
    }
    expected = {key: "NaN" if math.isnan(value) else value for key, value in latest.items()}
    expected["grad_norm"] = "Infinity"
    assert logged.summary.items() >= expected.items()


def test_without_a_gradient_record_the_metrics_are_mirrored(sweep: SweepPaths) -> None:
    cell = add_cell(sweep, 1)
    sweep.cell(cell).gradient_through_time.unlink()
    assert run(sweep).mirrored == [cell]


def test_a_second_call_adds_nothing(sweep: SweepPaths) -> None:
    cells = [add_cell(sweep, index) for index in range(3)]
    run(sweep)
    before = {path: path.read_bytes() for path in sweep.mirror.rglob("*.wandb")}
    cells.append(add_cell(sweep, 99))
    result = run(sweep)
    assert (result.mirrored, result.already) == (cells[3:], cells[:3])
    assert {path: path.read_bytes() for path in before} == before
    assert len(folders(sweep)) == 4


def test_a_damaged_run_is_replaced_and_a_complete_or_uploaded_one_is_left(sweep: SweepPaths) -> None:
    damages = ["empty", "header only", "truncated", "half", "another digit", "another header", *IN_ITS_PLACE]
    cells = {how: add_cell(sweep, index) for index, how in enumerate(damages)}
    complete, uploaded = add_cell(sweep, 50), add_cell(sweep, 51)
    run(sweep)
    for how, cell in cells.items():
        damage(log_of(sweep, cell), how)
        if how != "nothing":
            assert not offline_file.complete(log_of(sweep, cell))
    damage(log_of(sweep, uploaded), "truncated")
    log_of(sweep, uploaded).with_suffix(".wandb.synced").touch()
    result = run(sweep)
    assert sorted(result.mirrored) == sorted(cells.values())
    assert result.already == [complete, uploaded]
    assert all(offline_file.complete(log_of(sweep, cell)) for cell in cells.values())  # one folder each


def test_of_two_attempts_the_complete_one_is_kept(sweep: SweepPaths) -> None:
    cell = add_cell(sweep, 1)
    run(sweep)
    (good,) = folders(sweep)
    bad = good.with_name(f"offline-run-20200101_000000-{cell}-n3-1")
    shutil.copytree(good, bad, symlinks=True)
    damage(bad / f"run-{cell}-n3.wandb", "half")
    assert run(sweep).already == [cell]
    assert folders(sweep) == [good]


@pytest.mark.parametrize(
    ("code", "rows", "reason"), [(1, 1, "status 1"), (0, 2, "1 history rows instead of 2"), (0, 1, "None")]
)
def test_a_run_that_ended_badly_or_lacks_rows_is_not_complete(
    tmp_path: Path, code: int, rows: int, reason: str
) -> None:
    import wandb

    with wandb_environment.client_environment():
        options: Any = {
            "project": "tests",
            "mode": "offline",
            "dir": tmp_path,
            "settings": {"console": "off"},
        }
        bad = wandb.init(**options, reinit="create_new")
        bad.log({"a": 1})
        bad.summary[offline_file.ROWS] = rows
        bad.finish(exit_code=code)
        wandb.teardown()
    (log,) = tmp_path.rglob("run-*.wandb")
    assert reason in str(offline_file.problem(log))


@pytest.mark.parametrize("mode", ["auto", "online"])
def test_without_a_key_everything_stays_offline(sweep: SweepPaths, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.input", lambda *_: pytest.fail("a prompt"))
    cell = add_cell(sweep, 1)
    result = run(sweep, mode=mode)
    assert (result.mode, result.mirrored) == ("offline", [cell])
    assert bool(result.notes) == (mode == "online")  # a note only if the requested mode was not possible


@pytest.mark.parametrize("where", ["variable", "netrc"])
def test_a_key_makes_auto_go_online(
    sweep: SweepPaths, where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if where == "variable":
        monkeypatch.setenv("WANDB_API_KEY", KEY)
    else:
        (tmp_path / "home").mkdir()
        (tmp_path / "home" / ".netrc").write_text(f"machine 127.0.0.1:9\n  login user\n  password {KEY}\n")
        os.chmod(tmp_path / "home" / ".netrc", 0o600)
    chosen = [
        wandb_client.Client(sweep.mirror, project="p", entity=None, mode=mode).mode
        for mode in ("auto", "online", "offline")
    ]
    assert chosen == ["online", "online", "offline"]


def test_a_malformed_key_is_reported_and_not_shown(sweep: SweepPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "tooshortsecret")
    cell = add_cell(sweep, 1)
    result = run(sweep, mode="online")
    assert (result.mode, result.mirrored) == ("offline", [cell])
    assert "key" in result.notes[0] and "tooshortsecret" not in result.notes[0]


def test_a_server_that_is_away_leaves_every_run_offline(sweep: SweepPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    import wandb

    init, calls = wandb.init, []

    def unreachable(**options: Any) -> Any:
        calls.append(options["mode"])
        if options["mode"] == "online":
            folder = Path(options["dir"], "wandb", f"run-20200101_000000-{options['id']}")
            folder.mkdir(parents=True)
            raise wandb.errors.CommError("Timed out")
        return init(**options)

    monkeypatch.setenv("WANDB_API_KEY", KEY)
    monkeypatch.setattr(wandb, "init", unreachable)
    cells = [add_cell(sweep, index) for index in range(3)]
    result = run(sweep, mode="online")
    assert (result.mode, result.mirrored, result.failed) == ("offline", cells, {})
    assert calls == ["online", "offline", "offline", "offline"]
    assert len(result.notes) == 1 and "CommError" in result.notes[0] and KEY not in result.notes[0]
    assert not list((sweep.mirrored_runs).glob("run-*"))


def test_an_interrupted_upload_is_not_written_again_offline(sweep: SweepPaths) -> None:
    cell = add_cell(sweep, 1)
    begun = sweep.mirrored_runs / f"run-20200101_000000-{cell}-n3"
    begun.mkdir(parents=True)
    result = run(sweep)
    assert result.mirrored == [] and "sweeps sync" in result.failed[cell]
    assert begun.exists()


def test_wandb_mode_overrules_the_setting(sweep: SweepPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    cell = add_cell(sweep, 1)
    monkeypatch.setenv("WANDB_MODE", "disabled")
    result = run(sweep)
    assert (result.mode, result.mirrored, len(result.notes)) == ("disabled", [], 1)
    assert not sweep.mirror.exists()
    monkeypatch.setenv("WANDB_MODE", "ofline")
    with pytest.raises(SweepsError, match="WANDB_MODE: 'ofline' is not known; did you mean 'offline'"):
        run(sweep)
    monkeypatch.setenv("WANDB_MODE", "dryrun")
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    result = run(sweep, mode="online")
    assert (result.mode, result.mirrored) == ("offline", [cell])


def test_an_unknown_mode_is_an_error(sweep: SweepPaths) -> None:
    with pytest.raises(SweepsError, match=r"tracker mode: 'onlin' is not known; did you mean 'online'"):
        run(sweep, mode="onlin")


def test_what_the_environment_says_of_another_run_is_ignored(
    sweep: SweepPaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = {
        "WANDB_RESUME": "allow",
        "WANDB_RUN_ID": "other",
        "WANDB_NAME": "other",
        "WANDB_NOTES": "other",
        "WANDB_TAGS": "other",
        "WANDB_SWEEP_ID": "other",
        "WANDB_DIR": str(tmp_path / "other"),
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    cells = [add_cell(sweep, 1), add_cell(sweep, 2)]
    run(sweep)
    for cell in cells:
        assert b"other" not in log_of(sweep, cell).read_bytes()
        (sent,) = (r.run for r in offline_file.records(log_of(sweep, cell)) if r.WhichOneof("record_type") == "run")
        assert not sent.resumed and not sent.sweep_id and not sent.notes
    assert {name: os.environ[name] for name in variables} == variables
    assert "WANDB_SILENT" not in os.environ


def test_cells_that_are_not_done_wait_and_malformed_ones_are_reported(sweep: SweepPaths) -> None:
    good = [add_cell(sweep, 1), add_cell(sweep, 9)]
    unfinished, no_csv, bad_csv, backwards, no_config = (add_cell(sweep, index) for index in range(2, 7))
    sweep.cell(unfinished).summary.write_text('{"format": 1,')
    sweep.cell(no_csv).metrics.unlink()
    sweep.cell(bad_csv).metrics.write_text("step,train_loss\n0,x\n")
    rows = sweep.cell(backwards).metrics.read_text()
    sweep.cell(backwards).metrics.write_text(rows.replace("\n20,", "\n10,"))
    sweep.cell(no_config).config.unlink()
    (sweep.root / "report").mkdir()
    result = run(sweep)
    assert result.mirrored == good
    assert result.failed.keys() == {unfinished, no_csv, bad_csv, backwards, no_config}
    assert result.failed[unfinished] == "summary.json is missing or not complete"
    assert "metrics.csv cannot be read: it lacks the column eval_loss" in result.failed[bad_csv]
    assert "metrics.csv cannot be read: it has step 10 twice" in result.failed[backwards]
    assert "config.yaml" in result.failed[no_config]


def test_a_failing_client_gets_a_second_chance_and_then_gives_up(
    sweep: SweepPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    import wandb

    init, fail = wandb.init, [f"{cell_id(1)}-n3"]

    def flaky(**options: Any) -> Any:
        if options["id"] in fail:
            fail.remove(options["id"])
            raise wandb.errors.CommError("lost the service")
        return init(**options)

    monkeypatch.setattr(wandb, "init", flaky)
    cells = [add_cell(sweep, index) for index in range(3)]
    assert sorted(run(sweep).mirrored) == cells
    more = [add_cell(sweep, index) for index in range(10, 15)]
    fail[:] = [f"{cell_id(10)}-n3"] * 2
    result = run(sweep)
    assert result.failed == {more[0]: "CommError: lost the service"}
    assert result.mirrored == more[1:]
    fail[:] = [f"{cell}-n3" for cell in [add_cell(sweep, index) for index in range(20, 25)]]
    with pytest.raises(SweepsError, match=r"failed 3 times in a row.*lost the service"):
        run(sweep)


def test_a_run_that_breaks_in_the_middle_is_replaced(sweep: SweepPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    import wandb

    log, calls = wandb.sdk.wandb_run.Run.log, []

    def breaks_once(self: Any, row: Any, **options: Any) -> None:
        calls.append(1)
        if len(calls) == 3:
            raise BrokenPipeError("the service is gone")
        log(self, row, **options)

    monkeypatch.setattr(wandb.sdk.wandb_run.Run, "log", breaks_once)
    cell = add_cell(sweep, 1)
    assert run(sweep).mirrored == [cell]
    assert len(read(log_of(sweep, cell)).history) == 5
    assert len(calls) == 3 + 5


def test_a_full_disk_is_one_sentence(sweep: SweepPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    import wandb

    def full(**options: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(wandb, "init", full)
    add_cell(sweep, 1)
    with pytest.raises(SweepsError, match=r"cannot be written in .*: No space left on device\.$"):
        run(sweep)


def test_a_client_that_is_not_there_is_one_sentence(sweep: SweepPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(SweepsError, match=r"cannot be imported.*tracker=csv"):
        run(sweep)


def test_a_folder_that_cannot_be_written_is_one_sentence(sweep: SweepPaths) -> None:
    sweep.root.mkdir(parents=True)
    sweep.mirror.write_text("in the way")
    with pytest.raises(SweepsError, match="cannot be written"):
        run(sweep)


def test_two_mirrors_of_one_sweep_never_run_together(sweep: SweepPaths) -> None:
    sweep.mirror.mkdir(parents=True)
    with (sweep.mirror_lock).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(SweepsError, match="Another process"):
            run(sweep)
    assert run(sweep).mirrored == []


def test_follow_mirrors_cells_as_they_get_done(sweep: SweepPaths) -> None:
    first = add_cell(sweep, 1)
    over, added = threading.Event(), []

    def later() -> None:
        deadline = time.monotonic() + 20
        while not folders(sweep, first) and time.monotonic() < deadline:
            time.sleep(0.02)  # the first run arrives while the sweep goes on
        added.append(bool(folders(sweep, first)))
        add_cell(sweep, 2)
        over.set()

    thread = threading.Thread(target=later)
    thread.start()
    result = follow(sweep, over.is_set, project="tests", interval=0.05)
    thread.join()
    assert added == [True]
    assert (result.mirrored, result.already, result.failed) == ([first, cell_id(2)], [], {})
    assert len(folders(sweep)) == 2


def test_a_helping_process_writes_the_same_runs(sweep: SweepPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirroring, "_WORTH_HELP", 1)
    cells = [add_cell(sweep, index) for index in range(12)]
    write, helped = Helper.write, []

    def counting(self: Helper, cell: str) -> Path:
        helped.append(cell)
        return write(self, cell)

    monkeypatch.setattr(Helper, "write", counting)
    result = run(sweep)
    assert (sorted(result.mirrored), result.failed) == (cells, {})
    assert 0 < len(helped) < len(cells)
    for cell in cells:
        assert_equals_csv(sweep, cell, read(log_of(sweep, cell)).history)


def test_a_helping_process_that_dies_loses_nothing(sweep: SweepPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirroring, "_WORTH_HELP", 1)
    cells = [add_cell(sweep, index) for index in range(6)]
    write = Helper.write

    def killed(self: Helper, cell: str) -> Path:
        self._process.kill()
        self._process.wait()
        return write(self, cell)

    monkeypatch.setattr(Helper, "write", killed)
    result = run(sweep)
    assert (sorted(result.mirrored), result.failed) == (cells, {})


def test_what_stops_the_mirror_does_not_stop_a_helping_process_in_the_middle(sweep: SweepPaths) -> None:
    """Ctrl-C and SIGTERM reach both processes; the helping one ends when its input closes."""
    cells = [add_cell(sweep, index) for index in range(3)]
    client = wandb_client.Client(sweep.mirror, project="tests", entity=None, mode="offline")
    with folder.hold_mirror(sweep) as lock, Helper(sweep, client, lock) as helper:
        helper.write(cells[0])
        for number in (signal.SIGINT, signal.SIGTERM):
            helper._process.send_signal(number)
        helper.write(cells[1])
    assert helper._process.returncode == 0
    assert [offline_file.complete(log_of(sweep, cell)) for cell in cells[:2]] == [True, True]


@cache
def undisturbed(folder: Path) -> dict[str, LoggedRun]:
    """cell -> its run, of the cells whose mirroring is killed in the test below."""
    sweep = SweepPaths(folder / "undisturbed")
    cells = [add_cell(sweep, index, rows=60, diverged=index % 2 == 1) for index in range(12)]
    run(sweep)
    return {cell: read(log_of(sweep, cell)) for cell in cells}


@pytest.mark.parametrize("point", [3, *(pytest.param(k, marks=pytest.mark.slow) for k in range(20) if k != 3)])
def test_kill_in_the_middle_duplicates_and_loses_nothing(
    sweep: SweepPaths, point: int, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Killed when some of 12 runs have begun, at a moment of that run which differs from case to case; in half of
    the cases a helping process, which is not killed itself, is in the middle of a run too."""
    monkeypatch.setattr(folder, "PATIENCE", 10.0)  # what the helper needs to end
    expected = undisturbed(tmp_path_factory.getbasetemp())
    shutil.copytree(tmp_path_factory.getbasetemp() / "undisturbed", sweep.root, ignore=ignore_patterns("mirror"))
    code = (
        "import sys; from pathlib import Path; from sweeps.mirror import replay as mirror; "
        f"from sweeps.records.paths import SweepPaths; mirror._WORTH_HELP = {1 if point % 2 else 100}; "
        "mirror.mirror(SweepPaths(Path(sys.argv[1])), project='tests')"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(sweep.root)])
    while len(folders(sweep)) < 1 + point // 2 and process.poll() is None:
        time.sleep(0.002)
    time.sleep(0.05 * (point * 7 % 12) / 12)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    result = run(sweep)
    assert sorted(result.mirrored + result.already) == sorted(expected)
    assert len(folders(sweep)) == len(expected)
    for cell, run_expected in expected.items():
        logged = read(log_of(sweep, cell))
        assert timeless(logged.history) == timeless(run_expected.history)
        assert timeless([logged.summary, logged.config]) == timeless([run_expected.summary, run_expected.config])


def test_torch_and_hydra_are_not_imported() -> None:
    code = "import sys, sweeps.mirror.replay; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "hydra", "wandb"} & set(done.stdout.split())
