"""The plan says which kernels a sweep gets and why; plan and result note cells that were computed in several ways."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from helpers import make_cell, make_cells
from sweeps.config.cards import cards
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
    assert {name for name, card in cards("arch").items() if card.native} == set(RECURRENCES)


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
    native, other = "native kernels (avx512) on X", "torch kernels on X"
    assert module.mixture_note(Counter({("gru", native): 5, ("lstm", native): 1})) is None
    assert module.mixture_note(Counter({("gru", native): 5, ("mgu", other): 2})) is None, "mgu has no native kernels"
    note = module.mixture_note(Counter({("gru", native): 5, ("lstm", other): 1, ("mgu", other): 1}))
    assert note is not None and "5 by native kernels (avx512) on X; 2 by torch kernels on X" in note
    assert module.resume_note(Counter()) is None
    assert "3 by torch kernels on X" in (module.resume_note(Counter({"torch kernels on X": 3})) or "")
