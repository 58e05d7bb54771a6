"""A stream: the network goes on in the state in which it ended the batch before, in every lane on its own."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch

from helpers import make_cell
from sweeps import tasks
from sweeps.engine.setup import Training, set_up
from sweeps.engine.update import Update
from sweeps.errors import SweepsError
from sweeps.tasks import Batch

LENGTH, BATCH = 6, 3


class Noise:
    """Inputs and targets at random; every fourth batch begins, the others go on."""

    inputs, outputs, loss, score, chance_loss, answers = 1, 1, "mse", "explained variance", 1.0, "every"

    def __init__(self, length: int, solved_at: float, variant: str) -> None:
        del variant
        self.length, self.solved_at = length, solved_at

    def sample(self, rng: np.random.Generator, batch: int) -> Batch:
        x, y = rng.standard_normal((2, self.length, batch, 1), np.float32)
        return Batch(x, y)

    def stream(self, rng: np.random.Generator, batch: int) -> Iterator[Batch]:
        for n in itertools.count():
            yield self.sample(rng, batch)._replace(goes_on=n % 4 > 0)

    def evaluation(self, rng: np.random.Generator, size: int) -> Batch:
        x, y = rng.standard_normal((2, self.length, size, 1), np.float32)
        return Batch(x, y)


@pytest.fixture
def noise(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Training]:
    monkeypatch.setattr(tasks.base, "_REGISTRY", {**tasks.base._REGISTRY, "adding": Noise})

    def make(arch: str, kernel: str, seeds: tuple[int, ...] = (0,), *more: str) -> Training:
        common = (f"arch={arch}", f"task.length={LENGTH}", f"train.batch={BATCH}", "arch.hidden=7", *more)
        return set_up([make_cell(*common, f"seed={seed}") for seed in seeds], kernel)

    return make


@pytest.mark.parametrize("arch", ["rnn_tanh", "rnn_relu", "lstm", "gru"])
def test_three_batches_of_a_stream_are_one_of_three_times_the_length(
    arch: str, any_kernel: str, noise: Callable[..., Training]
) -> None:
    """States and outputs, where no weight changes in between; the fourth batch begins anew."""
    training = noise(arch, any_kernel, (3,), "stack.layers=2")
    update, network, data = Update(training), training.network, training.data
    xs, outputs = [], []
    with torch.no_grad():
        for n in range(5):
            update.backward(traced=n == 1)
            xs.append(data.batch.x.clone())
            if n == 1:
                list(data.evaluation())  # in between nothing is lost
            outputs.append(network.readout.out.clone())
        whole = noise(arch, any_kernel, (3,), "stack.layers=2", f"task.length={4 * LENGTH}").network
        whole.p.flat.copy_(network.p.flat)
        want = whole.forward(torch.cat(xs[:4], 1))
        torch.testing.assert_close(torch.cat(outputs[:4], 1), want, rtol=1e-5, atol=1e-6)
        alone = network.forward(xs[4])
        torch.testing.assert_close(outputs[4], alone, rtol=1e-6, atol=1e-7)
        assert not torch.allclose(outputs[1], network.forward(xs[1]), atol=1e-4), "the state carried on must matter"


def test_a_lane_goes_on_from_its_own_state_in_every_pack(any_kernel: str, noise: Callable[..., Training]) -> None:
    def end(training: Training) -> torch.Tensor:
        update = Update(training)
        with torch.no_grad():
            for n in range(7):
                update.backward()
                update.clip()
                update.apply()
                if n == 4 and len(training.positions) > 1:
                    training.end([0], update.spare)
                    update = Update(training)
        assert training.data.end is not None
        return training.data.end

    together = end(noise("gru", any_kernel, (0, 1, 2)))
    for lane, seed in enumerate((1, 2)):
        assert torch.equal(end(noise("gru", any_kernel, (seed,)))[0], together[lane])


def test_batches_of_a_pack_go_on_or_begin_together(
    noise: Callable[..., Training], monkeypatch: pytest.MonkeyPatch
) -> None:
    seeds = itertools.count()

    def stream(self: Noise, rng: np.random.Generator, batch: int) -> Iterator[Batch]:
        yield self.sample(rng, batch)._replace(goes_on=next(seeds) % 2 == 0)

    monkeypatch.setattr(Noise, "stream", stream)
    training = noise("gru", "auto", (0, 1))
    with pytest.raises(SweepsError, match="one batch goes on and another begins"):
        Update(training).backward()


def test_a_task_rules_out_networks_that_mean_nothing_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from sweeps.check import task_problems

    monkeypatch.setattr(tasks.base, "_REGISTRY", {**tasks.base._REGISTRY, "adding": Noise})
    for override, sentence in {
        "stack.bidirectional=true": "stack.bidirectional: given true, must be false for task=adding, a stream",
        "stack.start=learned": "stack.start: given 'learned', must be zero or random for task=adding, a stream",
        "stack.readout=mean": "stack.readout: given 'mean', must be last for task=adding, which has an answer at every",
    }.items():
        [problem] = task_problems([make_cell(override), make_cell(override, "seed=1"), make_cell()])
        assert problem.startswith(sentence)
    assert task_problems([make_cell("stack.layers=2", "stack.start=random")]) == []
    assert task_problems([make_cell("task=binary_sum", "stack.readout=mean", "stack.bidirectional=true")]) == []
