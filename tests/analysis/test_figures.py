"""The frames behind the figures hold what was planted, and every figure draws whatever records there are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analysis.make_records import write_cell
from sweeps.analysis import curves, load
from sweeps.analysis.figures import FIGURES
from sweeps.analysis.style import LINES, SPARE, label, lines, save


def test_gradient_by_lag_is_the_median_with_the_range(tmp_path: Path) -> None:
    for seed, slope in enumerate((-1.0, -2.0, -6.0)):
        write_cell(tmp_path, seed=seed, slope=(slope, slope / 2), length=101)
    records = load(tmp_path)
    for at, scale in (("start", 1.0), ("end", 0.5)):
        frame = curves.gradient_by_lag(records, at=at, length=101, clip="none").set_index("lag")
        row = frame.loc[100]
        assert row["n"] == 3
        expected = [-2.0 + scale * 100 * slope for slope in (-2.0, -6.0, -1.0)]  # far outside float32
        assert list(row[["median", "low", "high"]]) == pytest.approx(expected)


def test_the_end_of_a_diverged_run_is_its_last_finite_step(tmp_path: Path) -> None:
    write_cell(tmp_path, outcome="diverged", end=60, slope=(0.0, 2.0), length=11)  # slope at step 40: 0.4
    frame = curves.gradient_by_lag(load(tmp_path), at="end", length=11, clip="none").set_index("lag")
    assert frame.loc[10, "median"] == pytest.approx(-2.0 + 0.4 * 10)


def test_solved_runs_stay_in_the_loss_curve_and_diverged_ones_leave_it(tmp_path: Path) -> None:
    write_cell(tmp_path, seed=0, outcome="solved", end=80)
    write_cell(tmp_path, seed=1, outcome="diverged", end=120)
    write_cell(tmp_path, seed=2)
    frame, ends = curves.loss_over_training(load(tmp_path), length=20)
    n = frame.set_index("step")["n"]
    assert (n[0], n[80], n[120], n[200]) == (3, 3, 2, 2)
    assert list(ends["step"]) == [120] and np.isfinite(frame["high"]).all()


def test_clipping_over_training_has_before_and_after(tmp_path: Path) -> None:
    write_cell(tmp_path, clip="norm", grad_norm=100.0)
    write_cell(tmp_path, clip="none", grad_norm=100.0)
    frame = curves.clipping_over_training(load(tmp_path), init="orthogonal", length=20)
    assert set(frame["clip"]) == {"norm"}
    assert frame.groupby("when")["median"].median().to_dict() == pytest.approx({"before": 2.0, "after": 0.0})


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_draws_one_lone_diverged_cell_of_unknown_names(tmp_path: Path, name: str) -> None:
    write_cell(tmp_path, arch="mgu", init="cayley", clip="agc" if name == "clipping" else "none", outcome="diverged")
    figure = FIGURES[name](load(tmp_path))
    assert figure is not None
    assert all(path.stat().st_size > 1000 for path in save(figure, tmp_path / "figures" / name))


def test_zero_gradients_are_said_not_drawn(tmp_path: Path) -> None:
    cell = write_cell(tmp_path, length=6, log_every=200)
    path = tmp_path / cell / "gradient_through_time.csv"
    rows = [row.rsplit(",", 1)[0] for row in path.read_text().splitlines()]
    path.write_text("\n".join([rows[0] + ",log10_norm", *(row + ",-inf" for row in rows[1:])]) + "\n")
    figure = FIGURES["gradient_by_lag_start"](load(tmp_path))
    assert figure is not None
    assert "exactly zero: orthogonal" in {text.get_text() for text in figure.axes[0].texts}


def test_a_hole_is_said_in_the_panel(tmp_path: Path) -> None:
    for arch, init in (("lstm", "random"), ("gru", "identity")):
        write_cell(tmp_path, arch=arch, init=init)
    figure = FIGURES["gradient_by_lag_start"](load(tmp_path))
    assert figure is not None
    assert [ax.texts[0].get_text() for ax in figure.axes] == ["no run: identity", "no run: random"]


def test_colours_of_an_axis_differ_in_luminance_and_lines_in_dashes() -> None:
    for known in LINES.values():
        shades = sorted(_luminance(line.colour) for line in known.values())
        assert min(np.diff(shades)) > 0.03, shades
        assert len({str(line.dashes) for line in known.values()}) == len(known)
        assert len({line.marker for line in known.values()}) == len(known)


def test_unknown_names_get_a_line_of_their_own_and_keep_their_name() -> None:
    drawn = lines("init", ["random", "cayley", "expm"])
    assert drawn["random"] == LINES["init"]["random"]
    assert (drawn["cayley"], drawn["expm"]) == SPARE[:2]
    assert label("cayley") == "cayley" and label("rnn_tanh") == "tanh RNN"


def _luminance(colour: str) -> float:
    """Grey value of a colour in print, 0 to 1 (ITU-R BT.601)."""
    red, green, blue = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    return 0.299 * red + 0.587 * green + 0.114 * blue
