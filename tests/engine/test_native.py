"""The native kernels are optional: torch's replace them, the summary names them, and requesting missing ones fails."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from helpers import make_cell, make_cells
from sweeps.engine.recurrences import choice, choose
from sweeps.engine.setup import set_up
from sweeps.execute.worker import train_pack
from sweeps.plan.packs import Pack


def summary_of(root: Path, *overrides: str) -> dict:
    [cell] = make_cells(overrides)
    train_pack(Pack((cell,)), root, lambda kind, content: None)
    return json.loads((root / cell.id / "summary.json").read_text())


def test_the_summary_names_the_kernel(kernel: str, tmp_path: Path) -> None:
    assert summary_of(tmp_path, "arch=gru", f"executor.kernel={kernel}")["pack"]["kernel"] == kernel


def test_kernels_train_to_the_same_numbers(kernel: str, tmp_path: Path) -> None:
    """After six updates the kernels differ by float32 rounding only."""
    for arch in ("rnn_tanh", "rnn_relu", "lstm", "gru"):
        summary = summary_of(tmp_path / "a", f"arch={arch}", f"executor.kernel={kernel}")
        other = summary_of(tmp_path / "b", f"arch={arch}", "executor.kernel=torch")
        assert summary["final"]["train_loss"] == pytest.approx(other["final"]["train_loss"], rel=1e-5)


def test_without_a_compiler_torch_does_it(tmp_path: Path) -> None:
    """A process that finds no compiler and no cached build trains all the same."""
    code = (
        "from sweeps.engine.native import library; from sweeps.engine.recurrences import choose\n"
        "assert library() is None; assert choose('lstm', 'auto') == 'torch'; print('fine')"
    )
    env = {**os.environ, "PATH": str(tmp_path), "CXX": "", "XDG_CACHE_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert done.stdout == "fine\n", done.stderr


def test_a_build_is_cached_once(tmp_path: Path, kernel: str) -> None:
    if kernel == "torch":
        return
    code = "from sweeps.engine.native import library; print(library()._name)"
    env = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    names = [
        subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True).stdout.strip()
        for _ in range(2)
    ]
    assert names[0] == names[1]
    assert [path.name for path in (tmp_path / "sweeps").iterdir()] == [Path(names[0]).name]


def test_native_by_name_is_refused_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(choice._FAST, "gru", {"torch": choice._FAST["gru"]["torch"]})
    with pytest.raises(ValueError, match="no native kernel of gru"):
        choose("gru", "native")
    assert choose("gru", "auto") == "torch"


@pytest.mark.parametrize("arch", ["rnn_tanh", "lstm", "gru"])
def test_saturation_and_special_values(arch: str, kernel: str) -> None:
    """Huge pre-activations saturate exactly, zeros stay zero, and a nan reaches the loss through tanh and sigmoid."""
    training = set_up([make_cell(f"arch={arch}", "init=identity", "init.gain=100")] * 2, kernel)
    training.network.p["weight_ih"].mul_(1e4)
    x, y, *_ = training.data.next()
    loss = training.network.gradients(x, y)
    assert torch.isfinite(loss).all() and torch.isfinite(training.network.grads.flat).all()
    x[1, 3, 0] = float("nan")
    loss = training.network.gradients(x, y)
    assert np.isfinite(float(loss[0])) and np.isnan(float(loss[1]))


def test_tanh_to_the_last_bits(kernel: str) -> None:
    """tanh over its whole range through a network of one unit, against float64: at most 3 units in the last place."""
    from sweeps.engine.memory import zeros
    from sweeps.engine.parameters import Parameters
    from sweeps.engine.recurrences import Sizes, build

    values = torch.cat([torch.logspace(-30, 2, 4000), -torch.logspace(-30, 2, 4000), torch.linspace(-10, 10, 8000)])
    sizes = Sizes(2, 1, len(values), 1, 1)
    net = build("rnn_tanh", sizes, kernel)
    p = Parameters.zeros(2, {"weight_ih": (1, 1), "weight_hh": (1, 1), "bias": (1,)})
    p["weight_ih"].fill_(1.0)
    x = zeros(2, len(values), 1)
    x[0, :, 0] = x[1, :, 0] = values
    got = net.forward(p, x)[0, 0, :, 0].double()
    want = values.double().tanh()
    assert ((got - want).abs() / want.abs()).max() < 3 * 2**-23
