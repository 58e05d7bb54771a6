"""The frames behind the figures hold the planted values, and every figure can draw any records."""

from __future__ import annotations

import hashlib
import itertools
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from analysis.make_records import write_cell
from sweeps import load
from sweeps.analysis.labels import label
from sweeps.analysis.provenance import Provenance
from sweeps.analysis.roles import BY_LAG, OVER_TRAINING, roles
from sweeps.config.cards import cards
from sweeps.errors import SweepsError
from sweeps.figures import curves
from sweeps.figures.catalogue import FIGURES, figure
from sweeps.figures.draw import draw
from sweeps.figures.draw import save as save_with_provenance
from sweeps.figures.style import COLUMN, PAGE, lines
from sweeps.figures.style import write_figure as save
from sweeps.records.paths import SweepPaths

PROVENANCE = Provenance("synthetic", "none", 1, "0", "0", "1", "0", "none", "none")

OF_ANY_STUDY = [name for name in FIGURES if name != "trainability_map"]  # that takes gains and lengths


def test_gradient_by_lag_is_the_median_with_the_range(tmp_path: Path) -> None:
    for seed, slope in enumerate((-1.0, -2.0, -6.0)):
        write_cell(tmp_path, seed=seed, slope=(slope, slope / 2), length=101)
    records = load(tmp_path)
    for at, scale in (("start", 1.0), ("end", 0.5)):
        frame = curves.gradient_by_lag(records, roles(records, BY_LAG), at=at).set_index("lag")
        row = frame.loc[100]
        assert row["n"] == 3
        expected = [-2.0 + scale * 100 * slope for slope in (-2.0, -6.0, -1.0)]  # far outside float32
        assert list(row[["median", "low", "high"]]) == pytest.approx(expected)


def test_the_end_of_a_diverged_run_is_its_last_finite_step(tmp_path: Path) -> None:
    write_cell(tmp_path, outcome="diverged", end=60, slope=(0.0, 2.0), length=11)  # slope at step 40: 0.4
    frame = curves.gradient_by_lag(load(tmp_path), roles(load(tmp_path), BY_LAG), at="end").set_index("lag")
    assert frame.loc[10, "median"] == pytest.approx(-2.0 + 0.4 * 10)


def test_solved_runs_stay_in_the_loss_curve_and_diverged_ones_leave_it(tmp_path: Path) -> None:
    write_cell(tmp_path, seed=0, outcome="solved", end=80)
    write_cell(tmp_path, seed=1, outcome="diverged", end=120)
    write_cell(tmp_path, seed=2)
    frame, ends = curves.loss_over_training(load(tmp_path), roles(load(tmp_path), OVER_TRAINING))
    n = frame.set_index("step")["n"]
    assert (n[0], n[80], n[120], n[200]) == (3, 3, 2, 2)
    assert list(ends["step"]) == [120] and np.isfinite(frame["high"]).all()


def test_clipping_over_training_has_before_and_after(tmp_path: Path) -> None:
    write_cell(tmp_path, clip="norm", grad_norm=100.0)
    write_cell(tmp_path, clip="none", grad_norm=100.0)
    records = load(tmp_path).select(init="orthogonal", length=20)
    frame, _ = curves.clipping_over_training(records, curves.norms_of_clipped_runs(records))
    assert set(frame["clip"]) == {"norm"}
    assert frame.groupby("when")["median"].median().to_dict() == pytest.approx({"before": 2.0, "after": 0.0})


def test_every_threshold_that_was_swept_is_a_line(tmp_path: Path) -> None:
    for threshold in (0.1, 10.0):
        write_cell(tmp_path, clip="norm", grad_norm=100.0, settings={"clip.threshold": threshold})
    drawn = figure("clipping", load(tmp_path))
    assert drawn is not None
    for ax, height in zip(drawn.axes, (-1.0, 1.0), strict=True):  # a row for each
        assert {height} in [set(np.asarray(line.get_ydata(), float).tolist()) for line in ax.lines]
        assert ax.get_ylabel() == f"threshold = {10**height:g}\ngradient norm\nT = 20"


@pytest.mark.parametrize("name", OF_ANY_STUDY)
def test_every_figure_draws_a_single_diverged_cell_of_unknown_names(tmp_path: Path, name: str) -> None:
    write_cell(tmp_path, arch="mgu", init="cayley", clip="agc" if name == "clipping" else "none", outcome="diverged")
    drawn = figure(name, load(tmp_path))
    if name == "share_solved":
        assert drawn is None, "no run solved the task"
        return
    assert drawn is not None
    assert all(path.stat().st_size > 1000 for path in save(drawn, tmp_path / "figures" / name, PROVENANCE))


@pytest.mark.parametrize("name", OF_ANY_STUDY)
@pytest.mark.parametrize("archs", [1, 9], ids=["one arch", "nine archs"])
def test_every_panel_fits_on_a_page_and_missing_runs_stay_visible(tmp_path: Path, name: str, archs: int) -> None:
    for index in range(archs):
        for seed, clip in enumerate(("none", "norm", "value")):
            if (index, clip) != (0, "value"):
                ended: Any = {"outcome": "solved", "end": 40} if clip == "norm" else {}
                write_cell(
                    tmp_path, arch=f"arch{index}", clip=clip, seed=seed, steps=40, log_every=20, length=5, **ended
                )
    unfinished = write_cell(tmp_path, arch="arch0", clip="value", steps=40, length=5)
    (tmp_path / unfinished / "summary.json").unlink()
    drawn = figure(name, load(tmp_path))
    assert drawn is not None
    drawn.draw_without_rendering()
    width, height = drawn.get_size_inches()
    assert width in (COLUMN, PAGE) and height < 10.0
    titles = [ax.get_title() for ax in drawn.axes if ax.axison and ax.get_title()]
    if name not in ("outcomes", "gradient_and_learning"):
        words = [drawn.title, *titles, *(_first_line(ax) for ax in drawn.axes)]
        words += [tick.get_text() for ax in drawn.axes for tick in ax.get_xticklabels()]
        assert all(any(f"arch{index}" in word for word in words) for index in range(archs))
    for ax in drawn.axes:
        if ax.axison:
            assert ax.get_position().width * width > 1.0, "a panel narrower than an inch"
    if name in ("share_solved", "outcomes"):
        assert "no run" in [text.get_text() for text in drawn.legends[0].get_texts()]
    elif name == "clipping":
        assert "no run" in [text.get_text() for ax in drawn.axes for text in ax.texts]


def test_a_legend_lies_off_the_data_and_inside_the_figure(tmp_path: Path) -> None:
    for init in ("random", "xavier", "he", "orthogonal", "identity", "a_rather_long_name", "and_another_long_one"):
        write_cell(tmp_path, init=init)
    drawn = figure("gradient_by_lag_start", load(tmp_path))
    assert drawn is not None
    drawn.draw_without_rendering()
    legend = drawn.legends[0].get_window_extent()
    assert legend.x0 >= 0 and legend.x1 <= drawn.bbox.x1
    assert all(ax.get_window_extent().y1 < legend.y0 for ax in drawn.axes)


def test_runs_that_diverged_are_drawn_as_such(tmp_path: Path) -> None:
    write_cell(tmp_path, clip="norm", grad_norm=10.0)
    write_cell(tmp_path, clip="norm", seed=1, outcome="diverged", end=120)
    records = load(tmp_path)
    for name in ("gradient_by_lag_end", "gradient_norm_by_level", "loss_curves", "clipping"):
        drawn = figure(name, records)
        assert drawn is not None
        crosses = [
            line for ax in drawn.axes for line in ax.lines if line.get_marker() == "x" and np.size(line.get_xdata())
        ]
        assert len(crosses) == 1, name
        assert any("diverged" in text.get_text() for text in drawn.legends[0].get_texts())
    assert np.asarray(crosses[0].get_xdata()).tolist() == [120]


def test_a_curve_beyond_float32_leaves_the_panel_and_says_how_far(tmp_path: Path) -> None:
    write_cell(tmp_path, length=101, slope=-3.0)
    write_cell(tmp_path, init="identity", length=101, slope=0.0)
    drawn = figure("gradient_by_lag_start", load(tmp_path))
    assert drawn is not None
    assert [text.get_text() for text in drawn.axes[0].texts] == ["orthogonal → $10^{-302}$"]
    assert drawn.axes[0].get_ylim()[0] > -50


def test_every_file_says_where_it_comes_from(tmp_path: Path) -> None:
    cell = write_cell(tmp_path / "sweep", outcome="diverged")
    records = load(tmp_path / "sweep")
    (drawn,) = draw(records, tmp_path, ["outcomes"])
    with Image.open(drawn.png) as image:
        texts = dict(image.info)
    assert texts["Experiment"] == "sweep" and texts["Commit"] == "0123456789abcdef"
    assert texts["Command"] == "python -m sweeps figure outcomes experiment=sweep"
    assert texts["Cells"] == f"1, sha256 of ids {hashlib.sha256(cell.encode()).hexdigest()}"
    assert f"matplotlib {matplotlib.__version__}" in texts["Made with"] and "torch 2.13.0" in texts["Trained with"]
    for path in (drawn.pdf, drawn.svg):
        content = path.read_bytes().decode("latin-1")
        assert all(str(text) in content for text in (texts["Cells"], texts["Records"], texts["Command"]))
        assert not re.search(r"20\d\d-\d\d-\d\d|CreationDate", content), "a date"


@pytest.mark.slow
def test_the_same_records_are_the_same_bytes_in_any_process(tmp_path: Path) -> None:
    write_cell(tmp_path / "sweep", outcome="diverged")
    write_cell(tmp_path / "sweep", init="identity", clip="norm", seed=1, outcome="solved", end=120)
    code = """
import sys
from pathlib import Path
from sweeps import load
from sweeps.figures.draw import draw
draw(load(sys.argv[1]), Path(sys.argv[2]))
"""
    for seed in ("1", "2"):
        where = [str(tmp_path / "sweep"), str(tmp_path / seed)]
        subprocess.run([sys.executable, "-c", code, *where], check=True, env={**os.environ, "PYTHONHASHSEED": seed})
    one, other = (sorted((tmp_path / seed).iterdir()) for seed in "12")
    assert [path.name for path in one] == [path.name for path in other] and len(one) == 3 * len(OF_ANY_STUDY)
    assert [path.name for path, same in zip(one, other, strict=True) if path.read_bytes() != same.read_bytes()] == []


def test_a_figure_or_format_that_does_not_exist_is_refused_with_the_nearest(tmp_path: Path) -> None:
    write_cell(tmp_path)
    with pytest.raises(SweepsError, match=r"'outcome' is not known; did you mean 'outcomes'.*'pgn' .* mean 'png'"):
        draw(load(tmp_path), tmp_path, ["outcome"], ["pgn"])


def test_a_figure_is_replaced_completely_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_cell(tmp_path / "sweep", arch="lstm")
    write_cell(tmp_path / "sweep", arch="gru")
    records, savefig = load(tmp_path / "sweep"), Figure.savefig
    draw(records, tmp_path / "figures", ["loss_curves"])
    before = {path: path.read_bytes() for path in (tmp_path / "figures").iterdir()}

    def killed(figure: Figure, target: Any, **how: Any) -> None:
        savefig(figure, target, **how)
        raise KeyboardInterrupt

    monkeypatch.setattr(Figure, "savefig", killed)
    with pytest.raises(KeyboardInterrupt):
        draw(records.select(arch="gru"), tmp_path / "figures", ["loss_curves"])
    assert {path: path.read_bytes() for path in (tmp_path / "figures").iterdir()} == before


def test_a_figure_that_has_nothing_to_show_leaves_no_older_one(tmp_path: Path) -> None:
    """In its own report; in any other folder the file may be of another sweep."""
    write_cell(tmp_path / "sweep")
    records, own = load(tmp_path / "sweep"), SweepPaths(tmp_path / "sweep").report.figures
    for folder in (own, tmp_path, own.parent.parent, tmp_path / "sweep" / "reported"):
        folder.mkdir(parents=True, exist_ok=True)
        older = folder / "clipping.svg"
        older.write_text("older")
        assert draw(records, folder, ["clipping"]) == []
        assert older.exists() is (folder != own)


def test_zero_gradients_are_noted_and_not_drawn(tmp_path: Path) -> None:
    cell = write_cell(tmp_path, length=6, log_every=200)
    path = tmp_path / cell / "gradient_through_time.csv"
    rows = [row.rsplit(",", 1)[0] for row in path.read_text().splitlines()]
    path.write_text("\n".join([rows[0] + ",log10_norm", *(row + ",-inf" for row in rows[1:])]) + "\n")
    drawn = figure("gradient_by_lag_start", load(tmp_path))
    assert drawn is not None
    assert "exactly zero: tanh RNN, orthogonal" in {text.get_text() for text in drawn.axes[0].texts}


def test_a_missing_run_is_noted_in_the_panel(tmp_path: Path) -> None:
    for arch, init in (("lstm", "random"), ("gru", "identity")):
        write_cell(tmp_path, arch=arch, init=init)
    drawn = figure("gradient_by_lag_start", load(tmp_path))
    assert drawn is not None
    assert [ax.texts[0].get_text() for ax in drawn.axes] == ["no run: identity", "no run: random"]


@pytest.mark.parametrize("known", [0, 1, None])
@pytest.mark.parametrize("axis", ["arch", "init", "clip", "optim"])
def test_twenty_levels_are_told_apart_without_colour(axis: str, known: int | None) -> None:
    """By their dashes, or by a grey that differs: in print, and for a reader who sees few colours."""
    carded = list(cards(axis))[:known]
    drawn = lines(axis, [*carded, *(f"new_{place:02}" for place in range(20 - len(carded)))])
    assert len(drawn) == len(set(drawn.values())) >= 20
    for one, other in itertools.combinations(drawn.values(), 2):
        assert str(one.dashes) != str(other.dashes) or abs(_grey(one.colour) - _grey(other.colour)) > 0.12, (one, other)
    assert max(_grey(line.colour) for line in drawn.values()) < 0.85, "all of them are seen on white"


def test_the_styles_of_cards_differ_in_every_way() -> None:
    for axis in ("arch", "init", "clip"):
        known = list(lines(axis, list(cards(axis))).values())
        assert min(np.diff(sorted(_grey(line.colour) for line in known))) > 0.03
        assert len({str(line.dashes) for line in known}) == len({line.marker for line in known}) == len(known)


def test_unknown_names_get_a_line_of_their_own_and_keep_their_name() -> None:
    drawn = lines("init", ["random", "cayley", "expm"])
    assert drawn["random"].colour == cards("init")["random"].colour
    assert len(set(drawn.values())) == 3
    assert label("cayley") == "cayley" and label("rnn_tanh") == "tanh RNN"


def test_what_cannot_be_one_figure_is_refused(tmp_path: Path) -> None:
    for task in ("adding", "digits"):
        write_cell(tmp_path, settings={"task.name": task})
    with pytest.raises(SweepsError, match="two tasks are never one figure"):
        figure("loss_curves", load(tmp_path))
    with pytest.raises(SweepsError, match=r"must be what sweeps\.load"):
        figure("loss_curves", str(tmp_path))  # type: ignore[arg-type]


def test_a_figure_of_ones_own_is_written_with_its_provenance(tmp_path: Path) -> None:
    write_cell(tmp_path / "own")
    records = load(tmp_path / "own")
    drawn = figure("loss_curves", records)
    assert drawn is not None
    [path] = save_with_provenance(drawn, str(tmp_path / "mine"), records, ["png"])
    assert path == tmp_path / "mine.png"
    with Image.open(path) as image:
        assert image.info["Experiment"] == "own"
    with pytest.raises(SweepsError, match="'gif' is not known"):
        save_with_provenance(drawn, tmp_path / "mine", records, ["gif"])


def _first_line(ax: Axes) -> str:
    return ax.get_ylabel().partition("\n")[0]


def _grey(colour: str) -> float:
    """Grey value of a colour in print, 0 to 1 (ITU-R BT.601)."""
    red, green, blue = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    return 0.299 * red + 0.587 * green + 0.114 * blue
