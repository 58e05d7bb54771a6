"""Figures without records: their lines are closed forms, what is written on them can be read, a command draws them."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.transforms import Bbox

from figures.test_room import written
from sweeps.figures.from_theory import THEORY
from sweeps.main import main


def line(ax: Axes, label: str) -> tuple[np.ndarray, np.ndarray]:
    [found] = [each for each in ax.get_lines() if each.get_label() == label]
    return np.asarray(found.get_xdata(), float), np.asarray(found.get_ydata(), float)


@pytest.mark.parametrize("name", THEORY)
def test_what_is_written_stays_apart_and_on_the_page(name: str) -> None:
    drawn = THEORY[name]()
    FigureCanvasAgg(drawn).draw()
    texts = [(text, box) for text, box in written(drawn) if box.width > 0]
    page = drawn.bbox
    for text, box in texts:
        assert page.x0 - 1 <= box.x0 and box.x1 <= page.x1 + 1 and page.y0 - 1 <= box.y0 and box.y1 <= page.y1 + 1, text
    for (one, here), (other, there) in itertools.combinations(texts, 2):
        if (shared := Bbox.intersection(here, there)) is not None:
            assert shared.width < 1.5 or shared.height < 1.5, f"{one!r} covers {other!r}"


def test_sigmoids_leave_at_most_a_quarter_a_layer() -> None:
    value, slope, product = THEORY["activation_functions"]().axes[:3]
    z, found = line(value, "sigmoid")
    np.testing.assert_allclose(found, 1 / (1 + np.exp(-z)), rtol=1e-12)
    z, found = line(slope, "tanh")
    np.testing.assert_allclose(found, 1 / np.cosh(z) ** 2, rtol=1e-9)
    assert np.nanmax(line(product, "sigmoid")[1]) <= 10 * np.log10(0.25)
    assert np.nanmax(line(product, "tanh")[1]) == 0


def test_the_powers_of_a_matrix_lie_between_its_envelopes() -> None:
    for ax in THEORY["matrix_powers"]().axes[:3]:
        (_, norm), (_, low), (_, high) = (line(ax, label) for label in ("‖Wᵏ‖", "ρᵏ", "σᵏ, σ the largest"))
        assert (low <= norm + 1e-9).all() and (norm <= high + 1e-9).all()
        np.testing.assert_allclose(low, np.arange(len(low)) * np.log10(0.95), rtol=1e-6)


def test_a_relu_network_keeps_half_of_the_squared_norm_times_its_gain() -> None:
    for ax in THEORY["gradient_factor"]().axes[:2]:
        gains, factor = line(ax, "ReLU RNN")
        np.testing.assert_allclose(factor, gains / np.sqrt(2), rtol=1e-6)


def test_forget_gates_carry_their_power() -> None:
    [ax] = THEORY["forget_gates"]().axes
    for bias in (0, 3):
        lag, carried = line(ax, f"bias {bias}")
        np.testing.assert_allclose(carried, lag * np.log10(1 / (1 + np.exp(-bias))), rtol=1e-12)


def test_the_command_draws_them_without_records(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["figure", "forget_gates", "matrix_powers", f"runs_dir={tmp_path}", "formats=png,svg"]) == 0
    files = sorted(path.name for path in (tmp_path / "figures").iterdir())
    assert files == ["forget_gates.png", "forget_gates.svg", "matrix_powers.png", "matrix_powers.svg"]
    before = (tmp_path / "figures" / "forget_gates.svg").read_bytes()
    assert main(["figure", "forget_gates", f"into={tmp_path / 'again'}", "formats=svg"]) == 0
    assert (tmp_path / "again" / "forget_gates.svg").read_bytes() == before
    assert main(["figure", "forget_gates", f"runs_dir={tmp_path}", "formats=gif"]) == 2
    assert "'gif'" in capsys.readouterr().err
