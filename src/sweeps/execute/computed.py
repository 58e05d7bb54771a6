"""What computes the cells of a sweep: kernel, instruction set, build and processor. A cell's last bits depend on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from sweeps.config.schema import Settings
from sweeps.engine.native import RECURRENCES, kernels
from sweeps.records.provenance import processor
from sweeps.records.summary import Summary

SAME = "they agree to the rounding of float32, which training can magnify, not to the byte"


def wanted(settings: Settings) -> bool:
    """Whether a cell would train on native kernels where there are some."""
    return (
        settings.executor.kernel != "torch" and settings.executor.device == "cpu" and settings.arch.name in RECURRENCES
    )


def missing(settings: Settings) -> bool:
    """Whether a cell trains on the slower kernels for want of native ones."""
    return wanted(settings) and kernels().library is None


def refused(settings: Iterable[Settings]) -> list[str]:
    """Whether native kernels were asked for by name and there are none."""
    if not any(each.executor.kernel == "native" and each.executor.device == "cpu" for each in settings):
        return []
    if (why := kernels().missing) is None:
        return []
    return [f"executor.kernel: given 'native', but there are no native kernels here because {why}; use auto or torch"]


def here(settings: Settings) -> str:
    """What would compute a cell now, as `by` tells it of one that is done."""
    found = kernels()
    native = wanted(settings) and found.library is not None
    return _way("native", found.instructions, found.build, processor()) if native else _way("torch", where=processor())


def by(summary: Summary) -> str:
    """`native kernels (avx512, build 1f2e3d4c) on AMD EPYC`, from a cell's summary."""
    pack = summary.pack
    return _way(pack.kernel, pack.instructions, pack.build, summary.processor)


def _way(
    kernel: str | None, instructions: str | None = None, build: str | None = None, where: str | None = None
) -> str:
    which = ", build ".join(filter(None, (instructions, build)))
    on = where or "a processor not recorded"
    return f"{kernel or 'unknown'} kernels{f' ({which})' if which else ''} on {on}"


def chosen(settings: Iterable[Settings]) -> str:
    """A line for the plan: the kernels that its cells get, and why not the fast ones where they do not."""
    executor = {(each.executor.kernel, each.executor.device): each for each in settings}
    [(kernel, device), *_] = executor
    if device != "cpu":
        return "Kernels: torch's, on the GPU"
    if kernel == "torch":
        return "Kernels: torch's, as executor.kernel=torch asks for"
    found = kernels()
    if found.library is None:
        return f"Kernels: torch's, which are slower; there are no native ones because {found.missing}"
    return f"Kernels: native ({found.instructions})"


def mixture(ways: Counter[str]) -> str | None:
    """A sentence where cells were computed in several ways; None where all in one."""
    if len(ways) < 2:
        return None
    told = "; ".join(f"{count} by {way}" for way, count in ways.most_common())
    return f"Note: the cells of this sweep were computed in {len(ways)} ways: {told}; {SAME}."


def resumed(ways: Counter[str]) -> str | None:
    """A sentence for the plan where done cells were computed otherwise than now; `ways` says how, and how many."""
    if not ways:
        return None
    told = "; ".join(f"{count} by {way}" for way, count in ways.most_common())
    return f"Note: of the done cells, {told}; {SAME} with what is trained now."
