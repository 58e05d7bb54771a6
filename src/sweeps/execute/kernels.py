"""Which kernels compute the cells of a sweep, on which processor. The last bits of a cell's numbers depend on both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from sweeps.config.schema import Settings
from sweeps.engine.native import RECURRENCES, kernels
from sweeps.records.summary import Summary
from sweeps.records.versions import processor

AGREEMENT = "they agree to the rounding of float32, which training can magnify, not to the byte"


def takes_native(settings: Settings) -> bool:
    """Whether a cell with these settings trains on native kernels where they can be built."""
    executor = settings.executor
    return executor.kernel in ("auto", "native") and executor.device == "cpu" and settings.arch.name in RECURRENCES


def lacks_native(settings: Settings) -> bool:
    """Whether a cell trains on torch's slower kernels only because there are no native ones on this machine."""
    return takes_native(settings) and kernels().library is None


def missing_kernels(settings: Iterable[Settings]) -> list[str]:
    """The problem that `executor.kernel=native` is set and there are no native kernels; [] otherwise."""
    if not any(each.executor.kernel == "native" and each.executor.device == "cpu" for each in settings):
        return []
    if (why := kernels().missing) is None:
        return []
    return [f"executor.kernel: given 'native', but there are no native kernels here because {why}; use auto or torch"]


def described_here(settings: Settings) -> str:
    """What would compute a cell on this machine now, in the words of `described`."""
    native = kernels()
    if takes_native(settings) and native.library is not None:
        return _description("native", native.instructions, native.build, processor())
    return _description("reference" if settings.executor.kernel == "reference" else "torch", on=processor())


def described(summary: Summary) -> str:
    """What computed a cell, from its summary: `native kernels (avx512, build 1f2e3d4c) on AMD EPYC`."""
    pack = summary.pack
    return _description(pack.kernel, pack.instructions, pack.build, summary.processor)


def _description(
    kernel: str | None, instructions: str | None = None, build: str | None = None, on: str | None = None
) -> str:
    details = ", build ".join(filter(None, (instructions, build)))
    bracket = f" ({details})" if details else ""
    return f"{kernel or 'unknown'} kernels{bracket} on {on or 'a processor not recorded'}"


def kernels_line(settings: Iterable[Settings]) -> str:
    """The line of the plan that names the kernels of its cells and, if they are torch's, says why."""
    settings = list(settings)
    executor = {(each.executor.kernel, each.executor.device): each for each in settings}
    [(kernel, device), *_] = executor
    if device != "cpu":
        return "Kernels: torch's, on the GPU"
    if kernel == "reference":
        return "Kernels: the time steps as they are defined, by autograd (executor.kernel=reference); this is slow"
    if kernel == "torch":
        return "Kernels: torch's, as executor.kernel=torch asks for"
    if not any(takes_native(each) for each in settings):
        return "Kernels: torch's; no other has been written for these architectures"
    native = kernels()
    if native.library is None:
        return f"Kernels: torch's, which are slower; there are no native ones because {native.missing}"
    return f"Kernels: native ({native.instructions})"


def mixture_note(ways: Counter[tuple[str, str]]) -> str | None:
    """A note that cells were computed in several ways; None if those with native kernels were in one, others in one.

    Args:
        ways: how many cells of each architecture were computed in each way, as `described` puts it.
    """
    native, others = ({way for arch, way in ways if (arch in RECURRENCES) is own} for own in (True, False))
    if len(native) < 2 and len(others) < 2:
        return None
    counted: Counter[str] = Counter()
    for (_, way), count in ways.items():
        counted[way] += count
    return f"Note: the cells of this sweep were computed in {len(counted)} ways: {_counted(counted)}; {AGREEMENT}."


def resume_note(ways: Counter[str]) -> str | None:
    """A note for the plan that done cells were computed in another way than this machine would now; None if none was.

    Args:
        ways: how many done cells were computed in each other way, as `described` puts it.
    """
    if not ways:
        return None
    return f"Note: of the done cells, {_counted(ways)}; {AGREEMENT} with what is trained now."


def _counted(ways: Counter[str]) -> str:
    return "; ".join(f"{count} by {way}" for way, count in ways.most_common())
