"""Records to evidence: load -> statistics -> tables, figures. Frames in, frames out; never torch.

>>> from sweeps.analysis import compare, load, to_latex
>>> records = load("runs/first_look")
>>> table = compare(records, axes=("arch", "init", "length"), select={"clip": "none"})
>>> table  # in a notebook: the table with its caption and notes; table.frame has every digit
>>> print(to_latex(table))
"""

from sweeps.analysis.loading.load import Records, load
from sweeps.analysis.statistics.survival import survival_curves
from sweeps.analysis.tables.audit import clipping_audit
from sweeps.analysis.tables.compare import compare
from sweeps.analysis.tables.comparison import comparison, summary
from sweeps.analysis.tables.latex import to_latex
from sweeps.analysis.tables.markdown import to_markdown
from sweeps.analysis.tables.pairwise import pairwise
from sweeps.analysis.tables.ranking import rank
from sweeps.analysis.tables.steps import steps_to_solve
from sweeps.analysis.tables.table import Table

__all__ = [
    "Records",
    "Table",
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
