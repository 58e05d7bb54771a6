"""A report names the kernels and machines of its records, and says where several of them computed one sweep."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from analysis.make_records import write_cell
from sweeps import load
from sweeps.report.document import Prose
from sweeps.report.machines import machines, mixed_warning
from sweeps.report.sources import sources
from sweeps.report.what_varied import what_varied

EPYC, XEON = "AMD EPYC 9B14", "Intel Xeon Platinum 8581C"


def made_by(kernel: str | None, instructions: str | None, processor: str | None, device: str = "cpu") -> dict[str, Any]:
    """The part of a cell's summary that says what computed it."""
    pack = {"size": 1, "lane": 0, "kernel": kernel, "instructions": instructions}
    return {"pack": pack, "processor": processor, "device": device}


def texts(root: Path) -> tuple[str, str]:
    """The texts of the sections 'What was varied' and 'Where the numbers come from'."""
    records = load(root)
    parts = [what_varied(records), sources(records)]
    varied, provenance = ("\n".join(block.text for block in part.blocks if isinstance(block, Prose)) for part in parts)
    return varied, provenance


def test_one_kernel_and_machine_are_named_without_a_warning(tmp_path: Path) -> None:
    for seed in range(2):
        write_cell(tmp_path, seed=seed, length=3, summary=made_by("native", "avx512", EPYC))
    varied, provenance = texts(tmp_path)
    assert "- Device: cpu\n- Computed by: the native kernel (avx512) on AMD EPYC 9B14, cpu" in provenance
    assert "Computed in" not in varied + provenance and mixed_warning(load(tmp_path)) is None


def test_two_kernels_that_go_along_with_an_architecture_get_a_warning(tmp_path: Path) -> None:
    for arch, kernel, instructions in (("lstm", "native", "avx2"), ("gru", "torch", None)):
        for seed in range(3):
            write_cell(tmp_path, arch=arch, seed=seed, length=3, summary=made_by(kernel, instructions, XEON))
    sentence = (
        "**Computed in 2 ways: 3 of 6 cells by the native kernel (avx2) on Intel Xeon Platinum 8581C, cpu (all those "
        "of architecture LSTM); 3 of 6 cells by the torch kernel on Intel Xeon Platinum 8581C, cpu (all those of "
        "architecture GRU).** A cell is the same to the byte only on one kernel and processor"
    )
    varied, provenance = texts(tmp_path)
    assert sentence in varied and sentence in provenance
    assert "(3 cells); the torch kernel on" in provenance


def test_what_has_no_native_kernels_is_named_without_a_warning(tmp_path: Path) -> None:
    for arch, kernel, instructions in (("lstm", "native", "avx2"), ("mgu", "torch", None), ("lru", "torch", None)):
        write_cell(tmp_path, arch=arch, length=3, summary=made_by(kernel, instructions, XEON))
    varied, _ = texts(tmp_path)
    assert "By their definition, without native kernels of their own, were computed LRU and MGU." in varied
    write_cell(tmp_path, arch="gru", length=3, summary=made_by("torch", None, XEON))
    assert "Computed in 2 ways" in texts(tmp_path)[0], "the GRU has native kernels"


def test_instructions_and_processors_that_follow_nothing_are_counted(tmp_path: Path) -> None:
    ways = [("native", "avx512", EPYC), ("native", "avx2", EPYC), ("native", "avx512", XEON)]
    for init in ("random", "orthogonal"):
        for length in (3, 5):
            for seed in range(3):
                way = (seed + (init == "random") + (length == 3)) % 3
                write_cell(tmp_path, init=init, length=length, seed=seed, summary=made_by(*ways[way]))
    text = mixed_warning(load(tmp_path))
    assert text is not None and text.startswith("**Computed in 3 ways: 4 of 12 cells by the native kernel (avx2)")
    assert "all those of" not in text


def test_one_of_three_ways_may_have_levels_to_itself(tmp_path: Path) -> None:
    for length in (3, 5, 7):
        for seed in range(2):
            native = made_by("native", "avx2" if seed else "avx512", EPYC)
            more = made_by("torch", None, EPYC) if length == 7 else native
            write_cell(tmp_path, length=length, seed=seed, summary=more)
    text = mixed_warning(load(tmp_path))
    assert text is not None and text.count("all those of") == 1
    assert "2 of 6 cells by the torch kernel on AMD EPYC 9B14, cpu (all those of T = 7)" in text


@pytest.mark.parametrize("older", [{}, {"pack": None}, {"pack": {}, "processor": ""}, made_by(None, None, None)])
def test_what_older_records_lack_is_not_recorded(tmp_path: Path, older: dict[str, Any]) -> None:
    write_cell(tmp_path, length=3, summary=older)
    assert machines(load(tmp_path)) == "a kernel and a processor not recorded, cpu"
    write_cell(tmp_path, seed=1, length=3, summary=made_by("native", "avx2", EPYC))
    text = mixed_warning(load(tmp_path))
    assert (
        text is not None and "1 of 2 cells by a kernel and a processor not recorded, cpu (all those of seed 0)" in text
    )


def test_a_device_of_another_kind_gets_a_warning(tmp_path: Path) -> None:
    for seed, device in enumerate(("cpu", "cuda (NVIDIA H200)")):
        write_cell(tmp_path, seed=seed, length=3, summary=made_by("torch", None, EPYC, device))
    assert "1 of 2 cells by the torch kernel on AMD EPYC 9B14, cuda (NVIDIA H200)" in (
        mixed_warning(load(tmp_path)) or ""
    )
