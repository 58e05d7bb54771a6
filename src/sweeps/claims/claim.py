"""A claim of an experiment, as `experiments/NAME/claims.yaml` declares it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from sweeps.claims.numbers import number_named
from sweeps.errors import SweepsError, unknown

STATISTICS = ("median", "share", "ratio", "difference", "slope", "crossing")
"""What is judged: the median over seeds of the number; the share of runs with it (a number that is 0 or 1); with
`against` the median over pairs of first over second, or first minus second; with `over` the slope of the number against
log10 of an axis, or the level of the axis at which it crosses 0."""
PAIRED, ALONG = ("ratio", "difference"), ("slope", "crossing")


@dataclass(frozen=True)
class Claim:
    """A published statement, as a criterion on records.

    Attributes:
        name: short, in letters, digits and `_`.
        says: the statement in a sentence.
        source: where it stands.
        where: the runs that it is of: a level, or a list of levels, of any setting; all of them if empty.
        number: of a run, one of `numbers.NUMBERS` or of the measures.
        statistic: one of `STATISTICS`.
        low, high: the statement is that the statistic lies between them; infinite for none.
        against: the runs that it is compared with, as `where`: their other settings are those of `where`.
        over: the axis along which a slope or a crossing is.
        for_each: axes; the criterion must hold at each combination of their levels.
        tuned: hyperparameters of which each half of the seeds chooses the level for the other half.
        budget: what the statement needs beyond the records, a clause for the verdict; empty for nothing.
    """

    name: str
    says: str
    source: str
    number: str
    statistic: str = "median"
    low: float = -math.inf
    high: float = math.inf
    where: Mapping[str, Any] = field(default_factory=dict)
    against: Mapping[str, Any] = field(default_factory=dict)
    over: str = ""
    for_each: tuple[str, ...] = ()
    tuned: tuple[str, ...] = ()
    budget: str = ""

    @property
    def criterion(self) -> str:
        """`the median of the best score above 0.9`."""
        label = number_named(self.number).label
        what = {
            "median": f"median of the {label}",
            "share": f"share of runs with {label}",
            "ratio": f"ratio of the {label}",
            "difference": f"difference of the {label}",
            "slope": f"slope of the {label} against log10 of {self.over}",
            "crossing": f"{self.over} at which the {label} crosses 0",
        }[self.statistic]
        if math.isinf(self.low):
            return f"{what} below {self.high:g}"
        if math.isinf(self.high):
            return f"{what} above {self.low:g}"
        return f"{what} from {self.low:g} to {self.high:g}"


def parse_claims(node: Any) -> list[Claim]:
    """The claims of a file, in order.

    Raises:
        SweepsError: the file is not what it must be; one sentence for every problem.
    """
    if not isinstance(node, Mapping) or not isinstance(node.get("claims"), list) or len(node) != 1:
        raise SweepsError("claims.yaml must hold one key, claims, with a list of claims")
    problems: list[str] = []
    claims = [claim for at, each in enumerate(node["claims"], 1) if (claim := _parsed(each, at, problems))]
    twice = {each.name for each in claims if sum(each.name == other.name for other in claims) > 1}
    problems += [f"claims.{name}: the name is given twice" for name in sorted(twice)]
    if problems:
        raise SweepsError("; ".join(problems))
    return claims


def _parsed(node: Any, at: int, problems: list[str]) -> Claim | None:
    """One claim; None with a problem for each thing that is wrong."""
    known = [each.name for each in fields(Claim) if each.name not in ("low", "high")]
    bounds = ("above", "below", "from", "to")
    if not isinstance(node, Mapping):
        problems.append(f"claims, number {at}: given {node!r:.60}, must be keys and values")
        return None
    name = str(node.get("name", at))
    allowed = (*known, *bounds)
    own = [unknown(f"claims.{name}, key", str(key), allowed) for key in node if key not in allowed]
    own += [f"claims.{name}.{key}: must be given" for key in ("name", "says", "source", "number") if not node.get(key)]
    statistic = str(node.get("statistic", "median"))
    if statistic not in STATISTICS:
        own.append(unknown(f"claims.{name}.statistic", statistic, STATISTICS))
    for key in bounds:
        if key in node and (isinstance(node[key], bool) or not isinstance(node[key], int | float)):
            own.append(f"claims.{name}.{key}: given {node[key]!r:.40}, must be a number")
    if not any(key in node for key in bounds):
        own.append(f"claims.{name}: must say what is claimed: above, below, or from and to")
    for key in ("where", "against"):
        if not isinstance(node.get(key, {}), Mapping):
            own.append(f"claims.{name}.{key}: given {node[key]!r:.40}, must be levels by setting")
    if (statistic in PAIRED) != bool(node.get("against")):
        own.append(f"claims.{name}: against goes with {' and '.join(PAIRED)}, and these with against")
    if isinstance(node.get("against"), Mapping) and isinstance(node.get("where", {}), Mapping):
        lacking = [str(key) for key in node["against"] if key not in node.get("where", {})]
        own += [f"claims.{name}.against.{key}: must be in where, too" for key in lacking]
    if (statistic in ALONG) != bool(node.get("over")):
        own.append(f"claims.{name}: over goes with {' and '.join(ALONG)}, and these with over")
    for key in ("for_each", "tuned"):
        if not isinstance(node.get(key, []), list):
            own.append(f"claims.{name}.{key}: given {node[key]!r:.40}, must be a list of axes")
    try:
        number_named(str(node.get("number", "")))
    except SweepsError as error:
        own.append(f"claims.{name}.{error}")
    problems += own
    if own:
        return None
    lists = {key: tuple(map(str, node.get(key, ()))) for key in ("for_each", "tuned")}
    low = float(node.get("above", node.get("from", -math.inf)))
    high = float(node.get("below", node.get("to", math.inf)))
    if low >= high:
        problems.append(f"claims.{name}: from {low:g} to {high:g} holds no number")
        return None
    given = {key: node[key] for key in known if key in node and key not in lists}
    return Claim(**{**given, **lists, "low": low, "high": high})
