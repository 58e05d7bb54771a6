"""What each recurrent architecture is, by name. To add one, put a module here that calls `register`."""

import importlib
import pkgutil

from sweeps.engine.architectures.base import Architecture, Parameter, State, architecture, register, registered

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")

__all__ = ["Architecture", "Parameter", "State", "architecture", "register", "registered"]
