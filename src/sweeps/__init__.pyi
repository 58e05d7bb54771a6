# The public surface: what `import sweeps` offers, each name loaded when it is first used.
# All else in the package is private by convention: it may change without notice.

from .analysis.labels import label as label
from .analysis.loading.final_weights import weights as weights
from .analysis.loading.load import load as load
from .analysis.loading.probed import probed as probed
from .analysis.loading.records import Records as Records
from .analysis.statistics.summaries import decay_rates as decay_rates
from .analysis.statistics.summaries import per_cell as per_cell
from .analysis.statistics.survival import survival_curves as survival_curves
from .config.schema import Settings as Settings
from .errors import SweepsError as SweepsError
from .figures.catalogue import FIGURES as FIGURES
from .figures.catalogue import figure as figure
from .figures.draw import draw as draw
from .figures.draw import save as save
from .figures.style import COLUMN as COLUMN
from .figures.style import PAGE as PAGE
from .figures.style import house as house
from .figures.style import lines as lines
from .in_process import compose as compose
from .in_process import train as train
from .report.side_by_side import side_by_side as side_by_side
from .tables.at_a_glance import overview as overview
from .tables.clipping_audit import clipping_audit as clipping_audit
from .tables.combinations import comparison as comparison
from .tables.compare import compare as compare
from .tables.latex import to_latex as to_latex
from .tables.pairwise import pairwise as pairwise
from .tables.ranking import rank as rank
from .tables.steps_to_solve import steps_to_solve as steps_to_solve
from .tables.table import Table as Table
from .tables.table import to_markdown as to_markdown

__version__: str
__all__: list[str]
