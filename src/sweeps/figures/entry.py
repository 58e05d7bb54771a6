"""What an entry of the catalogue of figures computes and draws."""

from __future__ import annotations

from collections.abc import Callable

from sweeps.analysis.loading.records import Records
from sweeps.analysis.roles import Roles
from sweeps.figures.panels import Grid

Draw = Callable[[], Grid]
"""Draws a figure from what is computed already, for the `room` of the moment."""
Prepare = Callable[[Records, Roles], Draw | None]
"""Computes what a figure shows; None where there is nothing to draw."""
