"""Text of a trained model: that of the same network in torch.nn, drawn with its probabilities; one clear error."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import chisquare
from torch import Tensor

import sweeps
from helpers import make_cell
from sweeps.commands.sample import sample
from sweeps.config.identity import cell_id
from sweeps.config.schema import Settings
from sweeps.engine.sampling import symbols
from sweeps.errors import CommandError, ConfigError, SweepsError
from sweeps.execute.worker import train_pack
from sweeps.plan.cells import Cell
from sweeps.plan.packs import Pack
from sweeps.records.arrays import read_arrays, write_arrays
from sweeps.records.paths import SweepPaths
from sweeps.written import written

SYMBOLS = "\n abcd"
GATES = ("i", "f", "g", "o")
"""As torch.nn.LSTM has them, one below the other."""


@pytest.fixture
def text(tmp_path: Path) -> Path:
    rng = np.random.default_rng(4)
    path = tmp_path / "text.txt"
    path.write_text("".join(rng.choice(list(SYMBOLS), 3000, p=[0.05, 0.15, 0.4, 0.2, 0.1, 0.1])))
    return path


def trained(text: Path, *overrides: str) -> tuple[SweepPaths, Settings]:
    """A cell that was trained on the text for some updates, and whose weights were kept."""
    sweep = SweepPaths(text.parent / "runs" / "scratch")
    settings = make_cell(
        "task=char_lm", f"task.path={text}", "task.length=8", "task.evaluated=100", "arch=lstm", "arch.hidden=7",
        "stack.layers=2", "train.save=final", "train.steps=20", "optim.lr=0.03", *overrides,
    )  # fmt: skip
    train_pack(Pack((Cell(cell_id(settings), settings),)), sweep.root, lambda kind, content: None)
    return sweep, settings


class InTorch:
    """The network in torch.nn, in float64; it reads one symbol after another."""

    def __init__(self, weights: dict[str, np.ndarray], inputs: int) -> None:
        hidden = len(weights["weight_hh.i"])
        self.lstm = torch.nn.LSTM(inputs, hidden, num_layers=2).double()
        for layer, end in enumerate(("", "_l1")):
            ours = [
                dict(zip("ifog", np.split(weights[name + end], 4, -1), strict=True)) for name in ("weight_ih", "bias")
            ]
            recurrent = {gate: weights[f"weight_hh{end}.{gate}"] for gate in GATES}
            for name, own in (("weight_ih", ours[0]), ("bias_ih", ours[1]), ("weight_hh", recurrent)):
                below = np.concatenate([own[gate].T for gate in GATES])
                getattr(self.lstm, f"{name}_l{layer}").data.copy_(torch.from_numpy(below))
            getattr(self.lstm, f"bias_hh_l{layer}").data.zero_()
        self.weight, self.bias = (torch.from_numpy(weights[n]).double() for n in ("weight_out", "bias_out"))
        self.state: tuple[Tensor, Tensor] | None = None

    def read(self, symbol: int) -> Tensor:
        x = torch.zeros(1, 1, self.lstm.input_size, dtype=torch.float64)
        x[0, 0, symbol] = 1.0
        y, self.state = self.lstm(x, self.state)
        return (y[0, 0] @ self.weight + self.bias).detach()

    def greedy(self, first: list[int]) -> Iterator[int]:
        for symbol in first:
            outputs = self.read(symbol)
        while True:
            yield (symbol := int(outputs.argmax()))
            outputs = self.read(symbol)


@pytest.mark.parametrize("kernel", ["native", "torch"])
def test_without_temperature_it_is_the_argmax_of_the_same_network_in_torch(text: Path, kernel: str) -> None:
    """With weights of deviation 1 the state decides: one symbol is followed now by this, now by that."""
    sweep, settings = trained(text, f"executor.kernel={kernel}")
    rng = np.random.default_rng(11)
    kept = sweeps.weights(sweep.root, cell_id(settings))
    kept = {name: rng.standard_normal(kept[name].shape).astype(np.float32) for name in sorted(kept)}
    for first in ([2], [0, 5, 3, 1], [1, 4]):
        want = list(islice(InTorch(kept, len(SYMBOLS) + 1).greedy(first), 50))
        assert len(set(pairwise(want))) > len(set(want)) > 2
        for length in (2, 50):
            assert list(islice(symbols(settings, kept, first, 0.0, 0), length)) == want[:length]


@pytest.mark.parametrize("temperature", [1.0, 0.5, 2.0])
def test_symbols_have_the_frequencies_of_the_model(text: Path, temperature: float) -> None:
    """Each draw is counted beside what the same network in torch.nn expects after the symbols that were drawn."""
    sweep, settings = trained(text)
    kept = sweeps.weights(sweep.root, cell_id(settings))
    oracle, expected, counts = InTorch(kept, len(SYMBOLS) + 1), np.zeros(7), np.zeros(7)
    outputs = oracle.read(2)
    for symbol in islice(symbols(settings, kept, [2], temperature, 11), 2000):
        expected += torch.softmax(outputs / temperature, -1).numpy()
        counts[symbol] += 1
        outputs = oracle.read(symbol)
    likely = expected > 5
    assert likely.sum() >= 5
    counts, expected = (
        np.append(each[likely][1:], each[likely][0] + each[~likely].sum()) for each in (counts, expected)
    )
    assert chisquare(counts, expected).pvalue > 1e-3


@pytest.mark.parametrize("start", ["learned", "random"])
def test_the_start_state_is_that_of_the_network(text: Path, start: str) -> None:
    """The first symbol's probabilities are those after one step from it; the seed decides a random one."""
    sweep, settings = trained(text, f"stack.start={start}", "arch=gru", "task.read=windows", "optim.lr=0.3")
    kept = sweeps.weights(sweep.root, cell_id(settings))
    drawn = [list(islice(symbols(settings, kept, [1], 1.0, seed), 30)) for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]
    if start == "learned":
        moved = {name: value + 3.0 * name.startswith("start") for name, value in kept.items()}
        assert any(name.startswith("start") for name in kept)
        assert list(islice(symbols(settings, moved, [1], 1.0, 0), 30)) != drawn[0]


def test_a_random_start_has_the_deviation_that_is_set(text: Path) -> None:
    """As far as the likeliest symbols tell: from nearly 0 every seed has those of the start at 0, from far away not."""
    sweep, settings = trained(text, "stack.start=random", "stack.start_scale=3", "task.read=windows")
    kept = sweeps.weights(sweep.root, cell_id(settings))

    def drawn(**changed: object) -> set[tuple[int, ...]]:
        one = replace(settings, stack=replace(settings.stack, **changed))  # type: ignore[arg-type]
        return {tuple(islice(symbols(one, kept, [1], 0.0, seed), 6)) for seed in range(20)}

    assert drawn(start_scale=1e-6) == drawn(start="zero")
    assert len(drawn()) > 1


def test_the_command_writes_the_prompt_and_as_many_characters(
    text: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _, settings = trained(text)
    monkeypatch.chdir(text.parent)
    outputs = []
    for more in ([], ["seed=1"], ["temperature=0"], ["prompt=dad "]):
        assert sample([f"cell={cell_id(settings)[:6]}", "length=40", *more]) == 0
        printed = capsys.readouterr()
        outputs.append(printed.out)
        assert printed.err == ""
    assert [len(each) for each in outputs] == [41, 41, 41, 45] and len(set(outputs)) == 4
    assert outputs[3].startswith("dad ") and all(each.endswith("\n") for each in outputs)


def test_what_cannot_be_is_told(text: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, settings = trained(text)
    _, both = trained(text, "stack.bidirectional=true", "task.read=windows")
    adding = make_cell("train.save=final", "task=adding", "task.length=9", "arch.hidden=5")
    train_pack(Pack((Cell(cell_id(adding), adding),)), text.parent / "runs" / "scratch", lambda kind, content: None)
    monkeypatch.chdir(text.parent)
    cell = f"cell={cell_id(settings)}"
    for arguments, said in (
        ([], "cell: not given"),
        ([cell, "length=0"], "length: given '0', must be an integer of at least 1"),
        ([cell, "temperature=-1"], "temperature: given '-1', must be a number of at least 0"),
        ([cell, "temperature=inf", "seed=x"], "seed: given 'x', must be an integer of at least 0"),
        ([cell, "promt=a"], "did you mean 'prompt=...'?"),
    ):
        with pytest.raises(CommandError, match=said.replace("?", r"\?").replace(".", r"\.")):
            sample(arguments)
    for arguments, said in (
        ([cell, "prompt=abAç?"], "'?', 'A' .nearest: 'a'., 'ç' .nearest: 'c'.; learned are '.n abcd'$"),
        ([f"cell={cell_id(adding)}"], "task=adding has no text to go on with"),
        ([f"cell={cell_id(both)}"], "a bidirectional network reads the characters that it would have to write"),
    ):
        with pytest.raises(SweepsError, match=said):
            sample(arguments)


def test_a_network_that_cannot_write_is_told_before_the_prompt(
    text: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No weights; those of a network with more inputs, as when the text has changed; not finite ones, diverged."""
    sweep, settings = trained(text)
    path = sweep.cell(cell_id(settings)).weights
    kept = read_arrays(path)
    monkeypatch.chdir(text.parent)
    for content, said in (
        (None, "has no weights.npz; train it with train.save=final"),
        (kept | {"weight_ih": np.zeros((9, 28), np.float32)}, r"weight_ih is \[9, 28\], must be \[7, 28\]"),
        (kept | {"weight_out": kept["weight_out"] * np.nan}, "outputs of its network are not finite"),
    ):
        path.unlink(missing_ok=True)
        if content is not None:
            write_arrays(path, content)
        with pytest.raises(SweepsError, match=said):
            sample([f"cell={cell_id(settings)}", "prompt=abc"])
        assert capsys.readouterr().out == ""


def test_a_network_that_reads_a_source_first_is_refused(text: Path) -> None:
    _, settings = trained(text)
    for stack in (replace(settings.stack, kind="encoder_decoder"), replace(settings.stack, attention="dot")):
        with pytest.raises(ConfigError, match="for task=char_lm, whose sequences have no source"):
            written(replace(settings, stack=stack), {}, "a", 1, 1.0, 0)


def test_a_reader_that_has_enough_ends_it_quietly(text: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `| head -c 20` does: status 1, as after a table, and no message."""
    _, settings = trained(text)
    monkeypatch.chdir(text.parent)
    reader, writer = os.pipe()
    os.close(reader)
    with monkeypatch.context() as patched, os.fdopen(writer, "w") as pipe:
        patched.setattr(sys, "stdout", pipe)
        with pytest.raises(SystemExit) as ended:
            sample([f"cell={cell_id(settings)}"])
    assert ended.value.code == 1
