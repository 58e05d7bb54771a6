"""The plan says which kernels a sweep gets and why; plan and result note cells that were computed in several ways."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from helpers import make_cell, make_cells
from sweeps.engine.native import RECURRENCES, Kernels, kernels
from sweeps.engine.recurrences import choice
from sweeps.execute import kernels as module
from sweeps.execute.worker import train_pack
from sweeps.plan.packs import Pack
from sweeps.records.paths import SweepPaths
from sweeps.records.summary import read_summary


def test_the_names_are_those_that_are_registered() -> None:
    if kernels().library is None:
        pytest.skip("no C++ compiler: there are no native kernels on this machine")
    assert {name for name, made in choice._FAST.items() if "native" in made} == set(RECURRENCES)


@pytest.mark.parametrize("arch", RECURRENCES)
@pytest.mark.parametrize("kernel", ["auto", "torch", "reference"])
def test_what_the_plan_foresees_is_what_the_summary_says(arch: str, kernel: str, tmp_path: Path) -> None:
    [cell] = make_cells((f"arch={arch}", f"executor.kernel={kernel}"))
    train_pack(Pack((cell,)), tmp_path, lambda kind, content: None)
    summary = read_summary(SweepPaths(tmp_path).cell(cell.id))
    assert module.described(summary) == module.described_here(cell.settings)


def test_the_plan_says_which_and_why(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = Kernels(None, missing="there is no C++ compiler")
    monkeypatch.setattr(module, "kernels", lambda: missing)
    for arch in RECURRENCES:
        settings = make_cell(f"arch={arch}")
        assert module.lacks_native(settings)
        assert "torch's" in module.kernels_line([settings]) and "no C++ compiler" in module.kernels_line([settings])
    assert not module.lacks_native(make_cell("executor.kernel=torch"))
    [problem] = module.missing_kernels([make_cell("executor.kernel=native")])
    assert "given 'native'" in problem and "no C++ compiler" in problem and "auto" in problem
    assert module.missing_kernels([make_cell()]) == []


def test_a_mixture_is_noted_with_its_counts() -> None:
    assert module.mixture_note(Counter({"a": 5})) is None
    note = module.mixture_note(Counter({"native kernels (avx512) on X": 5, "torch kernels on X": 2}))
    assert note is not None and "5 by native kernels (avx512) on X; 2 by torch kernels on X" in note
    assert module.resume_note(Counter()) is None
    assert "3 by torch kernels on X" in (module.resume_note(Counter({"torch kernels on X": 3})) or "")
