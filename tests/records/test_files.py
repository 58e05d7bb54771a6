"""A file is written completely or stays as it was, and an error names it, not the temporary file beside it."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import NoReturn

import pytest

from sweeps.errors import told
from sweeps.records.files import write_atomically


def test_a_full_disk_leaves_the_file_as_it_was_and_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> NoReturn:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = tmp_path / "plan.csv"
    write_atomically(path, "before\n")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError) as error:
        write_atomically(path, "after\n")
    assert told(error.value) == f"{path}: No space left on device"
    assert path.read_text() == "before\n"
    assert list(tmp_path.iterdir()) == [path]
