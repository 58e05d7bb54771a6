"""The page of one run: the same bytes for the same record, one file that may ask for nothing, all of its settings."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.make_records import write_cell
from sweeps.analysis.loading.one import OneRun, read_run
from sweeps.analysis.typed import Typed
from sweeps.records.paths import SweepPaths
from sweeps.report.run_page import write_run_page
from sweeps.report.run_spectra import spectra_figures

TYPED = Typed({"arch", "task.length"}, "python -m sweeps arch=lstm clip=norm 'task.length=60'")


def planted(root: Path, **cell: Any) -> OneRun:
    return read_run(SweepPaths(root).cell(write_cell(root, **cell)))


def page_of(run: OneRun, path: Path, typed: Typed = TYPED) -> str:
    write_run_page(run, typed, path)
    return path.read_text()


def figures_of(text: str) -> dict[str, Any]:
    """What the script draws, by title."""
    found = re.search(r'<script type="application/json" id="numbers-to-draw">(.*?)</script>', text, re.S)
    assert found is not None
    titles = [html.unescape(each) for each in re.findall(r"<figure>\n<h3>(.*?)</h3>", text)]
    return dict(zip(titles, json.loads(found[1]), strict=True))


def test_the_same_record_gives_the_same_bytes_wherever_it_lies(tmp_path: Path) -> None:
    run = planted(tmp_path / "here" / "small", arch="lstm", length=60, noise=0.2)
    shutil.copytree(tmp_path / "here", tmp_path / "there")
    moved = read_run(SweepPaths(tmp_path / "there" / "small").cell(run.id))
    assert page_of(run, tmp_path / "a.html") == page_of(moved, tmp_path / "b.html")


def test_it_needs_no_other_file_and_says_what_the_record_says(tmp_path: Path) -> None:
    text = page_of(planted(tmp_path / "small", arch="lstm", clip="norm", length=60, seed=7), tmp_path / "a.html")
    assert not re.findall(r"(?:src|href)=\"(?!data:)", text) and "http:" not in text
    assert '<dt>arch</dt><dd class="changed">lstm</dd>' in text
    assert "<dt>seed</dt><dd>7</dd>" in text
    assert "&#39;task.length=60&#39;" in text, "the command line"
    assert "∂h<sub>t</sub>" in text
    assert len(figures_of(text)) == 6


def test_only_its_own_script_may_run(tmp_path: Path) -> None:
    text = page_of(planted(tmp_path / "small"), tmp_path / "a.html")
    policy = re.search(r'Content-Security-Policy" content="(.*?)"', text)
    [script] = re.findall(r"<script>(.*?)</script>", text, re.S)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy is not None and html.unescape(policy[1]) == (
        f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    )
    assert len(script.encode()) < 12 * 1024


def test_no_text_of_a_record_ends_a_script_or_makes_an_element(tmp_path: Path) -> None:
    wrong = "</script><img src=x>"
    summary = {"task": {"score": wrong, "chance_loss": 0.2, "solved_at": 0.9}, "commit": wrong, "device": wrong}
    run = planted(tmp_path / "small", summary=summary, settings={"task.name": wrong, "train.note": wrong})
    text = page_of(run, tmp_path / "a.html", Typed({wrong}, f"({wrong})"))
    assert wrong not in text and text.count("</script>") == 2 and "<img" not in text
    assert figures_of(text)[wrong]["yLabel"] == wrong
    assert text.count("&lt;/script&gt;") >= 5


def test_the_numbers_are_those_of_the_files(tmp_path: Path) -> None:
    run = planted(tmp_path / "small", arch="gru", clip="norm", length=60, slope=(-7.0, -0.1), noise=0.3)
    figures = figures_of(page_of(run, tmp_path / "a.html"))
    metrics, gradient = (pd.read_csv(path) for path in (run.paths.metrics, run.paths.gradient_through_time))
    evaluated = metrics.dropna(subset=["eval_loss"])
    expected = {
        ("Loss", "training"): (metrics["step"], np.log10(metrics["train_loss"])),
        ("Loss", "evaluation"): (evaluated["step"], np.log10(evaluated["eval_loss"])),
        ("Explained variance", "evaluation"): (evaluated["step"], evaluated["eval_score"]),
        ("Gradient of the parameters", "before clipping"): (metrics["step"], np.log10(metrics["grad_norm"])),
        ("Gradient of the parameters", "after clipping"): (metrics["step"], np.log10(metrics["grad_norm_clipped"])),
    }
    for step in (0, 200):
        rows = gradient[gradient["step"] == step].sort_values("lag")
        expected["Gradient through time, first and last", f"step {step}"] = (rows["lag"], rows["log10_norm"])
    assert gradient["log10_norm"].min() < -400, "far beyond float64"
    for (title, name), (x, y) in expected.items():
        [line] = [each for each in figures[title]["lines"] if each["name"] == name]
        assert line["x"] == x.tolist()
        assert line["y"] == pytest.approx(y.tolist(), rel=5e-4, abs=6e-5), name
    levels = {title: [(each["name"], each["y"]) for each in figures[title].get("levels", [])] for title in figures}
    assert levels["Loss"] == [("chance", pytest.approx(np.log10(1 / 6), abs=1e-4))]
    assert levels["Gradient of the parameters"] == [("threshold", 0.0)]
    assert levels["Explained variance"] == [("counts as solved", 0.9)]


@pytest.mark.parametrize(
    ("cell", "figures"),
    [
        ({"outcome": "diverged", "end": 0, "slope": 0.5}, 4),
        ({"outcome": "diverged", "end": 60, "length": 400, "slope": 1.5}, 6),
        ({"best_score": None, "curve": lambda lag: float("-inf")}, 5),
        ({"length": 2, "steps": 20, "log_every": 20, "eval_every": 20, "grad_norm": 0.0}, 6),
        ({"length": 1, "steps": 20, "log_every": 20, "eval_every": 20}, 6),
    ],
    ids=["diverged at once", "far beyond float64", "no score, exactly zero", "two steps, no gradient", "no step back"],
)
@pytest.mark.filterwarnings("error")
def test_what_there_is_nothing_of_is_not_drawn(tmp_path: Path, cell: dict[str, Any], figures: int) -> None:
    none = Typed((), "(no command line gives this id: no)")
    text = page_of(planted(tmp_path / "small", **cell), tmp_path / "a.html", none)
    assert len(figures_of(text)) == figures
    assert none.command in text and "--again" not in text


def test_clipping_is_drawn_as_it_was(tmp_path: Path) -> None:
    names = {}
    for clip in ("none", "norm", "value"):
        drawn = figures_of(page_of(planted(tmp_path / "small", clip=clip), tmp_path / f"{clip}.html"))
        figure = drawn["Gradient of the parameters"]
        names[clip] = [each["name"] for each in (*figure["lines"], *figure["levels"])]
    assert names["none"] == ["not clipped"]
    assert names["norm"] == ["before clipping", "after clipping", "threshold"]
    assert names["value"] == ["before clipping", "after clipping"], "a bound on each value is no norm"


def test_a_record_that_is_thinned_says_so(tmp_path: Path) -> None:
    long = planted(tmp_path / "small", length=1500, log_every=4)
    text = page_of(long, tmp_path / "a.html")
    drawn = figures_of(text)["Gradient through time, over training"]
    assert drawn["every"] == [1, 7] and "Of this record every 7th lag is drawn." in text
    assert "Every 4th lag is drawn." in text, "the curves over lags hold more than the map"
    assert (drawn["lags"][:2], drawn["lags"][-1]) == ([0, 7], 1499)
    assert "is drawn." not in page_of(planted(tmp_path / "small", length=50), tmp_path / "b.html")


def test_a_usual_page_is_small(tmp_path: Path) -> None:
    run = planted(tmp_path / "small", arch="lstm", clip="norm", length=200, log_every=2, noise=0.3, slope=(-0.3, 0.1))
    page_of(run, tmp_path / "a.html")
    assert run.records is not None and len(run.records.metrics) == 101
    assert (tmp_path / "a.html").stat().st_size <= 60_000


def test_the_spectra_of_an_encoder_and_of_a_decoder_are_two_figures() -> None:
    """Their matrices have the same gates: in one figure two lines would have one name."""
    names = np.array(["", "weight_hh.r", "weight_hh.z", "weight_hh_decoder.r", "weight_hh_decoder.z"] * 2)
    radius = np.where(names == "", np.nan, np.arange(10.0))
    spectra = {"step": np.repeat([0, 5], 5), "spectral_radius": radius, "sigma_max": radius + 1}
    figures = spectra_figures(names, spectra)
    title = "Spectra of the recurrent matrices"
    assert [each.title for each in figures] == [f"{title}, encoder", f"{title}, decoder"]
    for figure, first in zip(figures, (1, 3), strict=True):
        lines = {line["name"]: line["y"] for line in figure.numbers["lines"]}
        assert list(lines) == ["ρ of r", "σ_{max} of r", "ρ of z", "σ_{max} of z"]
        assert lines["ρ of r"] == [first, first + 5]
