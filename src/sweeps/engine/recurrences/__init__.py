"""The architectures over time: `build` gives one with a backward pass. A faster one is a module here."""

import importlib
import pkgutil

from sweeps.engine.recurrences.base import Recurrence, Sizes
from sweeps.engine.recurrences.choice import build, choose, register_fast

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")

__all__ = ["Recurrence", "Sizes", "build", "choose", "register_fast"]
