"""The tasks, by name. To add one, put a module here that calls `register`; nothing else to edit. NumPy, no torch."""

import importlib
import pkgutil

from sweeps.tasks.base import (
    Batch,
    Task,
    answers,
    baselines,
    batches,
    factory,
    held_out,
    input_power,
    make,
    padded,
    parameters,
    register,
    registered,
    source,
    streams,
    task_of,
    vector,
)

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")

__all__ = [
    "Batch",
    "Task",
    "answers",
    "baselines",
    "batches",
    "factory",
    "held_out",
    "input_power",
    "make",
    "padded",
    "parameters",
    "register",
    "registered",
    "source",
    "streams",
    "task_of",
    "vector",
]
