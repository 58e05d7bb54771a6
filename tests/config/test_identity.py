"""A cell's id is a hash of everything that decides its numbers, and of nothing else."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from helpers import compose, make_cell
from sweeps.config import identity, places
from sweeps.config.identity import EXCLUDED, cell_id, deciding
from sweeps.config.parse import parse
from sweeps.config.schema import Settings, as_dict

CELLS = {
    "rnn": make_cell("init=random", "clip=norm", "optim=sgd"),
    "lstm": make_cell("arch=lstm", "clip=value", "optim=rmsprop", "task=binary_sum"),
}


def leaves(node: dict[str, Any], above: str = "") -> list[str]:
    return [
        leaf
        for key, value in node.items()
        for leaf in (leaves(value, f"{above}{key}.") if isinstance(value, dict) else [f"{above}{key}"])
    ]


def changed(settings: Settings, leaf: str) -> Settings:
    """The same settings with another value of one leaf, whether or not it would be valid."""
    *sections, name = leaf.split(".")
    node: Any = getattr(settings, sections[0]) if sections else settings
    inside = name in getattr(node, "options", {})
    old = node.options[name] if inside else getattr(node, name)
    new: Any = (not old) if isinstance(old, bool) else f"{old}x" if isinstance(old, str) else old + 1
    if new == old:
        new = 0.5  # inf + 1
    node = replace(node, options={**node.options, name: new}) if inside else replace(node, **{name: new})
    return replace(settings, **{sections[0]: node}) if sections else node


LEAVES = [(cell, leaf) for cell, settings in CELLS.items() for leaf in leaves(as_dict(settings))]


@pytest.mark.parametrize(("cell", "leaf"), LEAVES)
def test_every_setting_changes_the_id_but_the_excluded_ones(cell: str, leaf: str) -> None:
    before = CELLS[cell]
    after = changed(before, leaf)
    assert after != before
    assert (cell_id(after) == cell_id(before)) == (leaf.partition(".")[0] in EXCLUDED or leaf in EXCLUDED)
    assert identity.decides(leaf) == (cell_id(after) != cell_id(before))


def test_there_are_as_many_settings_as_the_contract_names() -> None:
    named = {leaf for _, leaf in LEAVES}
    contract = {
        "arch.hidden",
        "init.gain",
        "clip.threshold",
        "task.length",
        "optim.lr",
        "train.steps",
        "seed",
    }
    assert contract | {"init.std", "optim.momentum", "arch.forget_bias", "optim.alpha"} <= named
    assert len(named) >= 25


def test_the_excluded_settings_are_these() -> None:
    """A name too many here would give one id to cells that differ."""
    sections = ("plan", "tracker", "executor", "runs_dir", "experiment")
    assert (*sections, "train.checkpoint", "train.save", "probe") == EXCLUDED
    assert not {*EXCLUDED} & {*deciding(make_cell()), *leaves(deciding(make_cell()))}


def test_the_order_of_settings_is_irrelevant() -> None:
    nested = compose(["arch=lstm", "init=random", "optim=adam", "tracker=csv"])
    backwards = {
        key: dict(reversed(value.items())) if isinstance(value, dict) else value
        for key, value in reversed(nested.items())
    }
    assert list(backwards) != list(nested)
    one, _ = parse(nested)
    other, _ = parse(backwards)
    assert one is not None
    assert other is not None
    assert cell_id(one) == cell_id(other)
    assert cell_id(make_cell("seed=3", "arch=gru")) == cell_id(make_cell("arch=gru", "seed=3"))


def test_golden_ids() -> None:
    """When these change, no existing record is found any more. If numbers changed, bump the version."""
    assert identity.NUMERICS_VERSION == 4
    assert cell_id(make_cell()) == "7ad04c80267f"
    assert cell_id(make_cell("arch=lstm", "clip=norm", "optim.lr=1e-3", "seed=7")) == "72cbaf25e6ff"


def test_the_id_is_the_same_in_another_process() -> None:
    """No hash of Python's own, which is salted."""
    code = "from helpers import *; from sweeps.config.identity import cell_id; print(cell_id(make_cell()))"
    tests = str(places.ROOT / "tests")
    completed = subprocess.run([sys.executable, "-c", code], cwd=tests, capture_output=True, text=True, check=True)
    assert completed.stdout.strip() == cell_id(make_cell())


def test_a_numerics_version_more_is_another_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    before = cell_id(make_cell())
    monkeypatch.setattr(identity, "NUMERICS_VERSION", identity.NUMERICS_VERSION + 1)
    assert cell_id(make_cell()) != before


def test_a_default_that_is_edited_changes_the_id() -> None:
    """The hash is of resolved settings, never of what differs from defaults: so these two differ."""
    nested = compose([])
    edited = {**nested, "optim": {**nested["optim"], "beta2": 0.99}}  # as if conf/optim/adam.yaml completed so
    one, _ = parse(nested)
    other, _ = parse(edited)
    assert one is not None
    assert other is not None
    assert cell_id(one) != cell_id(other)


def test_saying_a_default_aloud_changes_nothing() -> None:
    assert cell_id(make_cell("optim.beta2=0.999", "arch=rnn_tanh", "seed=0")) == cell_id(make_cell())


def test_an_id_is_twelve_hex_digits() -> None:
    ids = {cell_id(make_cell(f"seed={seed}")) for seed in range(200)}
    assert len(ids) == 200
    assert all(len(each) == 12 and int(each, 16) >= 0 for each in ids)


def test_a_setting_that_came_later_orphans_no_record() -> None:
    """A cell from before a setting existed has the id of today's cell at the value that was always so."""
    cell = make_cell("arch=lstm", "clip=norm", "optim.lr=1e-3", "seed=7", "train.checkpoint=0")
    before = as_dict(cell)
    for key in identity.ALWAYS:
        section, _, name = key.partition(".")
        (before[section] if name else before).pop(name or section, None)  # Adam has no momentum
    before = {section: node for section, node in before.items() if node != {}}
    assert identity.id_of(before, identity.NUMERICS_VERSION) == cell_id(cell) == "72cbaf25e6ff"
    assert identity.completed(before) == as_dict(cell), "readers give it the value"
    assert identity.completed(as_dict(cell)) == as_dict(cell)


def test_an_option_that_came_later_is_filled_in_for_the_choices_that_have_it() -> None:
    old = {"optim": {"name": "sgd", "lr": 0.1, "momentum": 0.9}}
    assert identity.completed(old)["optim"] == {**old["optim"], "nesterov": False}
    assert identity.completed({"optim": {"name": "adam", "lr": 0.1}})["optim"] == {"name": "adam", "lr": 0.1}


@pytest.mark.parametrize("key", [key for key in identity.BEFORE if identity.decides(key)])
def test_its_other_values_are_other_cells(key: str) -> None:
    cell = make_cell("optim=sgd")
    assert cell_id(changed(cell, key)) != cell_id(cell)
    assert identity.completed(as_dict(changed(cell, key))) == as_dict(changed(cell, key)), "and are not overwritten"


@pytest.mark.parametrize(("task", "variant"), [("adding", "half"), ("multiplication", None)])
def test_an_option_of_one_choice_that_came_later(task: str, variant: str | None) -> None:
    """The first adding task had no variant, and other tasks are given none."""
    cell = make_cell(f"task={task}")
    before = as_dict(cell)
    if variant:
        assert before["task"].pop("variant") == variant
        assert identity.id_of(before, identity.NUMERICS_VERSION) == cell_id(cell)
        assert identity.completed(before) == as_dict(cell)
        assert cell_id(make_cell(f"task={task}", "task.variant=any")) != cell_id(cell)
    else:
        del before["task"]["variant"]
        assert "variant" not in identity.completed(before)["task"]
        assert identity.id_of(before, identity.NUMERICS_VERSION) != cell_id(cell)


def test_a_section_that_came_later_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "BEFORE", {"stack.layers": 1, "stack.norm": "none"})
    old: dict[str, Any] = {"arch": {"name": "rnn_tanh"}, "seed": 1}
    new = {**old, "stack": {"layers": 1, "norm": "none"}}
    assert identity.id_of(new, 3) == identity.id_of(old, 3)
    assert identity.id_of({**old, "stack": {"layers": 2, "norm": "none"}}, 3) != identity.id_of(old, 3)
    assert identity.completed(old) == new and "stack" not in old
