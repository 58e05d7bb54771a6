"""One sequence through a network as numbers for the script of a run's page, `page/sequence.js`, and in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sweeps.analysis.sequence import Bars, Panel, Shown
from sweeps.report.heat_map import kept, letters, thinned
from sweeps.report.run_drawn import rounded

DIGITS = 2
"""Of a value: as fine as a four-thousandth of the largest of its panel."""


def drawn(shown: Shown) -> dict[str, Any]:
    """What the script draws, ready for JSON."""
    return {
        "steps": shown.steps,
        "panels": [_panel(each, _limit_of(each, shown.panels)) for each in shown.panels],
        "bars": [_bars(each) for each in shown.bars],
    }


def caption(shown: Shown) -> str:
    """What is drawn, in words."""
    told = [
        f"The first sequence of its evaluation set, {shown.steps} time steps, with the weights at the end.",
        "Colours are centred on 0; where they end in a panel stands above it.",
    ]
    left_out = [each.name for each in shown.panels if max(thinned(*each.values.shape)) > 1]
    if left_out:
        told.append(f"Not every time step or row is drawn of: {', '.join(left_out)}.")
    return " ".join(told)


def _limit_of(panel: Panel, panels: Sequence[Panel]) -> float:
    """Where the colours of a panel end: those of outputs and of their target at one number, to be compared."""
    alike = [each.values.ravel() for each in panels if each.row == "output"] if panel.row == "output" else []
    return _limit(np.concatenate(alike) if alike else panel.values)


def _panel(panel: Panel, limit: float) -> dict[str, Any]:
    """A panel; `values` counts from -`limit` to `limit`: time step by time step, each with its rows."""
    every = thinned(*panel.values.shape)
    times, rows = (kept(count, apart) for count, apart in zip(panel.values.shape, every, strict=True))
    values = panel.values[np.ix_(times, rows)]
    return {
        **{"name": panel.name, "row": panel.row, "times": times.tolist(), "rows": rows.tolist(), "limit": limit},
        **{"count": panel.values.shape[1], "digits": DIGITS, "values": letters(values, -limit, limit, DIGITS)},
    }


def _bars(bars: Bars) -> dict[str, Any]:
    target = None if bars.target is None else rounded(bars.target).tolist()
    reach = [bars.values] if bars.target is None else [bars.values, bars.target]
    values = rounded(bars.values).tolist()
    return {
        **{"name": bars.name, "row": bars.row, "values": values, "target": target, "classes": bars.classes},
        "limit": 1.0 if bars.classes else _limit(np.concatenate(reach)),
    }


def _limit(values: np.ndarray) -> float:
    """The largest absolute value, upwards to three digits; 1 where all are zero or none is finite."""
    finite = np.abs(values[np.isfinite(values)])
    largest = float(finite.max()) if len(finite) else 0.0
    if not largest:
        return 1.0
    limit = float(f"{largest:.3g}")
    return limit if limit >= largest else float(f"{largest * 1.005:.3g}")
