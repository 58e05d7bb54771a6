"""Publishing twice makes one workspace and one report; every error is one message and an exit status.

The client talks to a stand-in for the server on 127.0.0.1; a request to any other address fails.
"""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest

from dashboard.conftest import Views
from mirror.mirrored import KEY
from sweeps.dashboard.publish import publish
from sweeps.dashboard.workspace import Study, report, workspace
from sweeps.errors import SweepsError
from sweeps.main import main
from sweeps.records.paths import SweepPaths

STUDY = Study("small", {"arch": ["lstm", "gru"], "init": ["orthogonal"], "outcome": ["finished"]})
MORE = Study("small", {**STUDY.levels, "arch": ["lstm", "gru", "rnn_tanh"]})


def where(sweep: SweepPaths) -> list[str]:
    return [f"experiment={sweep.root.name}", f"runs_dir={sweep.root.parent}"]


def test_twice_is_one_view_of_each_kind_and_the_newer(account: Views) -> None:
    first = publish(STUDY, "sweeps")
    second = publish(MORE, "sweeps")
    assert [address for _, address in first] == [address for _, address in second]
    specs = {view["type"]: view["spec"] for view in account.views.values()}
    assert len(account.views) == 2
    assert specs == {"project-view": workspace(MORE).spec, "runs": report(MORE).spec}
    assert all(address.startswith(f"{account.url}/me/sweeps") for _, address in first)


def test_another_experiment_has_its_own(account: Views) -> None:
    publish(STUDY, "sweeps")
    publish(Study("other", STUDY.levels), "sweeps")
    assert sorted(view["displayName"] for view in account.views.values()) == [
        *("other · sweeps", "other: report", "small · sweeps", "small: report")
    ]


def test_a_project_without_runs_is_named(account: Views) -> None:
    with pytest.raises(SweepsError, match="no project them/nothing: `python -m sweeps sync`"):
        publish(STUDY, "nothing", "them")
    assert account.views == {}


def test_a_wrong_key_is_an_error(account: Views) -> None:
    account.accepted = "1" * 40
    with pytest.raises(SweepsError, match="refuses the key"):
        publish(STUDY, "sweeps")


def test_the_command_prints_where_the_views_are(
    account: Views, sweep: SweepPaths, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["workspace", *where(sweep), "tracker.project=sweeps"]) == 0
    output = capsys.readouterr().out.splitlines()
    assert len(output) == len(account.views) == 2
    assert output[0].startswith(f"small · sweeps: {account.url}/me/sweeps?nw=")


def test_no_server_is_one_message(
    sweep: SweepPaths, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    assert main(["workspace", *where(sweep)]) == 2
    output = capsys.readouterr().err
    assert "cannot be used" in output and len(output.strip().splitlines()) == 1


def test_no_key_is_one_message_and_no_question(sweep: SweepPaths) -> None:
    """On a terminal, where the client would ask."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "sweeps", "workspace", *where(sweep)]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        status = process.wait(timeout=60)
    text = os.read(ours, 65536).decode()
    os.close(ours)
    assert status == 2
    assert "There is no W&B key" in text and len(text.strip().splitlines()) == 1, text
