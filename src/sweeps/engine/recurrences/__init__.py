"""The recurrent architectures, by name. To add one, put a module here that calls `register`; nothing else to edit."""

import importlib
import pkgutil

from sweeps.engine.recurrences.base import Recurrence, Sizes, build, choose, options_of, register, registered

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")

__all__ = ["Recurrence", "Sizes", "build", "choose", "options_of", "register", "registered"]
