"""The docstrings of a choice's code: its equation, source and shapes."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from functools import partial
from importlib.util import find_spec
from inspect import cleandoc, isclass
from typing import Any

from sweeps import tasks
from sweeps.engine import architectures


def definition(group: str, name: str) -> str:
    """What the code of a choice says of itself, its docstrings one below the other; empty if it has none.

    The code is what is registered under the name: an architecture with its module, a task with its module, for any
    other group what a mapping of `sweeps.engine.GROUP` holds under the name. Torch is imported where that does.
    """
    if group == "arch" and name in architectures.registered():
        made = architectures.architecture(name)
        return _joined(_module(made.code), _own(made.parameters), _own(made.code))
    if group == "task" and name in tasks.registered():
        factory = tasks.factory(name)
        return _joined(_module(factory), _own(factory), _own(_making(_whole(factory))))
    return _joined(_own(_registered(group, name)))


def _registered(group: str, name: str) -> Any:
    module = f"sweeps.engine.{group}"
    if find_spec(module) is None:
        return None
    mappings = [each for each in vars(importlib.import_module(module)).values() if isinstance(each, Mapping)]
    return next((each[name] for each in mappings if callable(each.get(name))), None)


def _whole(code: Any) -> Any:
    return code.func if isinstance(code, partial) else code


def _own(code: Any) -> str:
    """The docstring that a function or class has itself."""
    return cleandoc(getattr(_whole(code), "__doc__", None) or "")


def _making(code: Any) -> Any:
    """The `__init__` that a class has itself; None for a function, or where it is that of every class."""
    return vars(code).get("__init__") if isclass(code) else None


def _module(code: Any) -> str:
    module = sys.modules.get(getattr(_whole(code), "__module__", ""))
    return cleandoc(module.__doc__ or "") if module is not None else ""


def _joined(*texts: str) -> str:
    return "\n\n".join(dict.fromkeys(filter(None, texts)))
