"""`find` and `show`: what they print, their exit status, and that a run trained again has the same bytes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from analysis.make_records import write_cell
from helpers import SMALL
from sweeps.again import difference, reasons
from sweeps.analysis.loading.one import read_run
from sweeps.commands.runs import find, show
from sweeps.config.identity import cell_id, deciding
from sweeps.errors import ConfigError, SweepsError
from sweeps.in_process import compose, train
from sweeps.records.paths import SweepPaths
from sweeps.records.plan_file import write_plan
from sweeps.records.summary import Summary

Printed = pytest.CaptureFixture[str]
JOB = (*(text for text in SMALL if "length" not in text), "arch=lstm", "clip=norm", "task.length=60", "seed=5")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one cell that was really trained."""
    root = tmp_path_factory.mktemp("runs") / "small"
    [cell] = train(compose(*JOB), root).cells["cell"]
    return root / str(cell)


@pytest.fixture
def copied(trained: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may change."""
    folder = tmp_path / "runs" / "small" / trained.name
    folder.mkdir(parents=True)
    for file in trained.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    return folder


def where(cell: Path) -> list[str]:
    return [f"cell={cell.name}", f"runs_dir={cell.parent.parent}"]


def test_find_prints_a_row_per_cell_whole_in_a_pipe(tmp_path: Path, capsys: Printed) -> None:
    root = tmp_path / "a_sweep_with_a_long_name_so_that_no_terminal_has_room_for_it"
    ids = [write_cell(root, seed=seed, length=length) for seed in (0, 1) for length in (20, 40)]
    place = [f"experiment={root.name}", f"runs_dir={tmp_path}"]
    assert find([*place, "length=20"]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split() == ["cell", "length", "seed", "outcome", "best", "solved", "at", "folder"]
    assert [row.split()[0] for row in rows] == [ids[0], ids[2]]
    assert [row.split()[-1] for row in rows] == [str(root / cell) for cell in (ids[0], ids[2])]
    assert find([*place, "outcome=diverged"]) == 1
    assert "none of 4 cells; alone outcome=diverged has 0" in capsys.readouterr().out
    with pytest.raises(SweepsError, match="seed: given twice; several values are seed=0,1"):
        find([*place, "seed=0", "seed=1"])


def test_in_a_narrow_terminal_no_word_of_a_row_is_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    root = tmp_path / "sweep"
    for seed in (0, 1):
        for lr in (0.003, 0.03):
            write_cell(
                root, arch="gru", init="orthogonal", length=20 * (seed + 1), seed=seed, settings={"optim.lr": lr}
            )
    write_cell(root, arch="lstm", init="random", outcome="solved", end=100)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "75")
    assert find([f"experiment={root.name}", f"runs_dir={tmp_path}"]) == 0
    lines = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out).splitlines()
    assert max(map(len, lines[:7])) <= 75 and len(re.findall("orthogonal .* finished ", "\n".join(lines))) == 4
    assert lines[0].split() == ["solved"] and lines[1].split()[-1] == "at", "only a head stands on two lines"


@pytest.mark.parametrize("text", ["score", "score>0.9", "score<=0.9"])
def test_what_a_shell_leaves_of_a_comparison_is_answered_with_a_range(text: str) -> None:
    with pytest.raises(ConfigError, match=r"is no NAME=VALUE; a range is NAME=0.9.."):
        find([text])


def test_show_fits_a_screen_and_its_last_line_makes_the_cell(trained: Path, capsys: Printed) -> None:
    assert show(where(trained)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 40 and max(map(len, lines[:-7])) <= 80, "but for versions, folder and command line"
    assert lines[0] == f"{trained.name}  LSTM, orthogonal, clip by norm, adding of length 60, seed 5"
    overrides = re.fullmatch(r"again +python -m sweeps (.*)", lines[-1])
    assert overrides is not None
    [settings] = compose(*overrides[1].split(" "))
    assert cell_id(settings) == trained.name
    text = "\n".join(lines)
    assert "length 60*" in text and "arch        lstm*" in text and "eval_every 2*" in text and "lr 0.001\n" not in text
    assert not re.search(r"^(schedule|penalty|stack) ", text, re.M), "at their defaults they add nothing"
    assert len(re.findall(r"^step \d+ +[▁▂▃▄▅▆▇█]{32}  10\^", text, re.M)) == 2


def test_a_run_trained_again_has_the_same_bytes(trained: Path, capsys: Printed) -> None:
    before = {file: file.read_bytes() for file in trained.iterdir()}
    assert show([*where(trained), "--again"]) == 0
    said = capsys.readouterr().out
    for name in ("metrics.csv", "gradient_through_time.csv", "parameters.csv"):
        assert f"{name}: the same {len(before[trained / name]):,} bytes\n" in said
    assert said.endswith("The same bytes.\n")
    assert {file: file.read_bytes() for file in trained.iterdir()} == before


def test_other_bytes_are_told_with_the_likely_reason(copied: Path, capsys: Printed) -> None:
    rows = (copied / "gradient_through_time.csv").read_text().splitlines()
    step, t, lag, value = rows[70].split(",")
    rows[70] = f"{step},{t},{lag},{float(value) * 1.5!r}"
    (copied / "gradient_through_time.csv").write_text("\n".join(rows) + "\n")
    assert show([*where(copied), "--again"]) == 1
    said = capsys.readouterr().out
    assert "metrics.csv: the same" in said
    assert re.search(r"gradient_through_time.csv: differs, first at step 2: log10_norm was .* \(1 of 240 rows", said)
    assert "The summaries name the same code, kernel and processor" in said or "(-dirty)" in said

    summary = json.loads((copied / "summary.json").read_text())
    summary["pack"] |= {"kernel": "other"}
    (copied / "summary.json").write_text(json.dumps(summary | {"processor": "Z80"}))
    assert show([*where(copied), "--again"]) == 1
    said = capsys.readouterr().out
    assert said.index("Likely: pack.kernel was other, is ") < said.index("Likely: processor was Z80, is ")


def test_the_first_difference_of_two_files_is_told() -> None:
    old = b"step,a,b\n0,1.0,2.0\n1,3.0,\n"
    assert difference(old, old) == "the same 26 bytes"
    told = difference(old, b"step,a,b\n0,1.0,2.0\n1,3.3,\n")
    assert told == "differs, first at step 1: a was 3.0, is 3.3 (1 of 2 rows differ, by at most 0.09 of a value)"
    assert difference(old, b"step,a\n0,1.0\n").startswith("differs: it has 3 lines, the new one 2")
    assert difference(old, old + b"2,1.0,2.0\n").startswith("differs: it has 3 lines, the new one 4")
    assert "by at most inf of a value" in difference(old, b"step,a,b\n0,inf,2.0\n1,3.0,\n")


def test_reasons_go_from_the_likeliest_to_the_least(trained: Path) -> None:
    summary = read_run(SweepPaths(trained.parent).cell(trained.name)).summary
    assert summary is not None
    content = summary.as_json()
    other = content | {"numerics": 1, "commit": "abc-dirty", "versions": {**content["versions"], "torch": "1.0"}}
    told = reasons(Summary.from_json(other), summary)
    assert [text.split()[1] for text in told[:3]] == ["numerics", "versions.torch", "commit"]


def test_a_page_is_written_where_it_is_asked_for(trained: Path, tmp_path: Path, capsys: Printed) -> None:
    page = tmp_path / "run.html"
    assert show([*where(trained), f"page={page}"]) == 0
    assert f"Page: {page}" in capsys.readouterr().out
    assert "experiment=" not in page.read_text() and "arch=lstm" in page.read_text()
    for wrong in (f"page={tmp_path}", "page=metrics.csv", "page="):
        with pytest.raises(SweepsError, match="must be the name of a file that ends in"):
            show([*where(trained), wrong])
    with pytest.raises(SweepsError, match="must be in a folder that exists"):
        show([*where(trained), f"page={tmp_path / 'new' / 'run.html'}"])
    assert not (tmp_path / "new").exists()


def test_a_misspelt_flag_is_told_with_the_right_one(trained: Path) -> None:
    with pytest.raises(SweepsError, match=r"'--agian' is not known; did you mean '--again'\?") as error:
        show([*where(trained), "--agian"])
    assert str(error.value).startswith("1 problem in the settings; nothing was written.\n"), "it trains nothing"


def test_what_is_wrong_with_a_record_is_one_sentence_and_status_1(copied: Path, capsys: Printed) -> None:
    (copied / "metrics.csv").write_text("step\n")
    for arguments in ([], ["--again"], [f"page={copied / 'x.html'}"]):
        assert show([*where(copied), *arguments]) == 1
        assert "Damaged: metrics.csv lacks the column train_loss" in capsys.readouterr().out
    assert not (copied / "x.html").exists()
    (copied / "summary.json").unlink()
    (copied / "failure.json").write_text(json.dumps({"reason": "Traceback\n  File\nMemoryError: too large"}))
    assert show(where(copied)) == 1
    said = capsys.readouterr().out
    assert (
        "Failed: MemoryError: too large.\n" in said and "length 60*" in said and "train it    python -m sweeps" in said
    )


def test_a_cell_that_was_only_planned_is_shown_with_what_trains_it_in_its_place(
    trained: Path, tmp_path: Path, capsys: Printed
) -> None:
    runs = tmp_path / "runs"
    write_cell(runs / "small", arch="gru")
    write_plan(runs / "small" / "plan.csv", {trained.name: deciding(compose(*JOB)[0])})
    for folder in (None, runs / "small" / trained.name):
        if folder:
            folder.mkdir()  # as a run that was killed leaves it
        assert show([f"cell={trained.name}", f"runs_dir={runs}"]) == 1
        said = capsys.readouterr().out
        assert said.startswith(
            f"{trained.name}  LSTM, orthogonal, clip by norm, adding of length 60, seed 5\nMissing: "
        )
        assert "length 60*" in said and "eval_every 2*" in said
        overrides = re.fullmatch(r"train it +python -m sweeps (.*)", said.splitlines()[-1])
        assert overrides is not None and f"runs_dir={runs}" in overrides[1].split()
        assert [cell_id(each) for each in compose(*overrides[1].split())] == [trained.name]


def test_a_planned_cell_of_an_experiment_with_a_file_is_trained_under_its_name(tmp_path: Path, capsys: Printed) -> None:
    root = tmp_path / "runs" / "digits"
    [settings] = compose("experiment=digits", "arch=lstm", "init=identity", "seed=1", "clip=none", "task.length=64")
    write_cell(root)
    write_plan(root / "plan.csv", {cell_id(settings): deciding(settings)})
    assert show([f"cell={cell_id(settings)}", f"runs_dir={root.parent}", "experiment=digits"]) == 1
    assert re.search(r"^train it +python -m sweeps experiment=digits ", capsys.readouterr().out, re.M)
