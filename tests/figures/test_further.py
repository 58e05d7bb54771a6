"""Figures that a study asks for: they show what the files hold, theory where it is known, and can be read."""

from __future__ import annotations

import csv
import itertools
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import QuadMesh
from matplotlib.patches import StepPatch
from matplotlib.transforms import Bbox

import sweeps
from analysis.make_records import write_cell
from figures.test_room import written
from sweeps.analysis.loading.records import Records
from sweeps.errors import SweepsError
from sweeps.figures.catalogue import by_default, figure, why_nothing
from sweeps.figures.further import FURTHER, OF_PROBES
from sweeps.figures.panels import PAPER, PHONE, Grid, Room, drawn_for
from sweeps.report.further_captions import CAPTIONS, further_captions

SMALL = ("task=adding", "task.length=60", "arch.hidden=6", "train.steps=4", "train.batch=4", "train.eval_size=4",
         "train.log_every=2", "train.eval_every=2", "tracker=csv", "arch=rnn_tanh,lstm,lru",
         "init=orthogonal,xavier")  # fmt: skip


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Records:
    probes = ",".join(OF_PROBES.values())
    return sweeps.train(sweeps.compose(*SMALL, f"probe={probes}", "seed=3,4"), tmp_path_factory.mktemp("further"))


def drawing(name: str, records: Records) -> Grid:
    found = figure(name, records)
    assert found is not None
    return found


def rows(records: Records, file: str, **levels: Any) -> list[dict[str, str]]:
    """The rows of a file of every cell of these levels, in the order of the cells."""
    found = []
    for cell in records.select(**levels).cells["cell"]:
        with (Path(records.root) / str(cell) / file).open() as lines:
            found += [row | {"cell": str(cell)} for row in csv.DictReader(lines)]
    return found


def panel(figure: Grid, row: Any = None, column: Any = None) -> Axes:
    [found] = [each.ax for each in figure.panels if (row is None or each.row == row) and each.column == column]
    return found


@pytest.mark.parametrize("room", [PAPER, PHONE], ids=["paper", "phone"])
@pytest.mark.parametrize("name", FURTHER)
def test_what_is_written_stays_on_the_page_and_apart(study: Records, name: str, room: Room) -> None:
    with drawn_for(room):
        drawn = drawing(name, study)
        FigureCanvasAgg(drawn).draw()
    graphs = [text for ax in drawn.axes if not ax.axison for text in (ax.title, *ax.texts) if text.get_text()]
    texts = [*written(drawn), *((text.get_text(), text.get_window_extent()) for text in graphs)]
    texts, page = [(text, box) for text, box in texts if box.width > 0], drawn.bbox
    assert len(texts) > 2 and (room is PHONE or page.height < 100 * 10)
    for text, box in texts:
        assert page.x0 - 1 <= box.x0 and box.x1 <= page.x1 + 1 and page.y0 - 1 <= box.y0 and box.y1 <= page.y1 + 1, text
    for (one, here), (other, there) in itertools.combinations(texts, 2):
        if (shared := Bbox.intersection(here, there)) is not None:
            assert shared.width < 1.5 or shared.height < 1.5, f"{one!r} covers {other!r}"


def test_circles_are_mean_field_theory(study: Records) -> None:
    """chi of an orthogonal tanh network on the adding task: its fixed point and chi by a sum over a normal variable."""
    drawn = drawing("gradient_and_theory", study)
    z = np.linspace(-12, 12, 20001)
    weight = np.exp(-(z**2) / 2) / np.exp(-(z**2) / 2).sum()
    drive = 2 / (2 + 6) * (1 / 3 + 2 / 60)  # a number uniform in [0, 1] and two marks in 60 steps
    q = 1.0
    for _ in range(2000):
        q = float((weight * np.tanh(np.sqrt(q) * z) ** 2).sum()) + drive
    chi = float((weight / np.cosh(np.sqrt(q) * z) ** 4).sum())
    circles = [line for line in panel(drawn, column="rnn_tanh").lines if line.get_marker() == "o"]
    assert len(circles) == 2, "orthogonal and Xavier"
    for line in circles:
        lag, found = np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)
        assert found == pytest.approx(lag / 2 * math.log10(chi), rel=0.05)  # the power of the inputs is an estimate


def test_lines_beside_theory_start_at_1(study: Records) -> None:
    drawn = drawing("gradient_and_theory", study)
    curves = [line for line in panel(drawn, column="lstm").lines if line.get_marker() != "o"]
    norms: dict[str, dict[int, float]] = {}
    for row in rows(study, "gradient_through_time.csv", arch="lstm", init="orthogonal"):
        if row["step"] == "0":
            norms.setdefault(row["cell"], {})[int(row["lag"])] = float(row["log10_norm"])
    expected = np.median([[each[lag] - each[0] for lag in range(60)] for each in norms.values()], axis=0)
    assert any(np.allclose(np.asarray(line.get_ydata(), float), expected, atol=1e-9) for line in curves)


def test_no_theory_is_said_of_what_none_is_of(tmp_path: Path) -> None:
    write_cell(tmp_path, arch="rnn_tanh", init="identity", length=60)
    records = sweeps.load(tmp_path)
    assert figure("gradient_and_theory", records) is None
    assert why_nothing("gradient_and_theory", records) == "no theory here is of these networks before training"


@pytest.mark.parametrize("length", [40, 80])
def test_what_is_left_after_fifty_steps(tmp_path: Path, length: int) -> None:
    for seed, slope in enumerate((-0.1, -0.2, 0.04)):
        write_cell(tmp_path, length=length, slope=slope, seed=seed)
    records = sweeps.load(tmp_path)
    drawn = figure("gradient_after_fifty_steps", records)
    if length < 51:
        assert drawn is None
        return
    assert drawn is not None
    found = sorted(float(y) for _, part in drawn.behind for y in part["y"])
    assert found == pytest.approx([-10.0, -5.0, 2.0])


def test_gates_of_a_parameter_are_one_norm(study: Records) -> None:
    drawn = drawing("parameter_norms", study)
    runs: dict[str, float] = {}
    for row in rows(study, "parameters.csv", arch="lstm", init="xavier"):
        if row["step"] == "2" and row["parameter"].startswith("weight_hh."):
            runs[row["cell"]] = math.hypot(runs.get(row["cell"], 0.0), float(row["grad_norm"]))
    expected = np.median([math.log10(each) for each in runs.values()])
    heights = [np.asarray(line.get_ydata(), float)[1] for line in panel(drawn, "lstm", "xavier").lines]
    assert len(runs) == 2 and min(abs(height - expected) for height in heights) < 1e-9


def test_arrows_carry_the_norms_of_a_run(study: Records) -> None:
    drawn = drawing("backpropagation_graph", study)
    first = rows(study, "gradient_through_time.csv", arch="rnn_tanh", init="orthogonal", seed=3)
    norms = {int(row["lag"]): float(row["log10_norm"]) for row in first if row["step"] == "0"}
    texts = [text.get_text() for text in panel(drawn, "rnn_tanh", "orthogonal").texts]
    for lag in (0, 1, 30, 58, 59):
        log10 = norms[lag]
        assert (f"{10**log10:.2g}" if -3 < log10 < 4 else f"$10^{{{log10:.1f}}}$") in texts, lag
    assert {"$h_{1}$", "$h_{60}$"} <= set(texts)


def test_eigenvalues_are_those_of_the_file_and_belong_to_the_record(study: Records) -> None:
    drawn = drawing("eigenvalues", study)
    ax = panel(drawn, ("rnn_tanh", "weight_hh"), "orthogonal")
    for line, step in zip(ax.lines[1:], ("0", "4"), strict=True):
        here = [
            row for row in rows(study, "probe_spectrum.csv", arch="rnn_tanh", init="orthogonal") if row["step"] == step
        ]
        found = sorted(zip(np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float), strict=True))
        assert found == sorted((float(row["re"]), float(row["im"])) for row in here) and len(found) == 12
    start = np.hypot(*(np.asarray(each, float) for each in ax.lines[1].get_data()))
    assert start == pytest.approx(1.0, abs=1e-6), "orthogonal before training"
    assert {each.row for each in drawn.panels if each.row[0] == "lstm"} == {("lstm", f"weight_hh.{g}") for g in "ifog"}


def test_histograms_of_gates_are_shares(study: Records) -> None:
    drawn = drawing("gate_histograms", study)
    ax = panel(drawn, ("lstm", "f"), "xavier")
    outlines = [patch for patch in ax.patches if isinstance(patch, StepPatch) and not patch.get_fill()]
    by_step: dict[str, list[list[float]]] = {}
    for row in rows(study, "probe_gates.csv", arch="lstm", init="xavier"):
        if row["gate"] == "f":
            by_step.setdefault(row["step"], []).append([float(row[f"tenth_{n}"]) for n in range(10)])
    for outline, step in zip(outlines, ("0", "4"), strict=True):
        values = np.asarray(outline.get_data()[0])
        assert values == pytest.approx(np.mean(by_step[step], axis=0)) and values.sum() == pytest.approx(1.0)


def test_singular_values_are_medians_over_sequences_and_runs(study: Records) -> None:
    drawn = drawing("singular_values", study)
    ax = panel(drawn, (None, "at the end"), "rnn_tanh")
    largest: dict[tuple[str, str], float] = {}
    for row in rows(study, "probe_jacobian.csv", arch="rnn_tanh", init="xavier"):
        if (row["step"], row["lag"]) == ("4", "8"):
            key = row["cell"], row["sequence"]
            largest[key] = max(largest.get(key, -math.inf), float(row["log10_sigma"]))
    heights = [dict(zip(*(np.asarray(each, float) for each in line.get_data()), strict=True)) for line in ax.lines[:-1]]
    assert min(abs(each[8.0] - np.median(list(largest.values()))) for each in heights) < 1e-9
    top, middle, low = heights[:3]
    assert all(top[lag] >= middle[lag] >= low[lag] for lag in top)


def test_the_heat_map_is_of_the_run_of_the_lowest_seed(study: Records) -> None:
    drawn = drawing("hidden_states", study)
    ax = panel(drawn, ("lstm", "at the end"), "orthogonal")
    [mesh] = [each for each in ax.collections if isinstance(each, QuadMesh)]
    found = np.asarray(mesh.get_array()).reshape(6, 60)
    for row in rows(study, "probe_hidden_states.csv", arch="lstm", init="orthogonal", seed=3):
        if row["step"] == "4" and row["what"] == "h":
            assert found[int(row["unit"]), int(row["t"])] == float(row["value"])


def test_a_report_shows_the_probes_that_were_taken(study: Records, tmp_path: Path) -> None:
    assert set(by_default(study)) >= set(OF_PROBES) and "parameter_norms" not in by_default(study)
    write_cell(tmp_path)
    without = sweeps.load(tmp_path)
    assert not set(by_default(without)) & set(FURTHER)
    for name, probe in OF_PROBES.items():
        assert figure(name, without) is None
        assert why_nothing(name, without).startswith(f"no run has the probe {probe}; probe={probe} ")


def test_captions_are_of_all_and_hold_numbers_of_the_records(study: Records) -> None:
    said = further_captions(study, FURTHER)
    assert set(said) == set(CAPTIONS) == set(FURTHER)
    radii: dict[tuple[str, str], float] = {}
    for row in rows(study, "probe_spectrum.csv"):
        if row["step"] == "4":
            key = row["cell"], row["matrix"]
            radii[key] = max(radii.get(key, 0.0), math.hypot(float(row["re"]), float(row["im"])))
    assert f"{min(radii.values()):.3g} to {max(radii.values()):.3g} at the end" in said["eigenvalues"]
    assert "nan" not in " ".join(said.values())


def test_a_name_that_is_none_is_told_the_nearest(study: Records) -> None:
    with pytest.raises(SweepsError, match="eigenvalues"):
        figure("eigenvalue", study)


def test_figures_of_theory_need_no_records(study: Records) -> None:
    assert figure("matrix_powers") is not None
    with pytest.raises(SweepsError, match="matrix_powers"):
        figure("matrix_power")
    with pytest.raises(SweepsError, match="figure without records: 'loss_curves'"):
        figure("loss_curves")
