"""What an experiment's sweep.yaml says under `analysis:`, checked against the measures and figures that there are."""

from __future__ import annotations

from dataclasses import replace

from sweeps.analysis.loading.records import Records
from sweeps.analysis.statistics.effects import Effects, effects_of
from sweeps.analysis.statistics.measures import MEASURES, NUMERIC, SHORT, Measure, crossings, measure_named, per_run
from sweeps.config.analysis import Analysis, parse_analysis
from sweeps.config.places import analysis_section
from sweeps.errors import CommandError
from sweeps.figures.catalogue import ALL


def analysis_of(experiment: str) -> Analysis:
    """The section as it stands in the file today, like the README; empty without one.

    Raises:
        CommandError: something in it is wrong; it lists every problem.
        SweepsError: the file cannot be read.
    """
    analysis, wrong = _parsed(experiment)
    if wrong:
        raise CommandError(wrong)
    return analysis


def analysis_problems(experiment: str) -> list[str]:
    """Every problem of the section. Raises SweepsError if the file cannot be read."""
    return _parsed(experiment)[1]


def measure_of(records: Records, analysis: Analysis) -> tuple[Measure | None, str]:
    """The first measure that the study chose, and a sentence if these runs have no such number to compare.

    Args:
        records: of one task.

    Returns:
        None where the study chose none, or where it cannot be used.
    """
    if not analysis.metrics:
        return None, ""
    measure = measure_named(analysis.metrics[0])
    what = measure.label.format(score=records.score_name)
    if crossings(records, measure):
        return None, f"Runs ended as soon as they were solved, so that their {what} is not compared."
    if per_run(records, measure).isna().all():
        return None, f"No run here has a number for the {what}."
    return measure, ""


def compared(records: Records, analysis: Analysis) -> tuple[Effects | None, str]:
    """The effects of the axes on the first measure that the study chose, or on that which tells the runs apart.

    Args:
        records: of one task.

    Returns:
        None where no axis varied; and a sentence if the chosen measure cannot be used.
    """
    measure, note = measure_of(records, analysis)
    found = effects_of(records, measure)
    return (found if measure is None or found is None else replace(found, why="the measure of the study")), note


def _parsed(experiment: str) -> tuple[Analysis, list[str]]:
    metrics = {name: measure_named(name).better != 0 for name in (*MEASURES, *SHORT, *NUMERIC)}
    return parse_analysis(analysis_section(experiment), metrics, tuple(ALL))
