"""Draw figures of the catalogue from records and write them as PDF, SVG and PNG with their provenance inside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from sweeps.analysis.loading.records import Records
from sweeps.analysis.provenance import Provenance, of_theory, provenance
from sweeps.analysis.statistics.measures import measure_named
from sweeps.errors import SweepsError, unknown
from sweeps.figures.behind import behind
from sweeps.figures.catalogue import ALL, by_default, prepared
from sweeps.figures.entry import Draw
from sweeps.figures.from_theory import THEORY
from sweeps.figures.panels import PHONE, drawn_for
from sweeps.figures.style import FORMATS, write_figure, wrong_formats
from sweeps.records.paths import SweepPaths


@dataclass(frozen=True)
class Drawn:
    """A figure on disk: its name in the catalogue, its task (None if the sweep has only one), its files, and the runs
    that it shows (see `behind.behind`)."""

    name: str
    task: Any
    stem: Path
    behind: dict[str, Any] = field(default_factory=dict, repr=False)
    behind_narrow: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def pdf(self) -> Path:
        return self.stem.with_name(f"{self.stem.name}.pdf")

    @property
    def svg(self) -> Path:
        return self.stem.with_name(f"{self.stem.name}.svg")

    @property
    def png(self) -> Path:
        return self.stem.with_name(f"{self.stem.name}.png")

    @property
    def narrow(self) -> Path:
        return self.stem.with_name(f"{self.stem.name}_narrow.png")


def draw(
    records: Records,
    folder: str | Path,
    names: Iterable[str] | None = None,
    formats: Sequence[str] = FORMATS,
    chosen: Mapping[str, str] | None = None,
    preferred: Mapping[str, str] | None = None,
    metric: str | None = None,
    *,
    narrow: bool = False,
) -> list[Drawn]:
    """Draw figures of the catalogue and write them to `folder`, in a subfolder for each task if there are several.

    Args:
        names: figures of the catalogue; those of a report, `FIGURES` and those of the probes taken, unless told.
        formats: some of pdf, svg and png.
        chosen, preferred: axes by role and roles by axis, as for `catalogue.figure`.
        metric: what `score_by_level` shows, as for `catalogue.figure`.
        narrow: draw each of them once more for a small screen, as `NAME_narrow.png`.

    A figure that has nothing to show is left out; where `folder` is the sweep's own, in its `report/`, the files of an
    earlier one are removed.

    Raises:
        SweepsError: there is no such figure or format.
    """
    folder, names = Path(folder), by_default(records) if names is None else list(names)
    wrong = [unknown("figure", name, ALL) for name in names if name not in ALL]
    wrong += wrong_formats(formats)
    if wrong:
        raise SweepsError("; ".join(wrong))
    measure = measure_named(metric) if metric else None
    own = folder.resolve().is_relative_to(SweepPaths(records.root).report.root.resolve())
    drawn = []
    for task, part in records.by_task():
        for name in names:
            stem = folder / name if task is None else folder / str(task) / name
            ready = prepared(name, part, chosen, preferred, measure)
            if ready is None:
                for kind in FORMATS if own else ():
                    stem.with_name(f"{name}.{kind}").unlink(missing_ok=True)
                continue
            drawing, about = ready(), provenance(part, f"figure {name}")
            write_figure(drawing, stem, about, formats)
            drawn.append(Drawn(name, task, stem, behind(drawing), _narrow(ready, stem, about) if narrow else {}))
    return drawn


def draw_theory(folder: str | Path, names: Iterable[str], formats: Sequence[str] = FORMATS) -> list[Path]:
    """Draw figures that need no records, `from_theory.THEORY`, and write them to `folder`.

    Raises:
        SweepsError: there is no such figure or format.
    """
    names = list(names)
    wrong = [unknown("figure", name, THEORY) for name in names if name not in THEORY] + wrong_formats(formats)
    if wrong:
        raise SweepsError("; ".join(wrong))
    return [
        path
        for name in names
        for path in write_figure(THEORY[name](), Path(folder) / name, of_theory(f"figure {name}"), formats)
    ]


def _narrow(ready: Draw, stem: Path, about: Provenance) -> dict[str, Any]:
    """Draw a figure for a small screen; the runs behind it."""
    with drawn_for(PHONE):
        drawing = ready()
        write_figure(drawing, stem.with_name(f"{stem.name}_narrow"), about, ("png",))
    return behind(drawing)


def save(figure: Figure, path: str | Path, records: Records, formats: Sequence[str] = FORMATS) -> list[Path]:
    """Write a figure of one's own in the house style, with where its records come from inside the files.

    Args:
        path: of the files, without an ending.
        records: what was drawn.
        formats: some of pdf, svg and png.

    Returns:
        The files, one for each format.
    """
    if wrong := wrong_formats(formats):
        raise SweepsError("; ".join(wrong))
    return write_figure(figure, Path(path), provenance(records), formats)
