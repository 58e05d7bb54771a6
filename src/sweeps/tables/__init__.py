"""Frames to tables: comparisons, rankings, steps to solve, what clipping did; as Markdown, CSV and LaTeX."""
