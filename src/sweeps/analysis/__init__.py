"""Records to evidence: load -> statistics -> tables, figures. Frames in, frames out; never torch.

>>> from sweeps.analysis import compare, load, to_latex
>>> records = load("runs/first_look")
>>> table = compare(records, axes=("arch", "init", "length"), select={"clip": "none"})
>>> table  # in a notebook: the table with its caption and notes; table.frame has every digit
>>> print(to_latex(table))
"""

from sweeps.analysis.audit import clipping_audit
from sweeps.analysis.compare import compare
from sweeps.analysis.latex import to_latex
from sweeps.analysis.load import Records, load
from sweeps.analysis.markdown import to_markdown
from sweeps.analysis.pairwise import pairwise
from sweeps.analysis.ranking import rank
from sweeps.analysis.steps import steps_to_solve
from sweeps.analysis.survival import survival_curves
from sweeps.analysis.table import Table
from sweeps.analysis.tables import clipping, comparison, summary

__all__ = [
    "Records",
    "Table",
    "clipping",
    "clipping_audit",
    "compare",
    "comparison",
    "load",
    "pairwise",
    "rank",
    "steps_to_solve",
    "summary",
    "survival_curves",
    "to_latex",
    "to_markdown",
]
