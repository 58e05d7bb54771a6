"""Which settings a function takes by name: the factories of choices are called with the options that they name."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

KINDS = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def named(make: Callable[..., Any], leading: int = 0) -> dict[str, bool]:
    """The parameters that can be given by name, and whether each must be; those that a `partial` binds are left out.

    Args:
        leading: how many parameters come first that are not asked about.
    """
    bound = make.keywords if isinstance(make, partial) else {}
    parameters = [each for each in inspect.signature(make).parameters.values() if each.name not in bound][leading:]
    return {each.name: each.default is inspect.Parameter.empty for each in parameters if each.kind in KINDS}
