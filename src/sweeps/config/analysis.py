"""The section `analysis:` of an experiment's sweep.yaml: what a report of it asks, and how it draws the axes.

It is no part of any cell: Hydra does not see it, and it changes no id.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from sweeps.config.identity import decides
from sweeps.config.keys import known_keys
from sweeps.config.short_names import SHORT_NAMES, column_of
from sweeps.errors import SweepsError, unknown

ROLES = {"x": "x", "colour": "colour", "panel": "column", "row": "row"}
"""What an axis can be drawn as, as it is typed, and the slot of figures that it then has."""
POOLED = "pooled"
"""The role of an axis that is left out of figures on purpose."""


@dataclass(frozen=True)
class Analysis:
    """What a study chose of its report; everything that is left out is found from what the study varied.

    Attributes:
        question: Markdown; shown above the README.
        axes: by axis (column of `Records.cells`) the slot that it has in the figures that have such a slot: x, colour,
            column, row, or `POOLED`.
        metrics: names of measures; the first is that of the answer, the rankings and the clipping audit, and each has a
            comparison. None for the measure that tells the runs apart.
        tuned: axes that are hyperparameters, of which only the best level is to count. Checked, and not used yet.
        figures: names of figures, in the order of the report; none for all of them.
    """

    question: str = ""
    axes: Mapping[str, str] = field(default_factory=dict)
    metrics: tuple[str, ...] = ()
    tuned: tuple[str, ...] = ()
    figures: tuple[str, ...] = ()

    @property
    def metric(self) -> str | None:
        """The first measure; None where the study chose none."""
        return self.metrics[0] if self.metrics else None

    def not_varied(self, varied: Collection[str]) -> str:
        """A sentence on the axes named here that did not vary, as a command line can cause; empty if all did."""
        idle = [axis for axis in dict.fromkeys([*self.axes, *self.tuned]) if axis not in varied]
        if not idle:
            return ""
        are, it = ("is no axis", "it") if len(idle) == 1 else ("are no axes", "them")
        return f"{', '.join(idle)} {are} of these runs: what `analysis:` in sweep.yaml says of {it} changes nothing."


NOTHING = Analysis()
"""Of a study that chose nothing."""


def parse_analysis(node: Any, metrics: Mapping[str, bool], figures: Collection[str]) -> tuple[Analysis, list[str]]:
    """The section as it stands in the YAML, and its problems, all of them; what is wrong is left out.

    Args:
        node: None for no such section.
        metrics: every measure there is, and whether more or less of it is better.
        figures: every figure there is.
    """
    names = [each.name for each in fields(Analysis)]
    if node is None:
        return Analysis(), []
    if not isinstance(node, Mapping):
        return Analysis(), [f"analysis: given {node!r:.60}, must hold some of {', '.join(names)}"]
    problems = [unknown("analysis, key", str(key), names) for key in node if key not in names]
    question = node.get("question", "")
    if not isinstance(question, str):
        problems.append(f"analysis.question: given {question!r:.60}, must be a text")
        question = ""
    measures = _listed(node, "metrics", problems)
    problems += [unknown("analysis.metrics, metric", name, metrics) for name in measures if name not in metrics]
    if measures and metrics.get(measures[0]) is False:
        directed = ", ".join(name for name, better in metrics.items() if better)
        problems.append(
            f"analysis.metrics: given {measures[0]!r} first, must begin with one of which more or less is better: "
            f"{directed}"
        )
    drawn = _listed(node, "figures", problems)
    problems += [unknown("analysis.figures, figure", name, figures) for name in drawn if name not in figures]
    tuned = [column for name in _listed(node, "tuned", problems) if (column := _axis("tuned", name, problems))]
    return Analysis(question.strip(), _axes(node, problems), tuple(measures), tuple(tuned), tuple(drawn)), problems


def _axes(node: Mapping[Any, Any], problems: list[str]) -> dict[str, str]:
    given = node.get("axes", {})
    if not isinstance(given, Mapping):
        problems.append(f"analysis.axes: given {given!r:.60}, must be a role for each axis, like init.gain: colour")
        return {}
    axes: dict[str, str] = {}
    for name, role in given.items():
        if role not in (*ROLES, POOLED):
            problems.append(unknown(f"analysis.axes.{name}, role", str(role), (*ROLES, POOLED)))
        elif (column := _axis("axes", str(name), problems)) is not None:
            slot = ROLES.get(role, POOLED)
            if column in axes:
                problems.append(f"analysis.axes.{name}: the axis is named twice")
            elif slot != POOLED and slot in axes.values():
                problems.append(f"analysis.axes.{name}: given {role!r}, which another axis is already; it takes one")
            else:
                axes[column] = slot
    return axes


def _axis(key: str, name: str, problems: list[str]) -> str | None:
    """The column of an axis; None with a problem if it is no setting."""
    keys = (each for each in known_keys() if decides(each) and each != "seed")
    columns = {SHORT_NAMES.get(each, each) for each in keys}
    try:
        return column_of(name, columns, f"analysis.{key}, axis")
    except SweepsError as error:
        problems.append(str(error))
        return None


def _listed(node: Mapping[Any, Any], key: str, problems: list[str]) -> list[str]:
    """A list of different names; [] with a problem if it is anything else."""
    given = node.get(key, [])
    if not isinstance(given, list) or not all(isinstance(name, str) for name in given):
        problems.append(f"analysis.{key}: given {given!r:.60}, must be a list of names, like [a, b]")
        return []
    problems += [f"analysis.{key}: {name!r} is named twice" for name in dict.fromkeys(given) if given.count(name) > 1]
    return list(dict.fromkeys(given))
