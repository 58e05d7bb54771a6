"""A card for every choice that a study varies, a plain one for any other, and clear errors for a malformed file."""

from __future__ import annotations

from pathlib import Path

import pytest

from sweeps.config import cards as module
from sweeps.config.cards import PLAIN, card, cards
from sweeps.config.places import choices
from sweeps.errors import ConfigError


@pytest.mark.parametrize("group", ["arch", "init", "clip", "optim", "schedule", "penalty", "task"])
def test_every_choice_has_a_card_and_every_card_a_choice(group: str) -> None:
    assert sorted(cards(group)) == choices(group)


def test_a_choice_without_a_card_gets_the_plain_one() -> None:
    assert card("arch", "ours") is PLAIN and card("nothing", "at all") is PLAIN
    assert (PLAIN.gates, PLAIN.elementwise, PLAIN.states, PLAIN.per_lane) == (1, 1.0, 1, ())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("arch: {lstm: {lable: X}}", "'lable' is not known; did you mean 'label'?"),
        ("arch: {lstm: {gates: 0}}", "gates: given 0, must be an integer from 1 to 1000"),
        ("arch: {lstm: {colour: red}}", "colour: given 'red', must be like '#0072B2'"),
        ("arch: {lstm: {dashes: [0, -1]}}", "dashes: given [0, -1], must be a list of positive numbers"),
        ("arch: {lstm: {per_lane: forget_bias}}", "per_lane: given 'forget_bias', must be a list of names"),
        ("arch: {lstm: 3}", "must be fields of a card"),
        ("arch: [x]", "must be cards by name"),
        ("[arch]", "must be groups"),
        ("arch: {lstm: {", "is no YAML"),
        ("nothing", "is missing; it comes with the project"),
        ("arch: 2020-99-99", "is no YAML"),
        ("arch: {lstm: {label: !!bool x}}", "is no YAML"),
        ("[" * 3000, "is no YAML"),
        ("archh: {lstm: {}}", "'archh' is not known; did you mean 'arch'?"),
        ("arch: {lstmm: {}}", "'lstmm' is not known; did you mean 'lstm'?"),
        ("arch: {lstm: {marker: banana}}", "marker: given 'banana', must be one of"),
        ("arch: {lstm: {elementwise: .inf}}", "elementwise: given inf, must be a positive number"),
    ],
)
def test_a_malformed_file_is_told_in_a_sentence(
    text: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "cards.yaml"
    if text != "nothing":
        path.write_text(text)
    monkeypatch.setattr(module, "FILE", path)
    with pytest.raises(ConfigError) as error:
        card("arch", "x")
    assert message in str(error.value) and "cards.yaml" in str(error.value)
