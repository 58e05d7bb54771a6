"""`python -m sweeps probe`: a done cell is measured from its weights as it would have been in training."""

from __future__ import annotations

from pathlib import Path

import pytest

from sweeps.main import main

SMALL = ("task=adding", "task.length=8", "arch.hidden=4", "train.steps=6", "train.batch=4", "train.eval_size=4",
         "train.log_every=2", "train.eval_every=2", "tracker=csv", "arch=gru")  # fmt: skip
PROBE = "probe=gates,lyapunov,hidden_states"


def cell(root: Path) -> Path:
    [path] = (root / "scratch").glob("*/summary.json")
    return path.parent


@pytest.mark.parametrize("more", [(), ("train.accumulate=2", "train.stop_when_solved=true", "task.solved_at=-10")])
def test_the_rows_from_the_weights_are_those_of_training(tmp_path: Path, more: tuple[str, ...]) -> None:
    for where, own in (("with", (PROBE,)), ("without", ("train.save=final",))):
        assert main([*SMALL, *more, *own, f"runs_dir={tmp_path / where}"]) == 0
    asked, plain = cell(tmp_path / "with"), cell(tmp_path / "without")
    before = {path.name: path.read_bytes() for path in plain.iterdir()}
    assert main(["probe", f"cell={plain.name[:6]}", PROBE, f"runs_dir={tmp_path / 'without'}"]) == 0
    for name in ("probe_gates.csv", "probe_lyapunov.csv", "probe_hidden_states.csv"):
        head, *rows = (asked / name).read_text().splitlines()
        last = max(int(row.partition(",")[0]) for row in rows)
        assert (plain / name).read_text().splitlines() == [head, *(row for row in rows if row.startswith(f"{last},"))]
    assert {name: (plain / name).read_bytes() for name in before} == before


def test_a_cell_without_weights_is_trained_anew(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for where, own in (("with", ("probe=gates,clipping",)), ("without", ())):
        assert main([*SMALL, *own, "clip=value", "clip.threshold=0.01", f"runs_dir={tmp_path / where}"]) == 0
    asked, plain = cell(tmp_path / "with"), cell(tmp_path / "without")
    assert main(["probe", f"cell={plain.name}", "probe=gates,clipping", f"runs_dir={tmp_path / 'without'}"]) == 0
    for name in ("probe_gates.csv", "probe_clipping.csv"):
        assert (plain / name).read_bytes() == (asked / name).read_bytes()
    text = (plain / "metrics.csv").read_text()
    (plain / "metrics.csv").write_text(text.replace("0.001", "0.002"))  # as if with another learning rate
    (plain / "probe_gates.csv").unlink()
    capsys.readouterr()
    assert main(["probe", f"cell={plain.name}", "probe=gates", f"runs_dir={tmp_path / 'without'}"]) == 2
    assert "other bytes in metrics.csv" in " ".join(capsys.readouterr().err.split())
    assert not (plain / "probe_gates.csv").exists(), "a probe of another run"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("cell=abc",), "probe: not given"),
        (("cell={cell}", "probe=gats"), "did you mean 'gates'"),
        (("cell=fffff", "probe=gates"), "fffff"),
        (("cell={cell}", "probe=gates", "step=3"), "step=3"),
    ],
)
def test_what_it_cannot_do_is_refused(
    arguments: tuple[str, ...], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*SMALL, "arch=attention", f"runs_dir={tmp_path}"]) == 0
    name = cell(tmp_path).name
    assert main(["probe", *(text.format(cell=name) for text in arguments), f"runs_dir={tmp_path}"]) == 2
    assert message in capsys.readouterr().err
    assert main(["probe", f"cell={name}", "probe=gates", f"runs_dir={tmp_path}"]) == 2
    assert "arch=attention has none" in " ".join(capsys.readouterr().err.split())
