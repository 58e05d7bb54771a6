"""Records to evidence: load -> statistics -> tables, figures. Frames in, frames out; never torch.

>>> from sweeps.analysis import comparison, load
>>> records = load("runs/first_look")
>>> comparison(records)
"""

from sweeps.analysis.load import Records, load
from sweeps.analysis.tables import clipping, comparison, summary

__all__ = ["Records", "clipping", "comparison", "load", "summary"]
