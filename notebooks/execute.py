"""Executes notebooks in place: `python notebooks/execute.py notebooks/*.ipynb`.

What is written is the same bytes for the same results: no times, no versions of this machine, and nothing at all when a
cell fails.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from traitlets.config import Config

SECONDS = 600
"""That one cell may take."""
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def execute(path: Path, environment: Mapping[str, str] | None = None) -> nbformat.NotebookNode:
    """The notebook at `path`, all its cells run in order, in its own folder and a fresh kernel of this Python.

    Args:
        environment: variables to set for it.

    Raises:
        CellExecutionError: a cell failed; the message holds its traceback.
    """
    notebook: nbformat.NotebookNode = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as sockets:  # to talk to the kernel without opening a port of this machine
        client = NotebookClient(
            notebook,
            timeout=SECONDS,
            kernel_name="python3",
            record_timing=False,
            config=Config({"KernelManager": {"transport": "ipc", "ip": f"{sockets}/kernel"}}),
            resources={"metadata": {"path": str(path.parent)}},
        )
        client.execute(env={**os.environ, **(environment or {})})
    notebook.metadata = nbformat.from_dict(METADATA)
    return notebook


def main(paths: list[str]) -> None:
    for path in map(Path, paths):
        print(path, flush=True)
        nbformat.write(execute(path), path)


if __name__ == "__main__":
    main(sys.argv[1:])
