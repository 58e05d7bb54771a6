"""What values may be: each rule at its edges, and the rules across fields."""

from __future__ import annotations

import pytest

from helpers import compose
from sweeps.config.compose import settings_of
from sweeps.config.rules import RULES


def problems_of(*overrides: str) -> list[str]:
    *_, problems = settings_of([list(overrides)], compose)
    return problems


WRONG = {
    "arch.hidden": ["0", "-1"],
    "arch.forget_bias": ["inf", "-inf"],
    "init.gain": ["-0.1", "inf"],
    "init.std": ["-1", "inf"],
    "clip.threshold": ["0", "-1", "-inf"],
    "clip.percentile": ["-1", "101"],
    "clip.window": ["0"],
    "task.length": ["0", "-5"],
    "task.solved_at": ["inf", "-inf"],
    "optim.lr": ["-1e-3", "inf"],
    "optim.momentum": ["1", "-0.1", "inf"],
    "optim.alpha": ["1.0", "-1"],
    "optim.beta1": ["1", "-0.5"],
    "optim.beta2": ["1", "2"],
    "optim.eps": ["0", "-1", "inf"],
    "train.steps": ["0"],
    "train.batch": ["0"],
    "train.log_every": ["0", "-1"],
    "train.eval_every": ["0"],
    "train.eval_size": ["1"],
    "train.truncate": ["-1"],
    "train.checkpoint": ["-1", "inf"],
    "stack.layers": ["0", "-1"],
    "arch.update_bias": ["inf", "-inf"],
    "arch.leak": ["0", "1.1", "-0.1"],
    "arch.epsilon": ["-0.1", "inf"],
    "arch.gamma": ["-1", "inf"],
    "arch.dt": ["0", "-1", "inf"],
    "arch.beta": ["inf", "-inf"],
    "init.input_scale": ["-1", "inf"],
    "init.readout_scale": ["-1", "inf"],
    "init.low": ["inf", "-inf"],
    "init.high": ["inf", "-inf"],
    "init.incoming": ["0"],
    "init.angle_low": ["-1.1", "1.1"],
    "init.angle_high": ["-1.1", "1.1"],
    "init.drive": ["-1", "inf"],
    "init.t_max": ["1", "-1"],
    "stack.start_scale": ["-1", "inf"],
    "stack.dropout": ["1", "-0.1"],
    "optim.weight_decay": ["-1", "inf"],
    "schedule.warmup": ["-1"],
    "schedule.final": ["-0.1", "1.1"],
    "schedule.every": ["0"],
    "schedule.factor": ["0", "1.1", "-1"],
    "schedule.patience": ["-1"],
    "schedule.threshold": ["-0.1", "1"],
    "schedule.width": ["0"],
    "penalty.strength": ["-1", "inf"],
    "train.patience": ["-1"],
    "train.accumulate": ["0", "-1"],
    "stack.input_dropout": ["1", "-0.1"],
    "stack.output_dropout": ["1", "-0.1"],
    "stack.embedding": ["-1"],
    "plan.max_cells": ["0", "-1"],
    "executor.workers": ["-1"],
    "executor.lanes": ["-1"],
    "executor.patience": ["0", "-1", "-inf"],
    "seed": ["-1"],
}
RIGHT = {
    "arch.hidden": ["1"],
    "arch.forget_bias": ["0", "-3"],
    "init.gain": ["0", "1.5"],
    "init.std": ["0"],
    "clip.threshold": ["1e-9", "inf"],
    "clip.percentile": ["0", "100"],
    "clip.window": ["1"],
    "task.length": ["1"],
    "task.solved_at": ["0", "-1", "1"],
    "optim.lr": ["0", "10"],
    "optim.momentum": ["0", "0.99"],
    "optim.alpha": ["0"],
    "optim.beta1": ["0"],
    "optim.beta2": ["0.9999"],
    "optim.eps": ["1e-12"],
    "train.steps": ["1"],
    "train.batch": ["1"],
    "train.log_every": ["1"],
    "train.eval_every": ["10"],
    "train.eval_size": ["2"],
    "train.truncate": ["0", "1", "1000"],
    "train.checkpoint": ["0", "1e-9", "60"],
    "stack.layers": ["1", "3"],
    "arch.update_bias": ["0", "-3"],
    "arch.leak": ["1e-9", "1"],
    "arch.epsilon": ["0", "15"],
    "arch.gamma": ["0", "66"],
    "arch.dt": ["0.06"],
    "arch.beta": ["0", "-1"],
    "init.input_scale": ["0", "10"],
    "init.readout_scale": ["0", "10"],
    "init.low": ["-2", "1"],
    "init.high": ["0", "2"],
    "init.incoming": ["1"],
    "init.angle_low": ["-1", "1"],
    "init.angle_high": ["-1", "1"],
    "init.drive": ["0", "2"],
    "init.t_max": ["0", "2", "500"],
    "stack.start_scale": ["0", "2"],
    "stack.dropout": ["0", "0.9"],
    "optim.weight_decay": ["0", "0.1"],
    "schedule.warmup": ["0", "5"],
    "schedule.final": ["0", "1"],
    "schedule.every": ["1"],
    "schedule.factor": ["1e-9", "1"],
    "schedule.patience": ["0", "3"],
    "schedule.threshold": ["0", "0.9"],
    "schedule.width": ["1"],
    "penalty.strength": ["0", "10"],
    "train.patience": ["0", "1"],
    "train.accumulate": ["1", "8"],
    "stack.input_dropout": ["0", "0.9"],
    "stack.output_dropout": ["0", "0.9"],
    "stack.embedding": ["0", "7"],
    "plan.max_cells": ["1"],
    "executor.workers": ["0"],
    "executor.lanes": ["0", "3"],
    "executor.patience": ["0.5", "60", "inf"],
    "seed": ["0", "123456789012"],
}
WITH = {
    "arch.forget_bias": ["arch=lstm"],
    "init.std": ["init=random"],
    "arch.update_bias": ["arch=gru"],
    "arch.leak": ["arch=rnn_leaky"],
    "arch.epsilon": ["arch=cornn"],
    "arch.gamma": ["arch=cornn"],
    "arch.dt": ["arch=cornn"],
    "arch.beta": ["arch=janet"],
    "init.low": ["init=diagonal"],
    "init.high": ["init=diagonal"],
    "init.incoming": ["init=sparse"],
    "init.angle_low": ["init=rotations"],
    "init.angle_high": ["init=rotations"],
    "init.drive": ["init=critical"],
    "init.t_max": ["init=chrono"],
    "stack.start_scale": ["stack.start=random"],
    "clip.threshold": ["clip=norm"],
    "clip.percentile": ["clip=adaptive"],
    "clip.window": ["clip=adaptive"],
    "optim.momentum": ["optim=sgd"],
    "optim.alpha": ["optim=rmsprop"],
    "optim.weight_decay": ["optim=adamw"],
    "schedule.final": ["schedule=cosine"],
    "schedule.every": ["schedule=step"],
    "schedule.factor": ["schedule=plateau"],
    "schedule.patience": ["schedule=plateau"],
    "schedule.threshold": ["schedule=plateau"],
    "schedule.width": ["schedule=noam", "schedule.warmup=2"],
    "penalty.strength": ["penalty=l2"],
}


def test_every_rule_is_tried_at_both_sides() -> None:
    assert set(WRONG) == set(RIGHT) == set(RULES)


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in WRONG.items() for value in values])
def test_a_value_out_of_range_is_told_with_what_is_allowed(key: str, value: str) -> None:
    listed = [text for text in problems_of(*WITH.get(key, []), f"{key}={value}") if text.startswith(f"{key}: given ")]
    assert len(listed) == 1
    assert listed[0].endswith(f"must be {RULES[key][1]}")


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in RIGHT.items() for value in values])
def test_a_value_at_the_edge_passes(key: str, value: str) -> None:
    assert problems_of(*WITH.get(key, []), f"{key}={value}") == []


@pytest.mark.parametrize(
    ("log_every", "eval_every", "right"), [(10, 100, True), (10, 10, True), (10, 15, False), (100, 10, False)]
)
def test_evaluations_fall_on_logged_rows(log_every: int, eval_every: int, right: bool) -> None:
    listed = problems_of(f"train.log_every={log_every}", f"train.eval_every={eval_every}")
    assert listed == (
        []
        if right
        else [
            f"train.eval_every: given {eval_every}, must be a multiple of train.log_every={log_every}"
            " (an evaluation is part of a logged row)"
        ]
    )


def test_executor_kernel() -> None:
    assert problems_of("executor.kernel=nativ") == [
        "executor.kernel: 'nativ' is not known; did you mean 'native'? (allowed: auto, native, reference, torch)"
    ]


def test_executor_device() -> None:
    assert problems_of("executor.device=cude") == [
        "executor.device: 'cude' is not known; did you mean 'cuda'? (allowed: cpu, cuda)"
    ]
    assert problems_of("executor.device=cuda", "executor.kernel=native") == [
        "executor.kernel: given 'native', must be auto or torch with executor.device=cuda"
    ]


def test_what_is_saved() -> None:
    assert problems_of("train.save=final") == problems_of("train.save=none") == []
    assert problems_of("train.save=finl") == [
        "train.save: 'finl' is not known; did you mean 'final'? (allowed: final, none)"
    ]


def test_tracker_mode() -> None:
    assert problems_of("tracker.mode=disabled") == []
    assert problems_of("tracker.mode=onlin") == [
        "tracker.mode: 'onlin' is not known; did you mean 'online'? (allowed: auto, disabled, offline, online)"
    ]


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".hidden", "-x", "a b"])
def test_an_experiment_is_a_plain_folder_name(name: str) -> None:
    from dataclasses import replace

    from helpers import make_cell
    from sweeps.config.rules import check

    [listed] = check(replace(make_cell(), experiment=name))
    assert listed == f"experiment: given {name!r}, must be a folder name of letters, digits, '.', '_', '-'"
    assert check(replace(make_cell(), experiment="first_look-2.b")) == []


def test_several_problems_at_once() -> None:
    listed = problems_of("seed=-1", "optim.lr=-1", "train.steps=0", "arch.hidden=0")
    assert [text.partition(":")[0] for text in listed] == ["arch.hidden", "optim.lr", "train.steps", "seed"]


@pytest.mark.parametrize(
    "network", ["stack.kind=encoder_decoder", "stack.attention=dot", "stack.kind=encoder_decoder stack.attention=dot"]
)
def test_a_cut_that_something_would_go_past_is_refused(network: str) -> None:
    [problem] = problems_of("task=dates", "train.truncate=5", *network.split())
    assert problem.startswith(f"train.truncate: given 5, must be 0 with {network.split()[0]} ")
    assert problems_of("task=dates", "train.truncate=0", *network.split()) == []
    assert problems_of("task=dates", "train.truncate=5") == []
