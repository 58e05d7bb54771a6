"""One sequence through a trained network: states and answers are those of the definition, step by step in float64."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
import torch

from helpers import make_cell
from sweeps import tasks
from sweeps.config.schema import Settings
from sweeps.engine import reference
from sweeps.engine.architectures import architecture
from sweeps.engine.one_sequence import OneSequence, one_sequence, probabilities
from sweeps.engine.parameters import recorded
from sweeps.engine.randomness import generator
from sweeps.engine.setup import set_up


def drawn(settings: Settings) -> tuple[dict[str, np.ndarray], dict[str, torch.Tensor]]:
    """Weights that are no longer the initial ones: by the names of the records, and in float64 by those of the code."""
    network = set_up([settings], "torch").network
    network.p.flat.add_(torch.randn(network.p.flat.shape, generator=torch.Generator().manual_seed(3)) * 0.1)
    files: dict[str, np.ndarray] = {}
    for name, parameter in network.parameters(network.options).items():
        files |= {label: part.numpy().copy() for label, part in recorded(name, parameter, network.p[name][0]).items()}
    return files, {name: each.double().clone() for name, each in network.p.items()}


def by_definition(settings: Settings, p: Mapping[str, torch.Tensor]) -> OneSequence:
    """The same from the parts of the evaluation set's first sequence: without padding, without batches."""
    task = tasks.task_of(settings.task)
    batch = task.evaluation(generator(settings.seed, "evaluation"), settings.train.eval_size)
    n = len(batch.inputs) if batch.lengths is None else int(batch.lengths[0])
    arch, hidden = architecture(settings.arch.name), settings.arch.hidden
    own = list(arch.parameters_with(1, hidden, settings.arch.options))
    x = torch.from_numpy(batch.inputs[:n, 0]).double()[None, :, None]
    states: dict[tuple[int, int], np.ndarray] = {}
    ends: list[torch.Tensor] = []
    for layer in range(settings.stack.layers):
        found, ends = [], []
        for direction in range(settings.stack.directions):
            end = (f"_l{layer}" if layer else "") + ("_reverse" if direction else "")
            read = x.flip(1) if direction else x
            h = torch.stack(reference.states(arch, {name: p[name + end] for name in own}, read, hidden), 1)
            ends.append(h[0, -1, 0])
            found.append(h.flip(1) if direction else h)
            states[layer, direction] = found[-1][0, :, 0].numpy()
        x = torch.cat(found, -1)
    every = tasks.answers(task) == "every"
    y = x[0, :, 0] if every else torch.cat(ends)
    outputs = (y @ p["weight_out"][0] + p["bias_out"][0]).numpy()
    target = batch.targets[:n, 0] if every else batch.targets[0]
    if task.loss == "cross_entropy":
        outputs, target = np.exp(outputs) / np.exp(outputs).sum(-1, keepdims=True), np.eye(task.outputs)[target]
    asked = np.ones(n, bool) if every else None
    return OneSequence(batch.inputs[:n, 0], states, None, outputs, target, asked, task.loss == "cross_entropy", None)


@pytest.mark.parametrize("arch", ["rnn_tanh", "lstm", "gru"])
@pytest.mark.parametrize(
    "job",
    [
        ("task=adding", "task.length=9"),
        ("task=copy", "task.length=4", "stack.layers=2"),
        ("task=binary_sum_variable", "task.length=9", "stack.layers=2", "stack.bidirectional=true", "seed=2"),
    ],
    ids=["last", "every", "padded, both directions"],
)
def test_it_is_the_definition_of_the_first_evaluation_sequence(arch: str, job: tuple[str, ...]) -> None:
    settings = make_cell(f"arch={arch}", *job)
    files, p = drawn(settings)
    found, expected = one_sequence(settings, files), by_definition(settings, p)
    assert found.states.keys() == expected.states.keys()
    assert np.array_equal(found.inputs, expected.inputs) and np.array_equal(found.target, expected.target)
    for place, states in expected.states.items():
        assert np.abs(found.states[place] - states).max() < 1e-5, place
        assert np.abs(states).max() > 0.05
    assert found.outputs == pytest.approx(expected.outputs, abs=1e-5)
    assert (found.asked is None) == (expected.asked is None) and found.classes == expected.classes


def test_a_padded_sequence_ends_where_its_own_end_is() -> None:
    lengths = set()
    for seed in range(4):
        settings = make_cell("task=binary_sum_variable", "task.length=9", f"seed={seed}")
        lengths.add(len(one_sequence(settings, drawn(settings)[0]).inputs))
    assert len(lengths) > 1 and max(lengths) <= 9


def test_the_vector_of_a_task_that_has_one_is_there() -> None:
    settings = make_cell("task=unpack", "task.length=5")
    found = one_sequence(settings, drawn(settings)[0])
    assert found.vector is not None and set(found.vector) <= {-1.0, 1.0}
    assert np.array_equal(found.target.argmax(-1), (found.vector > 0).astype(int)), "its bits are what is asked for"


def test_probabilities_are_a_softmax_of_any_size() -> None:
    outputs = np.array([[1.0, 2.0, 3.0], [1000.0, 0.0, 0.0]])
    expected = np.exp(outputs[0]) / np.exp(outputs[0]).sum()
    assert probabilities(outputs)[0] == pytest.approx(expected)
    assert probabilities(outputs)[1] == pytest.approx([1.0, 0.0, 0.0])


def test_weights_of_another_network_are_refused() -> None:
    files, _ = drawn(make_cell())
    with pytest.raises(ValueError, match="must be"):
        one_sequence(make_cell("arch.hidden=9"), files)
