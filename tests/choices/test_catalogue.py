"""Every option and setting is told, with the default that a cell gets; a new one without an edit."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers import compose
from sweeps import tasks
from sweeps.choices import asked
from sweeps.choices.catalogue import choice, described, groups, options, section_settings, sections
from sweeps.choices.printed import everything, shown, union
from sweeps.choices.readme import BEGIN, END, FILE, markdown, written
from sweeps.choices.yaml_text import opening
from sweeps.config import places
from sweeps.config.keys import known_keys
from sweeps.config.places import CONF, EXPERIMENTS
from sweeps.config.rules import RULES
from sweeps.errors import SweepsError

FILES = {f"{path.parent.name}={path.stem}" for path in CONF.glob("*/*.yaml")}
EXPERIMENT_NAMES = {f"experiment={path.parent.name}" for path in EXPERIMENTS.glob("*/sweep.yaml")}
EVERY = [each for group in groups() for each in options(group)]


def test_the_options_are_the_files() -> None:
    assert len(EVERY) == len(FILES | EXPERIMENT_NAMES) >= 25
    assert {each.typed for each in EVERY} == FILES | EXPERIMENT_NAMES


@pytest.mark.parametrize("each", EVERY, ids=lambda each: each.typed)
def test_every_option_says_what_it_is(each) -> None:  # type: ignore[no-untyped-def]
    """Its first line in its YAML file; its equation, or what it draws and asks, in the docstrings of its code."""
    of_experiment = each.group == "experiment"
    path = places.experiment_file(each.name) if of_experiment else places.choice_file(each.group, each.name)
    assert opening(path)[0] == each.what and len(each.what) > 10
    if each.group not in ("tracker", "executor", "experiment"):
        assert len(described(each.group, each.name)) > 10
    if each.group in ("arch", "optim"):
        said = each.source + described(each.group, each.name)
        assert "=" in said and re.search(r"\b(19|20)\d\d\b", said), "an equation, and a source with its year"


def test_defaults_are_those_that_a_cell_gets() -> None:
    config = compose([])
    chosen = {each.group: each for each in EVERY if each.is_default}
    assert {group: each.name for group, each in chosen.items()} == {
        group: config[group]["name"] for group in groups() if group != "experiment"
    }
    for each in chosen.values():
        own = {setting.name.partition(".")[2]: setting.default for setting in each.settings}
        assert own.items() <= config[each.group].items()
    for section in sections():
        told = {setting.name.partition(".")[2]: setting.default for setting in section_settings(section)}
        assert told == config[section]
    assert {each.name: each.default for each in section_settings("")} == {
        name: config[name] for name in ("probe", "seed", "experiment", "runs_dir")
    }


def test_every_setting_that_there_is_is_told_and_its_default_allowed() -> None:
    of_options = {setting.name: setting for each in EVERY for setting in each.settings}
    of_sections = {each.name: each for section in [*sections(), ""] for each in section_settings(section)}
    told = of_options | of_sections
    assert set(told) == known_keys() - set(groups()) | {"experiment"}
    for name, each in told.items():
        assert name not in RULES or RULES[name][0](each.default), name  # type: ignore[arg-type]
        assert each.allowed, name


def test_a_setting_that_does_nothing_is_not_told() -> None:
    assert choice("clip", "none").settings == ()
    assert [setting.name for setting in choice("clip", "norm").settings] == ["clip.threshold"]


def test_the_settings_of_a_group_say_which_options_have_them() -> None:
    owners = {setting.name: names for setting, names in union(options("arch"))}
    assert owners["arch.hidden"] == "" and "lstm" in owners["arch.forget_bias"].split(", ")
    [rates] = [setting for setting, _ in union(options("optim")) if setting.name == "optim.lr"]
    assert rates.default == "0.001 or 0.01", "defaults that differ are both said"


@pytest.mark.parametrize("width", [60, 80, 200])
def test_each_option_and_setting_has_one_line_that_fits(width: int) -> None:
    lines = everything(width)
    assert max(map(len, lines)) <= width
    names = [line[2:].split()[0] for line in lines if line[2:3].strip() and "=" in line[2:].split()[0]]
    assert {each.typed for each in EVERY} <= set(names)
    assert len(names) == len(set(names))
    assert all(f"{each.name}={shown(each.default)}" in names for each in section_settings("train"))
    assert [line.split()[1] for line in lines if line.startswith("* ") and "=" in line.split()[1]] == [
        each.typed for each in EVERY if each.is_default
    ]


@pytest.fixture
def own_conf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    shutil.copytree(places.CONF, tmp_path / "conf")
    monkeypatch.setattr(places, "CONF", tmp_path / "conf")
    monkeypatch.setattr(tasks.base, "_REGISTRY", dict(tasks.base._REGISTRY))
    for cached in (places.choices, places.defaults):
        cached.cache_clear()
    yield tmp_path / "conf"
    for cached in (places.choices, places.defaults):
        cached.cache_clear()


def test_a_new_option_is_told_without_an_edit(own_conf: Path) -> None:
    """A YAML file and what its code registers are enough."""

    class Mine:
        """Say the first bit (Somebody 2031).

        y = x_0, x [T, B, 1].
        """

        def __init__(self, length: int, solved_at: float, width: int) -> None:
            """Args: width: of a bit."""

    tasks.register("mine", Mine)
    file = own_conf / "task" / "mine.yaml"
    file.write_text("# Say the first bit   Somebody 2031\nname: mine\nlength: 7  # steps T\nwidth: 2  # bits\n")
    each = choice("task", "mine")
    assert (each.what, each.source, each.label) == ("Say the first bit", "Somebody 2031", "mine")
    assert "y = x_0, x [T, B, 1]." in described("task", "mine") and "of a bit" in described("task", "mine")
    [(width, owner)] = asked.settings("task.width")
    assert (width.default, width.what, owner) == (2, "bits", "mine")
    assert any("task=mine" in line and "Say the first bit" in line for line in everything(80))
    assert "`mine`" in markdown() and "`task.width` (mine)" in markdown()
    file.write_text("name: mine\nlength: 7\n")
    without = choice("task", "mine")
    assert without.what and described("task", "mine").startswith(without.what), "its docstring stands in"


def test_the_table_of_the_readme_is_that_of_today() -> None:
    """`python -m sweeps choices markdown` writes it."""
    text = FILE.read_text(encoding="utf-8")
    assert text.count(BEGIN) == text.count(END) == 1
    assert text.partition(f"{BEGIN}\n")[2].partition(f"\n{END}")[0] == markdown()


def test_a_stale_table_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text(f"before\n\n{BEGIN}\n| old |\n{END}\n\nbehind\n")
    assert written(page) and not written(page)
    assert page.read_text() == f"before\n\n{BEGIN}\n{markdown()}\n{END}\n\nbehind\n"
    page.write_text("no place\n")
    with pytest.raises(SweepsError, match="has no place for the table"):
        written(page)
    assert page.read_text() == "no place\n"
