"""Comments of a YAML file: what it is about, its source, what stands behind each setting."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from sweeps.choices.yaml_text import further, notes, opening
from sweeps.config.places import CONF

PLANTED = """\
# A thing, with a hyphen - and a colon: so   Somebody & Other 1999
#   more of it
# and more
name: thing           # never shown, but read
size: 3               # units H
text: "a # in quotes"
colour: '#fff'        # of its line
path: ''              # the user's, else that of torchvision's; '': none
kind: auto            # auto: as it comes,
                      # or by hand
plain: 1
  # no setting stands above this one's lines at the left
section:
  inner: 2            # inside
  list:
    - deep            # of a list
other: 5
"""


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    path = tmp_path / "thing.yaml"
    path.write_text(PLANTED)
    return path


def test_the_first_line_says_what_it_is_and_behind_three_spaces_where_it_is_from(planted: Path) -> None:
    assert opening(planted) == ("A thing, with a hyphen - and a colon: so", "Somebody & Other 1999")
    assert further(planted) == "  more of it\nand more"


@pytest.mark.parametrize("text", ["", "name: x\n# below\n", "\n# second line\n"])
def test_a_file_without_a_first_comment_says_nothing(text: str, tmp_path: Path) -> None:
    path = tmp_path / "plain.yaml"
    path.write_text(text)
    assert (opening(path), further(path)) == (("", ""), "")


def test_each_setting_has_the_comment_behind_it(planted: Path) -> None:
    found = notes(planted)
    assert found.pop("name") == "never shown, but read"
    assert found == {
        "size": "units H",
        "colour": "of its line",
        "path": "the user's, else that of torchvision's; '': none",
        "kind": "auto: as it comes, or by hand",
        "plain": "no setting stands above this one's lines at the left",
        "section.inner": "inside",
    }


def test_only_settings_of_a_file_have_comments() -> None:
    """On every file under conf/, a setting that a comment is said to belong to is there."""
    files = sorted(CONF.glob("*/*.yaml"))
    assert files
    for path in files:
        assert set(notes(path)) <= set(yaml.safe_load(path.read_text())), path
    top = yaml.safe_load((CONF / "config.yaml").read_text())
    told = [key.split(".") for key in notes(CONF / "config.yaml")]
    assert [key for key in told if key[0] in ("train", "stack", "plan") and key[1] not in top[key[0]]] == []
    assert len([key for key in told if key[0] == "train"]) == len(top["train"])
