"""Trains a done cell anew, in a temporary folder, and compares the bytes of the two records."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import zip_longest
from pathlib import Path

from sweeps.check import problems_with
from sweeps.config.identity import cell_id
from sweeps.config.schema import Settings
from sweeps.errors import ConfigError
from sweeps.execute.in_order import InOrder
from sweeps.execute.kernels import AGREEMENT
from sweeps.plan.cells import Cell
from sweeps.plan.packs import Pack
from sweeps.records.paths import CellPaths, SweepPaths
from sweeps.records.plan_file import flat
from sweeps.records.safe_reading import read_bytes
from sweeps.records.summary import Summary, read_summary

PLACE = ("seconds", "pack.id", "pack.lane", "pack.lanes")
"""Entries of a summary that say where and how fast the cell was trained, which is another place now."""
REASONS = ("numerics", "pack.kernel", "pack.instructions", "pack.build", "processor", "device", "versions.", "commit")
"""Entries of a summary that may explain other bytes, the likeliest first; a dot at the end takes all inside."""


@dataclass(frozen=True)
class Verdict:
    """How a record and the one made anew compare.

    Attributes:
        same: whether every CSV file, and the weights where they were kept, has the same bytes.
        files: a sentence for each of these files by its name.
        summary: a sentence on summary.json, which is apart: it says when, where and how fast.
        reasons: sentences on what may explain other bytes; empty if they are the same.
    """

    same: bool
    files: dict[str, str]
    summary: str
    reasons: list[str]


def train_again(paths: CellPaths, settings: Settings, summary: Summary) -> Verdict:
    """Train the cell of a record once more and compare; the record is only read.

    Args:
        settings, summary: what the record holds.

    Raises:
        ConfigError: this machine cannot train it.
        OSError: there is no room for a temporary folder, or a file of the record cannot be read.
    """
    with trained_anew(settings) as made:
        kept = settings.train.save == "final" and paths.weights.is_file()
        names = ("metrics", "gradient_through_time", "parameters", *(["weights"] if kept else []))
        pairs = [(getattr(paths, name), getattr(made, name)) for name in names]
        contents = {old.name: (read_bytes(old), read_bytes(new)) for old, new in pairs}
        now = read_summary(made)
    same = all(old == new for old, new in contents.values())
    files = {name: f"{name}: {difference(old, new)}" for name, (old, new) in contents.items()}
    return Verdict(same, files, _summaries(summary, now), [] if same else reasons(summary, now))


@contextmanager
def trained_anew(settings: Settings) -> Iterator[CellPaths]:
    """Train a cell in a temporary folder; its record is there while the context lasts.

    Raises:
        ConfigError: this machine cannot train it.
        OSError: there is no room.
    """
    if problems := problems_with([settings]):
        raise ConfigError(problems)
    cell = Cell(cell_id(settings), settings)
    with tempfile.TemporaryDirectory(prefix="sweeps-again-") as folder:
        sweep = SweepPaths(Path(folder))
        for _ in InOrder().run([Pack((cell,))], sweep.root):
            pass
        yield sweep.cell(cell.id)


def difference(old: bytes, new: bytes) -> str:
    """How one CSV file differs from the one made anew, as a clause: the first difference, how many rows, how much."""
    if old == new:
        return f"the same {len(old):,} bytes"
    try:
        rows, others = (content.decode().splitlines() for content in (old, new))
    except UnicodeDecodeError:
        return "differs: it is not text"
    pairs = [(a, b) for a, b in zip_longest(rows, others, fillvalue="") if a != b]
    if not pairs:
        return "differs in its ends of lines"
    heads, (was, now) = rows[0].split(","), (row.split(",") for row in pairs[0])
    if rows[0] != others[0] or len(was) != len(now):
        return f"differs: it has {len(rows):,} lines, the new one {len(others):,}, and not the same columns everywhere"
    head, a, b = next((head, a, b) for head, a, b in zip(heads, was, now, strict=True) if a != b)
    most = max((_relative(*pair) for pair in pairs), default=0.0)
    of = f"{len(pairs)} of {len(rows) - 1} rows differ"
    return f"differs, first at step {was[0]}: {head} was {a}, is {b} ({of}, by at most {most:.1g} of a value)"


def _relative(old: str, new: str) -> float:
    """The largest relative difference between the numbers of two rows."""
    largest = 0.0
    for a, b in zip(_numbers(old), _numbers(new), strict=False):
        if a != b and not (math.isnan(a) and math.isnan(b)):
            size = max(abs(a), abs(b))
            largest = max(largest, abs(a - b) / size if math.isfinite(size) else math.inf)
    return largest


def _numbers(row: str) -> Iterator[float]:
    for text in row.split(","):
        try:
            yield float(text)
        except ValueError:
            yield math.nan


def reasons(then: Summary, now: Summary) -> list[str]:
    """What two summaries of a cell tell of why its numbers differ, as sentences, the likeliest first."""
    old, new = flat(asdict(then)), flat(asdict(now))
    names = sorted({**old, **new}, key=lambda name: (_rank(name), name))
    differ = [name for name in names if _rank(name) < len(REASONS) and old.get(name) != new.get(name)]
    found = [f"Likely: {name} was {old.get(name)}, is {new.get(name)}." for name in differ]
    dirty = [s for s in (then, now) if str(s.commit).endswith("-dirty")]
    if dirty and then.commit == now.commit:
        found.append("Likely: files of the code differed from the commit (-dirty), so that it does not name the code.")
    if not found:
        return ["The summaries name the same code, kernel and processor: the record was changed since, or the machine."]
    rounding = [f"Of two kernels or processors: {AGREEMENT}."] if any(map(_computes, differ)) else []
    return [*found, *rounding]


def _computes(name: str) -> bool:
    """Whether an entry names what computed the numbers."""
    return name.startswith("pack.") or name in ("processor", "device")


def _rank(name: str) -> int:
    """The place of an entry among `REASONS`; their number for any other."""
    fits = (place for place, reason in enumerate(REASONS) if name == reason or (reason[-1] == "." and reason in name))
    return next(fits, len(REASONS))


def _summaries(then: Summary, now: Summary) -> str:
    old, new = flat(asdict(then)), flat(asdict(now))
    differ = [name for name in {**old, **new} if name not in PLACE and repr(old.get(name)) != repr(new.get(name))]
    what = f"differs in {', '.join(differ)}" if differ else "the same"
    return f"summary.json: {what} (seconds and pack left out)"
