"""Misspellings on a command line are found before anything is composed, all at once, with what was meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from sweeps.config import places
from sweeps.config.command_line import as_axes, problems
from sweeps.config.keys import known_keys
from sweeps.config.names import check_names, parse_override, values
from sweeps.errors import ConfigError, nearest, unknown

BIASED = [name for name in places.choices("arch") if "forget_bias" in places.defaults("arch", name)]
HAVE_IT = f"arch={','.join(BIASED)} have it"
"""The architectures whose gate has a bias of its own."""


def test_the_three_misspellings_of_the_issue_are_told_together() -> None:
    listed = problems(["arch=rnn_tan", "init=ortho", "task.lenght=50"])
    assert len(listed) == 3
    for given, meant in (("rnn_tan", "rnn_tanh"), ("ortho", "orthogonal"), ("task.lenght", "task.length")):
        assert [text for text in listed if f"{given!r} is not known; did you mean {meant!r}?" in text], listed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "arch=rnn_tahn",
            "arch: 'rnn_tahn' is not known; did you mean 'rnn_tanh'? (allowed: attention, cornn, gru,",
        ),
        ("arch=", f"arch: '' is not known (allowed: {', '.join(places.choices('arch'))})"),
        ("arch=null", f"arch: 'null' is not known (allowed: {', '.join(places.choices('arch'))})"),
        ("clip=nrom", "did you mean 'norm'?"),
        ("tracker=wnb", "did you mean 'wandb'?"),
        ("experiment=first_lok", "did you mean 'first_look'?"),
        ("sed=1", "setting: 'sed' is not known; did you mean 'seed'?"),
        ("foo=1", "plan.*, probe, runs_dir, schedule, seed, stack.*, task, tracker, train.*)"),
        (
            "optim.learning_rate=1",
            "allowed: optim.alpha, optim.beta1, optim.beta2, optim.eps, optim.lr, optim.momentum",
        ),
        ("lenght=5", "setting: 'lenght' is not known; did you mean 'task.length'?"),
        ("arch.name=lstm", "setting: 'arch.name' is not known; did you mean 'arch'?"),
        ("arch.options=1", "setting: 'arch.options' is not known"),
        ("train=1", "setting: 'train' is not known"),
        ("task.length.x=1", "setting: 'task.length.x' is not known; did you mean 'task.length'?"),
        ("+task.depth=1", "setting: 'task.depth' is not known"),
        (
            "+task.length=1",
            "'+task.length=1' adds or removes a setting; every cell has the same, write task.length=value",
        ),
        ("~clip", "'~clip' adds or removes a setting"),
        ("lstm", "'lstm' is not a setting; write key=value, for example task.length=100"),
        ("task.length=[", "'task.length=[' is not a setting"),
        ("task.path=~/x.txt", """quotes: 'task.path="~/x.txt"'"""),
        ("task.path=/a (1)/b", """quotes: 'task.path="/a (1)/b"'"""),
        ('task.path="/a', "'task.path=\"/a' is not a setting"),
        ("=3", "setting: '' is not known"),
        ("seed=interval(0,1)", "'seed=interval(0,1)' has no list of values; write key=a,b,c or key=range(5)"),
        ("seed=range(0)", "'seed=range(0)' has no list of values"),
        ("arch=glob(x*)", "'arch=glob(x*)' has no list of values"),
    ],
)
def test_one_wrong_name_is_one_sentence(text: str, expected: str) -> None:
    good, listed = check_names(["seed=1", text])
    assert good == ["seed=1"], "a right setting beside it is right"
    assert len(listed) == 1
    assert expected in listed[0]


def test_each_wrong_name_in_a_sweep_is_told() -> None:
    _, listed = check_names(["arch=lstm,rnn_tnah,gur", "init=identiy"])
    assert [text.split("'")[1] for text in listed] == ["rnn_tnah", "gur", "identiy"]


@pytest.mark.parametrize(
    "text",
    [
        "arch=lstm",
        "arch=lstm,gru",
        "arch=glob(rnn_*)",
        "arch.forget_bias=2",
        "init.std=0.1",
        "train.steps=5",
        "++seed=1",
        "runs_dir='a b'",
        "tracker.entity=",
        "seed=range(3)",
        "hydra/launcher=basic",
        "hydra.verbose=true",
        "experiment=first_look",
    ],
)
def test_right_names_pass(text: str) -> None:
    assert check_names([text]) == ([text], [])


def test_wrong_values_are_told_beside_wrong_names() -> None:
    listed = problems(["arch=rnn_tan", "seed=-1", "optim.lr=fast", "task.length=3,0"])
    assert len(listed) == 4
    assert any(text.startswith("seed: given -1") for text in listed)
    assert any(text.startswith("optim.lr: given 'fast', must be a number") for text in listed)
    assert any(text.startswith("task.length: given 0") and text.endswith("[in 1 of 2 cells]") for text in listed)


def test_the_axes_of_an_experiment_are_checked_with_the_command_line() -> None:
    listed = problems(["experiment=first_look", "arch=rnn_tan", "task.length=0"])
    assert len(listed) == 2
    assert any(text.startswith("task.length: given 0") for text in listed)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["arch=lstm", "arch.forget_bias=2"], []),
        (
            ["arch.forget_bias=2"],
            [f"setting of arch=rnn_tanh: 'arch.forget_bias' is not known (allowed: arch.hidden); {HAVE_IT}"],
        ),
        (
            ["arch=rnn_relu,gru", "arch.forget_bias=2"],
            [
                f"setting of arch={arch}: 'arch.forget_bias' is not known{allowed}; {HAVE_IT} [in 1 of 2 cells]"
                for arch, allowed in (
                    ("rnn_relu", " (allowed: arch.hidden)"),
                    ("gru", "; did you mean 'arch.update_bias'? (allowed: arch.hidden, arch.update_bias)"),
                )
            ],
        ),
        (["arch=lstm,gru", "arch.forget_bias=2"], []),
        (
            ["arch=lstm,gru", "arch.forget_bias=x,2"],
            ["arch.forget_bias: given 'x', must be a number [in 1 of 3 cells]"],
        ),
        (["init=random,he", "init.std=0.1,0.2", "hydra/launcher=joblib", "hydra.launcher.n_jobs=1"], []),
        (["init=random,random", "init.std=1"], []),
    ],
)
def test_a_setting_of_some_choices_is_checked_with_the_choice(arguments: list[str], expected: list[str]) -> None:
    """Hydra would complain of the default choice instead."""
    assert problems(arguments) == expected


def test_what_hydra_itself_refuses_is_one_more_sentence() -> None:
    listed = problems(["arch=rnn_tan", "hydra.nothing=1"])
    assert len(listed) == 2
    assert "hydra.nothing" in listed[1]


def test_right_command_lines_cost_no_composition(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sweeps.config.command_line.settings_of", lambda *_: pytest.fail("composed"))
    assert problems(["arch=lstm,gru", "seed=range(100)", "task.length=50"]) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("seed=3", ["3"]),
        ("seed=1,2", ["1", "2"]),
        ("seed=range(2,8,3)", ["2", "5"]),
        ("arch=choice(lstm,gru)", ["lstm", "gru"]),
        (
            "arch=glob(rnn_*,exclude=*t*)",
            [name for name in places.choices("arch") if name[:4] == "rnn_" and "t" not in name],
        ),
        ("tracker.project='a,b',c", ["'a,b'", "c"]),
    ],
)
def test_values_of_an_override(text: str, expected: list[str]) -> None:
    assert values(parse_override(text)) == expected


def test_known_keys_hold_the_settings_of_the_contract() -> None:
    promised = {
        *(
            "arch.hidden",
            "init.gain",
            "clip.threshold",
            "task.length",
            "optim.lr",
            "train.steps",
            "train.batch",
        ),
        *(
            "train.log_every",
            "seed",
            "runs_dir",
            "experiment",
            "tracker",
            "executor",
            "arch.forget_bias",
            "init.std",
        ),
    }
    assert promised <= known_keys()


@pytest.mark.parametrize(
    ("name", "allowed", "expected"),
    [
        ("ortho", ["identity", "orthogonal"], "orthogonal"),
        ("rnn_tan", ["rnn_relu", "rnn_tanh"], "rnn_tanh"),
        ("x", ["orthogonal", "identity"], None),
        ("", ["orthogonal"], None),
        ("id", ["orthogonal", "identity"], "identity"),
    ],
)
def test_nearest_name(name: str, allowed: list[str], expected: str | None) -> None:
    assert nearest(name, allowed) == expected


def test_unknown_says_what_was_given_and_what_is_allowed() -> None:
    assert unknown("arch", "zzz", ["b", "a"]) == "arch: 'zzz' is not known (allowed: a, b)"


def test_an_error_tells_each_problem_once() -> None:
    error = ConfigError(["one", "two", "one"])
    assert error.problems == ["one", "two"]
    assert str(error).startswith("2 problems in the settings; nothing was trained or written.")
    assert str(error).count("one") == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hydra: [", "sweep.yaml is no YAML: while parsing"),
        ("- seed", "sweep.yaml must hold settings, key: value; it holds a list"),
        ("hydra: {sweeper: {params: 3}}", "In 'experiment/wrong': ValidationError"),
        (
            "hydra: {sweeper: {params: {arch.hidden.x: '1,2'}}}",
            "setting: 'arch.hidden.x' is not known; did you mean 'arch.hidden'?",
        ),
    ],
)
def test_what_is_wrong_with_an_experiment_file_is_one_more_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, expected: str
) -> None:
    (tmp_path / "wrong").mkdir()
    (tmp_path / "wrong" / "sweep.yaml").write_text(text)
    monkeypatch.setattr(places, "EXPERIMENTS", tmp_path)
    places.choices.cache_clear()
    try:
        listed = problems(["experiment=wrong", "sede=1"])
    finally:
        places.choices.cache_clear()
    assert len(listed) == 2
    assert expected in listed[1]


@pytest.mark.parametrize(
    ("arguments", "taken"),
    [
        (["arch=lstm,gru", "arch.forget_bias=2"], ["arch=lstm,gru", "arch.forget_bias=choice(2)"]),
        (["experiment=first_look", "init.std=0.2"], ["experiment=first_look", "init.std=choice(0.2)"]),
        (["arch=lstm", "arch.forget_bias=2"], ["arch=lstm", "arch.forget_bias=2"]),
        (
            ["arch=lstm,gru", "arch.forget_bias=1,2", "arch.hidden=8"],
            ["arch=lstm,gru", "arch.forget_bias=1,2", "arch.hidden=8"],
        ),
    ],
)
def test_one_value_of_a_setting_of_some_choices_is_an_axis_to_hydra(arguments: list[str], taken: list[str]) -> None:
    assert as_axes(arguments) == taken
