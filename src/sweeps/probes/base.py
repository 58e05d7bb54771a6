"""What a probe is, and which there are. Nothing here imports torch: names are checked before anything is loaded.

`probe=jacobian,gates` asks for two. Each is the `PROBE` of the module of its name, and writes `probe_NAME.csv`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from sweeps.config.schema import Settings
from sweeps.engine.stateless import stateless
from sweeps.errors import unknown

if TYPE_CHECKING:
    from sweeps.engine.setup import Training
    from sweeps.probes.snapshot import Snapshot

NAMES = {
    "jacobian": "singular values of dh_T/dh_t, also beyond float64's range",
    "lyapunov": "finite-time Lyapunov exponents of the recurrence, driven by the batch",
    "spectrum": "eigenvalues and singular values of every recurrent matrix",
    "saturation": "share of saturated units and gates, and their mean slope",
    "gates": "mean and histogram of every gate, and what the gates carry to the end",
    "clipping": "share of updates that were clipped, and the angle by which clipping turned the gradient",
    "hidden_states": "inputs, states and answers over one sequence, before training and at the end",
}
"""Every probe with what it measures."""

Rows = Iterable[Sequence[Any]]


class Counting(Protocol):
    """A `engine.train.Watch` that has rows of what it saw."""

    def before(self, training: Training) -> None: ...

    def after(self, training: Training) -> None: ...

    def rows(self, training: Training, lane: int) -> Rows:
        """The rows of a lane since the last evaluation."""
        ...


@dataclass(frozen=True)
class Probe:
    """One kind of measurement, taken of a cell at its evaluations; it changes nothing.

    Attributes:
        columns: of its file, behind `step`.
        rows: snapshot of a cell -> the rows, behind `step`. None: it is a `watch`.
        watch: makes what sees every update of a pack.
        ends: whether only the first and the last evaluation are kept.
    """

    columns: tuple[str, ...]
    rows: Callable[[Snapshot], Rows] | None = None
    watch: Callable[[], Counting] | None = None
    ends: bool = False


PLACE = ("layer", "direction")
"""Columns that name a recurrence: layer 0 is the lowest; direction 1 reads in reverse."""


def probe(name: str) -> Probe:
    """The probe of a name in `NAMES`."""
    found: Probe = importlib.import_module(f"sweeps.probes.{name}").PROBE
    return found


def has(name: str, settings: Settings) -> bool:
    """Whether a cell has what a probe measures. All but `clipping` measure a recurrence that stays what it is."""
    return name == "clipping" or not (stateless(settings.arch.name) or settings.stack.kind != "plain")


def problems(settings: Sequence[Settings]) -> list[str]:
    """Probes that there are not, and those that no cell of a sweep has; each sentence once."""
    names = dict.fromkeys(name for each in settings for name in each.probes)
    found = [unknown("probe", name, NAMES) for name in names if name not in NAMES]
    found += [
        f"probe: given {name!r}, which is of a recurrence, and no cell here has one that is the same at all time steps"
        for name in names
        if name in NAMES and not any(has(name, each) for each in settings if name in each.probes)
    ]
    return found
