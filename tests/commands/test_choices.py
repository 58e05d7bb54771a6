"""`choices`: what it prints of everything, a group, a choice and a setting; what it says of a name that is none."""

from __future__ import annotations

import json

import pytest

from sweeps.commands.arguments import Help
from sweeps.commands.choices import choices
from sweeps.errors import CommandError

Printed = pytest.CaptureFixture[str]


def test_a_choice_tells_its_equation_its_source_and_its_settings(capsys: Printed) -> None:
    assert choices(["arch=lstm"]) == 0
    text = capsys.readouterr().out
    assert "c_t = f c_{t-1} + i g" in text and "h_t = o tanh(c_t)" in text
    assert "Source: Hochreiter & Schmidhuber 1997, Gers et al. 2000" in text
    assert "arch.forget_bias  1        a finite number" in text and "units H" in text
    assert max(map(len, text.splitlines())) <= 80


def test_words_ask_for_groups_sections_and_settings(capsys: Printed) -> None:
    assert choices(["arch", "train", "optim.lr", "seed"]) == 0
    text = capsys.readouterr().out
    arch, train, rate, seed = text.split("\n\nsetting", 1)[0], *text.split("\nsetting ")[-3:]
    assert "arch=gru" in arch and "arch=lstm" in arch
    assert "train.log_every" in train and "optim.lr" not in train
    assert [line.split()[-1] for line in rate.splitlines() if line.startswith("optim.lr")] == [
        "adam",
        "adamw",
        "rmsprop",
        "sgd",
        "sgdw",
    ]
    assert seed.splitlines()[1].split()[:2] == ["seed", "0"]


def test_json_holds_the_same(capsys: Printed) -> None:
    choices(["--json"])
    every = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    lstm = next(each for each in every if each.get("group") == "arch" and each["name"] == "lstm")
    assert [setting["name"] for setting in lstm["settings"]] == ["arch.hidden", "arch.forget_bias"]
    assert {"train.steps", "seed"} <= {each["name"] for each in every}
    choices(["arch=lstm", "--json"])
    [one] = json.loads(capsys.readouterr().out)
    assert "h_t = o tanh(c_t)" in one.pop("definition")
    assert one == lstm


@pytest.mark.parametrize(
    ("word", "near"),
    [
        ("arch=lstn", "did you mean 'lstm'"),
        ("lstm", "did you mean 'arch=lstm'"),
        ("arhc", "did you mean 'arch'"),
        ("train.step", "did you mean 'train.steps'"),
        ("arch.forget", "did you mean 'arch.forget_bias'"),
        ("train=5", "'train=5' is no choice"),
        ("zzz", "groups and sections: arch, init"),
    ],
)
def test_an_unknown_name_gives_the_nearest(word: str, near: str) -> None:
    with pytest.raises(CommandError, match=near):
        choices(["arch", word])


def test_all_wrong_names_are_said_and_help_lists_the_arguments(capsys: Printed) -> None:
    with pytest.raises(CommandError) as caught:
        choices(["arhc", "intit"])
    assert len(caught.value.problems) == 2
    assert capsys.readouterr().out == ""
    with pytest.raises(Help, match="GROUP=NAME"):
        choices(["--help"])
