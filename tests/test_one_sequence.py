"""`show page=` draws one sequence where the weights were kept, and says in a sentence how to get one where not."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from helpers import make_cells
from sweeps.analysis.loading.one import OneRun, read_run
from sweeps.analysis.sequence import Shown
from sweeps.commands.runs import show
from sweeps.execute.worker import train_pack
from sweeps.one_sequence import one_sequence
from sweeps.plan.packs import Pack
from sweeps.records.paths import SweepPaths

KEPT = ("train.save=final", "task.length=9")


def trained(root: Path, *job: str) -> OneRun:
    [cell] = make_cells(job)
    train_pack(Pack((cell,)), root, lambda kind, content: None)
    return read_run(SweepPaths(root).cell(cell.id))


def shown(run: OneRun) -> Shown:
    found = one_sequence(run)
    assert isinstance(found, Shown), found
    return found


def names(found: Shown) -> list[str]:
    return [each.name for each in found.panels] + [each.name for each in found.bars]


def test_each_layer_and_direction_is_a_panel_between_inputs_and_answers(tmp_path: Path) -> None:
    one = shown(trained(tmp_path, *KEPT, "arch=lstm"))
    assert names(one) == ["inputs x_t", "states h_t", "outputs, at the end"]
    assert one.steps == 9 and one.panels[1].values.shape == (9, 8)
    two = shown(trained(tmp_path, *KEPT, "task=copy", "stack.layers=2", "stack.bidirectional=true"))
    assert names(two) == [
        "inputs x_t",
        "states h_t of layer 0 (the lowest), reading forwards",
        "states h_t of layer 0 (the lowest), reading backwards",
        "states h_t of layer 1, reading forwards",
        "states h_t of layer 1, reading backwards",
        "probabilities of the classes",
        "target",
    ]
    assert two.panels[-2].values.sum(1) == pytest.approx(np.ones(29)), "probabilities"
    vector = shown(trained(tmp_path, *KEPT, "task=unpack"))
    assert names(vector)[-1] == "vector that the start state is made from"
    padded = shown(trained(tmp_path, *KEPT, "task=binary_sum_variable"))
    assert padded.bars[0].classes and padded.bars[0].target is not None and padded.bars[0].target.sum() == 1


def test_attention_is_shown_as_the_softmax_of_the_states_that_are_shown(tmp_path: Path) -> None:
    """a_ts = softmax_s(h_t . e_s), Luong et al. (2015), from the states of the highest layer."""
    kind = ("task=dates", "stack.kind=encoder_decoder", "stack.attention=dot", "stack.layers=2", "train.save=final")
    found = shown(trained(tmp_path, *kind, "task.length=20"))
    [at] = [n for n, each in enumerate(found.panels) if each.row == "source"]
    states, weights = found.panels[at - 1], found.panels[at].values
    assert states.name == "states h_t of layer 1" and weights.shape == (30, 20) and np.isnan(weights[:20]).all()
    scores = np.exp(states.values[20:] @ states.values[:20].T)
    assert weights[20:] == pytest.approx(scores / scores.sum(1, keepdims=True), rel=1e-4)


def test_the_page_of_a_run_has_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = trained(tmp_path / "scratch", *KEPT)
    page = tmp_path / "run.html"
    assert show([f"runs_dir={tmp_path}", f"cell={run.id}", f"page={page}"]) == 0
    text = page.read_text()
    found = re.search(r'id="sequence-to-draw">(.*?)</script>', text, re.S)
    assert found is not None and [each["row"] for each in json.loads(found[1])["panels"]] == ["input", "unit"]
    again = tmp_path / "again.html"
    show([f"runs_dir={tmp_path}", f"cell={run.id}", f"page={again}"])
    assert again.read_text() == text
    capsys.readouterr()
    show([f"runs_dir={tmp_path}", f"cell={run.id}"])
    assert "sequence    page=FILE.html shows one" in capsys.readouterr().out


def test_without_weights_a_sentence_says_how_to_get_them_and_it_works(tmp_path: Path) -> None:
    run = trained(tmp_path / "scratch", "task.length=9")
    said = one_sequence(run)
    assert isinstance(said, str) and "train.save=final" in said
    page = tmp_path / "run.html"
    assert show([f"runs_dir={tmp_path}", f"cell={run.id}", f"page={page}"]) == 0
    assert said in page.read_text() and "sequence-to-draw" not in page.read_text()
    again = trained(tmp_path / "scratch", *KEPT)
    assert again.id == run.id and shown(again)


def test_of_a_run_that_diverged_the_step_before_is_named_and_it_works(tmp_path: Path) -> None:
    job = ("arch=rnn_relu", "init=identity", "optim=sgd", "task.length=9", "optim.lr=10")
    steps = ("train.steps=12", "train.log_every=1", "train.eval_every=1", "train.save=final")
    run = trained(tmp_path, *job, *steps)
    assert run.summary is not None and run.summary.outcome == "diverged" and run.summary.step > 1
    said = one_sequence(run)
    assert isinstance(said, str)
    found = re.search(r"train\.steps=(\d+) train\.save=final", said)
    assert found is not None
    before = shown(trained(tmp_path, *job, *steps[1:], f"train.steps={found[1]}"))
    assert all(np.isfinite(panel.values).all() for panel in before.panels)
    [*others, _] = job
    at_once = one_sequence(trained(tmp_path, *others, *steps, "optim.lr=1000"))
    assert isinstance(at_once, str) and "diverged at step 1," in at_once and "train.steps" not in at_once


@pytest.mark.parametrize("damage", ["cut", "other"])
def test_weights_that_cannot_be_used_are_said(damage: str, tmp_path: Path) -> None:
    run = trained(tmp_path, *KEPT)
    if damage == "cut":
        run.paths.weights.write_bytes(run.paths.weights.read_bytes()[:100])
    else:
        with run.paths.weights.open("wb") as file:
            np.savez(file, weight=np.zeros(3, np.float32))
    said = one_sequence(run)
    assert isinstance(said, str) and said.startswith("No sequence is shown: ") and said.count("train.save=final") == 1
    assert ("cannot be read" if damage == "cut" else "differ in") in said
