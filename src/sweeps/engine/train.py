"""The training loop. It yields measurements and writes no files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch

from sweeps.config.schema import Settings
from sweeps.engine.checkpoint import State, restore, weights_of
from sweeps.engine.memory import keep_freed_memory
from sweeps.engine.scores import SCORES, Answers
from sweeps.engine.setup import Training, set_up
from sweeps.engine.update import Update
from sweeps.tasks import Batch

Scores = Sequence[tuple[float | None, float | None]]
"""(loss, score) of each lane over its evaluation set; None where it was not evaluated."""
Probe = Callable[[Training, int], Any]
"""(training, lane) -> what the probe measures; it may read weights and unclipped gradients and must change nothing."""


class Watch(Protocol):
    """Sees every update of a pack; it must change nothing."""

    def before(self, training: Training) -> None:
        """Its gradients are not clipped yet."""

    def after(self, training: Training) -> None:
        """They are."""


After = Callable[[Training, int], None]
"""(training, updates made), called between two updates while cells are running; it must change nothing."""


@dataclass(frozen=True)
class Measurement:
    """The measurements of one cell after `step` updates."""

    position: int  # index of the cell in the settings passed to `train`
    step: int
    train_loss: float
    grad_norm: float  # before clipping
    grad_norm_clipped: float
    lr: float
    log10_norm: np.ndarray  # [R, T], log10 ||dL/dh_t||, L of each sequence's last answer; R layers and directions
    log10_norm_total: np.ndarray | None  # the same, L of all answers; None where there is one
    eval_loss: float | None  # None: not evaluated at this step
    eval_score: float | None
    solved: bool  # the score has reached the task's `solved_at`; False where it was not evaluated
    probed: Any  # what the probe returned; None between evaluations
    diverged: str | None  # why the cell has diverged; this is then its last measurement
    weights: dict[str, np.ndarray] | None = None  # those that were measured, by name; None before the last measurement
    test: tuple[float, float] | None = None  # loss and score of these weights on the test part; None: there is none
    skipped: int = 0  # updates before this step's that were left out, this step's too if it was


def prepare_process() -> None:
    """Use one thread, keep freed memory, and flush subnormals to 0: vanishing gradients are full of them, at many times
    the cost."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    keep_freed_memory()


@torch.no_grad()
def train(
    settings: Sequence[Settings],
    probe: Probe,
    kernel: str = "auto",
    device: torch.device | str = "cpu",
    begin: Sequence[State] = (),
    first: int = 0,
    after: After | None = None,
    watches: Iterable[Watch] = (),
) -> Iterator[list[Measurement]]:
    """Train cells of one shape as one pack.

    Args:
        begin: states to go on from, one for each cell; none to start from the initial weights.
        first: updates that these have had.
        after: called after each update.
        watches: each sees every update before and after its gradients are clipped.

    Yields:
        The measurements of all running cells at each logged step; between these, of cells that diverge.
    """
    prepare_process()
    training, run = set_up(settings, kernel, device), settings[0].train
    restore(training, begin, first)
    update = Update(training)
    for step in range(first, run.steps + 1):
        last = step == run.steps
        logged = last or step % run.log_every == 0
        evaluated = last or step % run.eval_every == 0
        scores: Scores = evaluate(training) if evaluated else [(None, None)] * len(training.positions)
        waited = training.look(scores)
        training.set_rates(step)
        solved = [score is not None and score >= training.task.solved_at for _, score in scores]

        loss, norm = update.backward(traced=logged)
        reasons = [divergence(*pair) for pair in zip(loss, norm, strict=True)]
        broken = [k for k, reason in enumerate(reasons) if reason and training.skips]
        reasons = [None if training.skips else reason for reason in reasons]
        measured = logged or any(reasons[k] for k in training.running)
        norms, totals = update.log10_norm() if measured else (np.empty(0), None)
        probed = {k: probe(training, k) for k in training.running} if evaluated else {}
        for each in watches:
            each.before(training)
        update.clip()
        for each in watches:
            each.after(training)
        norms_after = update.clipped_norm() if measured else []
        stopped = [last or out or (run.stop_when_solved and each) for each, out in zip(solved, waited, strict=True)]
        ended = [k for k in training.running if reasons[k] or stopped[k]]
        weights = {k: weights_of(training.network, k) for k in ended}
        part = training.data.test() if ended else None
        tested = {} if part is None else dict(enumerate(evaluate(training, part)))
        if len(ended) < len(training.running):
            update.apply(leave=broken)
            training.skip([k for k in broken if k not in ended])

        if measured:
            rates = training.optimizer.lr
            yield [
                Measurement(
                    position=training.positions[k],
                    step=step,
                    train_loss=loss[k],
                    grad_norm=norm[k],
                    grad_norm_clipped=norms_after[k],
                    lr=rates[k],
                    log10_norm=norms[k],
                    log10_norm_total=None if totals is None else totals[k],
                    eval_loss=scores[k][0],
                    eval_score=scores[k][1],
                    solved=solved[k],
                    probed=probed.get(k),
                    diverged=reasons[k],
                    weights=weights.get(k),
                    test=tested.get(k) if k in ended else None,
                    skipped=int(training.skipped[k]),
                )
                for k in training.running
                if logged or reasons[k]
            ]
        if ended and training.end(ended, update.spare):
            update = Update(training)
        if not training.running:
            return
        if after is not None:
            after(training, step + 1)


def divergence(loss: float, norm: float) -> str | None:
    """Why a cell has diverged: its loss or an element of its gradient is not finite in float32. None if it has not."""
    if not np.isfinite(loss):
        return f"the loss is {loss}"
    if not np.isfinite(norm):
        return f"the gradient norm is {norm} at a loss of {loss:.6g}"
    return None


def evaluate(training: Training, test: dict[int, Batch] | None = None) -> list[tuple[float, float]]:
    """Mean loss and score of each lane over its evaluation set, by the weights of its answers.

    Args:
        test: from `Data.test`, to measure these sequences in place of the evaluation set.
    """
    network, task, score = training.network, training.task, SCORES[training.task.score]
    batch = network.sizes.batch
    loss, count, gained, possible = np.zeros((4, len(training.positions)))
    for (x, y, weights, scored, start, _, lengths), valid in training.data.evaluation(test):

        def total(each: torch.Tensor, valid: int = valid) -> np.ndarray:
            return each.unflatten(1, (-1, batch))[..., :valid].double().sum((1, 2)).numpy(force=True)

        outputs = network.forward(x, start, lengths=lengths)
        each, _ = network.loss(outputs, y)
        weights = torch.ones_like(each) if weights is None else weights
        sums = score.sums(Answers(outputs, y, each, weights if scored is None else scored, batch), task)
        loss += total(each * weights)
        count += total(weights)
        gained += total(sums[0])
        possible += total(sums[1])
    scores = score.value(gained / possible, lambda: training.data.variance(test))
    return list(zip((loss / count).tolist(), scores.tolist(), strict=True))
