"""Collects the measurements of one cell and writes its record, the summary last."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import yaml

from sweeps.config.identity import NUMERICS_VERSION
from sweeps.config.schema import as_dict
from sweeps.engine.train import Measurement
from sweeps.plan.cells import Cell
from sweeps.probes.base import has, probe
from sweeps.probes.taken import PARAMETERS
from sweeps.records import columns
from sweeps.records.arrays import write_arrays
from sweeps.records.files import write_atomically, write_csv, write_json
from sweeps.records.paths import CellPaths
from sweeps.records.summary import Best, Final, OnTest, PackFacts, Summary, TaskFacts
from sweeps.records.versions import commit, processor, versions
from sweeps.tasks import Task, baselines

FLOAT32 = np.finfo(np.float32)
LOG10_TINY, LOG10_HUGE = math.log10(FLOAT32.tiny), math.log10(FLOAT32.max)


class Recorder:
    """The rows of one cell, kept in memory until it ends: a few hundred kilobytes. Training writes no CSV file.

    Attributes:
        measured: every measurement so far.
        seconds: of one core so far, the cell's share of its packs.
    """

    def __init__(
        self,
        cell: Cell,
        paths: CellPaths,
        task: Task,
        measured: Sequence[Measurement] = (),
        seconds: float = 0.0,
    ) -> None:
        """A recorder of a cell.

        Args:
            measured, seconds: where the cell goes on from a checkpoint, what was measured before.
        """
        self.cell, self.paths, self.task, self.seconds = cell, paths, task, seconds
        self.probes = [name for name in cell.settings.probes if has(name, cell.settings)]
        self.measured: list[Measurement] = []
        self.evaluated: Measurement | None = None  # the last one with an evaluation
        self.best: Measurement | None = None
        self.solved_step: int | None = None
        for each in measured:
            self.add(each)

    def add(self, m: Measurement) -> None:
        """Add one measurement. The best evaluation is the one with the highest score, the first of equal ones."""
        self.measured.append(m)
        if m.eval_score is None:
            return
        self._keep_ends()
        self.evaluated = m
        if self.best is None or self.best.eval_score is None or m.eval_score > self.best.eval_score:
            self.best = m
        if self.solved_step is None and m.solved:
            self.solved_step = m.step

    def _keep_ends(self) -> None:
        """Leave out the rows of the evaluation before where a probe keeps those of the first and the last alone."""
        before = self.evaluated
        if before is not None and before is not next((m for m in self.measured if m.probed is not None), before):
            for name in self.probes:
                if probe(name).ends:
                    before.probed.pop(name, None)

    def now(self) -> dict[str, Any]:
        """What was measured last, by the names of `metrics.csv`, of an evaluation perhaps some steps ago."""
        last, evaluated = self.measured[-1], self.evaluated
        return {
            "cell": self.cell.id,
            "train_loss": last.train_loss,
            "eval_loss": evaluated.eval_loss if evaluated else None,
            "eval_score": evaluated.eval_score if evaluated else None,
            "grad_norm": last.grad_norm,
        }

    @property
    def outcome(self) -> str:
        """How the run ended. A run that was solved and diverged later counts as diverged; `solved_step` keeps when."""
        if self.measured[-1].diverged:
            return "diverged"
        return "finished" if self.solved_step is None else "solved"

    def write(self, pack: PackFacts, device: str = "cpu") -> None:
        """Write the record. The summary comes last: until it is there, the cell is not done.

        Args:
            pack: the pack, and the kernels that computed it.
            device: name of the device.
        """
        settings = yaml.safe_dump(as_dict(self.cell.settings), sort_keys=False)
        self.paths.summary.unlink(missing_ok=True)  # of a cell that was trained again, for its weights
        write_atomically(self.paths.config, settings)
        write_csv(self.paths.metrics, columns.METRICS, map(_metrics_row, self.measured))
        write_csv(self.paths.gradient_through_time, *self._gradient())
        write_csv(
            self.paths.parameters,
            columns.PARAMETERS,
            _probed(self.measured, PARAMETERS),
        )
        for name in self.probes:
            write_csv(self.paths.probe(name), ("step", *probe(name).columns), _probed(self.measured, name))
        if self.cell.settings.train.save == "final":
            write_arrays(self.paths.weights, self.measured[-1].weights or {})
        else:
            self.paths.weights.unlink(missing_ok=True)  # of a record that was there before
        write_json(self.paths.summary, self._summary(pack, device).as_json())
        self.paths.failure.unlink(missing_ok=True)
        with suppress(OSError):  # there is none, or it cannot be removed: a cell that is done does not look at it
            self.paths.checkpoint.unlink()

    def _gradient(self) -> tuple[tuple[str, ...], Iterable[tuple[Any, ...]]]:
        """Names of the columns, and the rows, of gradient_through_time.csv."""
        stack, first = self.cell.settings.stack, self.measured[0]
        several = (stack.layers > 1, stack.bidirectional)
        further = [name for name, there in zip((columns.LAYER, columns.DIRECTION), several, strict=True) if there]
        if first.log10_norm_total is not None:
            further = [columns.TOTAL, *further]

        def rows() -> Iterator[tuple[Any, ...]]:
            for m in self.measured:
                norms, totals = m.log10_norm.tolist(), m.log10_norm_total
                beside = [norms] if totals is None else [norms, totals.tolist()]
                for n in range(len(norms)):
                    place = divmod(n, 2) if stack.bidirectional else (n, 0)
                    at = [number for number, there in zip(place, several, strict=True) if there]
                    for t, values in enumerate(zip(*(each[n] for each in beside), strict=True)):
                        yield (m.step, t, len(norms[n]) - 1 - t, *values, *at)

        return columns.GRADIENT_THROUGH_TIME + tuple(further), rows()

    def _summary(self, pack: PackFacts, device: str) -> Summary:
        last = self.measured[-1]
        at_end = self.evaluated
        best = self.best
        return Summary(
            cell=self.cell.id,
            experiment=self.cell.settings.experiment,
            outcome=self.outcome,
            reason=last.diverged,
            step=last.step,
            solved_step=self.solved_step,
            diverged_step=last.step if last.diverged else None,
            final=Final(
                step=last.step,
                train_loss=last.train_loss,
                eval_loss=at_end.eval_loss if at_end else None,
                eval_score=at_end.eval_score if at_end else None,
                grad_norm=last.grad_norm,
            ),
            best=Best(step=best.step, eval_loss=best.eval_loss, eval_score=best.eval_score) if best else Best(),
            test=OnTest(*last.test) if last.test else OnTest(),
            task=TaskFacts(
                score=self.task.score,
                chance_loss=self.task.chance_loss,
                solved_at=self.task.solved_at,
                baselines=baselines(self.task),
                test_baselines=baselines(self.task, test=True),
            ),
            seconds=self.seconds,
            pack=pack,
            versions=versions(),
            commit=commit(),
            numerics=NUMERICS_VERSION,
            device=device,
            processor=processor(),
            skipped=last.skipped if self.cell.settings.train.skip_nonfinite else None,
        )


def _probed(measured: Sequence[Measurement], name: str) -> Iterator[tuple[Any, ...]]:
    """The rows of one probe, with the step in front."""
    for m in measured:
        if m.probed is not None:
            yield from ((m.step, *row) for row in m.probed.get(name, ()))


def _metrics_row(m: Measurement) -> tuple[Any, ...]:
    scale = m.grad_norm_clipped / m.grad_norm if m.grad_norm else 1.0
    norms = m.log10_norm[np.isfinite(m.log10_norm)]
    outside = int(((norms < LOG10_TINY) | (norms > LOG10_HUGE)).sum())
    return (m.step, m.train_loss, m.eval_loss, m.eval_score, m.grad_norm, m.grad_norm_clipped, scale, m.lr, outside)
