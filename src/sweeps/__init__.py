"""Ask many recurrent networks at once why they do or do not learn long dependencies.

The data flows one way, and imports point only backwards along it:
config -> plan -> execute -> tasks, engine, probes -> records -> analysis -> report.
"""

__version__ = "0.1.0"
