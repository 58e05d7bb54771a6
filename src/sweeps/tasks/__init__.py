"""The tasks, by name. A module in this folder registers the task it defines; nothing else to edit. NumPy, no torch."""

import importlib
import pkgutil

from sweeps.tasks.base import Batch, Task, make, register, registered, task_of

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")

__all__ = ["Batch", "Task", "make", "register", "registered", "task_of"]
