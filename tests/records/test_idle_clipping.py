"""Clipping that never changed a gradient in any cell of a sweep is told; what acted once, anywhere, is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.make_records import write_cell
from helpers import make_cell
from sweeps import load
from sweeps.config.schema import Settings
from sweeps.records.idle_clipping import idle_clippings
from sweeps.records.paths import SweepPaths
from sweeps.report.clipping import clipping
from sweeps.tables.combinations import comparison


def written(root: Path, cell: str, scales: list[str], shares: list[str] | None = None) -> None:
    folder = root / cell
    folder.mkdir(parents=True)
    rows = "".join(f"{step},{scale}\n" for step, scale in enumerate(scales))
    (folder / "metrics.csv").write_text(f"step,clip_scale\n{rows}")
    if shares is not None:
        rows = "".join(f"{step},{share}\n" for step, share in enumerate(shares))
        (folder / "probe_clipping.csv").write_text(f"step,clipped\n{rows}")


def cells(count: int, *settings: str) -> list[Settings]:
    return [make_cell(*settings, f"seed={seed}") for seed in range(count)]


@pytest.mark.parametrize(
    ("scales", "shares", "expected"),
    [
        ([["1.0", "1.0"], ["1.0", ""]], [None, None], {"clip=norm clip.threshold=5": (2, False)}),
        ([["1.0", "1.0"], ["1.0", "1.0"]], [["0.0"], ["0.0"]], {"clip=norm clip.threshold=5": (2, True)}),
        ([["1.0", "1.0"], ["1.0", "1.0"]], [["0.0"], None], {"clip=norm clip.threshold=5": (2, False)}),
        ([["1.0", "1.0"], ["1.0", "0.999"]], [None, None], {}),
        ([["1.0", "1.0"], ["1.0", "1.0"]], [["0.0"], ["0.0125"]], {}),  # between two logged updates
    ],
    ids=["logged", "every", "one without the probe", "acted", "acted between"],
)
def test_what_never_acted(
    tmp_path: Path, scales: list[list[str]], shares: list[list[str] | None], expected: dict[str, tuple[int, bool]]
) -> None:
    ids = ["a" * 12, "b" * 12]
    for cell, logged, share in zip(ids, scales, shares, strict=True):
        written(tmp_path, cell, logged, share)
    found = cells(2, "clip=norm", "clip.threshold=5")
    assert idle_clippings(SweepPaths(tmp_path), zip(ids, found, strict=True)) == expected


def test_cells_without_clipping_and_other_thresholds_are_apart(tmp_path: Path) -> None:
    for cell, scale in (("a" * 12, "1.0"), ("b" * 12, "0.5"), ("c" * 12, "1.0")):
        written(tmp_path, cell, [scale])
    found = [make_cell("clip=value", "clip.threshold=9"), make_cell("clip=value", "clip.threshold=0.1"), make_cell()]
    told = idle_clippings(SweepPaths(tmp_path), zip(("a" * 12, "b" * 12, "c" * 12), found, strict=True))
    assert told == {"clip=value clip.threshold=9": (1, False)}


def test_a_report_tells_it_too_also_of_a_single_kind(tmp_path: Path) -> None:
    for threshold, norm in ((1.0, 3.0), (50.0, 3.0)):
        write_cell(tmp_path, clip="norm", grad_norm=norm, settings={"clip.threshold": threshold})
    records = load(tmp_path)
    [told] = clipping(records, comparison(records, seed=0))
    assert "threshold = 50 (1 run).**" in told.text and "threshold = 1 " not in told.text  # type: ignore[union-attr]
