"""Ask many recurrent networks at once why they do or do not learn long dependencies.

Imports point backwards along two lines that meet in the records (tests/test_layers.py holds the rules):
config → tasks → plan → engine → probes → records → execute → launch;
records → loading → statistics → tables, figures → document → report → verify, dashboard.
"""

__version__ = "0.1.0"
