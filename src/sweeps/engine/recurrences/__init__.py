"""The recurrent architectures, by name. A module in this folder registers what it defines; nothing else to edit."""

import importlib
import pkgutil

from sweeps.engine.recurrences.base import Recurrence, Sizes, build, choose, register, registered

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")

__all__ = ["Recurrence", "Sizes", "build", "choose", "register", "registered"]
