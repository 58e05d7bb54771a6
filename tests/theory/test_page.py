"""docs/theory.md names every function of the theory, with its arguments, and its example says the numbers it gives."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re

from sweeps import theory
from sweeps.config.places import ROOT

PAGE = (ROOT / "docs" / "theory.md").read_text(encoding="utf-8")
HELPERS = {"averages", "checked", "roots"}


def test_every_function_stands_on_the_page_with_its_arguments() -> None:
    modules = {module.name for module in pkgutil.iter_modules(theory.__path__)} - HELPERS
    assert modules == set(re.findall(r"^\| `(\w+)` \|", PAGE, re.M))
    for name in modules:
        assert f"`{name}`" in (theory.__doc__ or "") and theory.__doc__
        module = importlib.import_module(f"sweeps.theory.{name}")
        rows = PAGE.partition(f"\n| `{name}` |")[2].split("\n| `")[0].split("\n\n")[0]
        given = {function: arguments for function, arguments in re.findall(r"`(\w+)(\([^`]*\))?`", rows)}
        public = {
            each: function
            for each, function in inspect.getmembers(module, inspect.isfunction)
            if function.__module__ == module.__name__ and not each.startswith("_")
        }
        assert set(public) <= set(given), name
        for each, function in public.items():
            arguments = f"({', '.join(inspect.signature(function).parameters)})"
            assert given[each] in ("", arguments), each


def test_the_example_says_the_numbers_it_gives() -> None:
    [example] = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    names: dict[str, object] = {}
    said = []
    for line in example.splitlines():
        code, _, comment = line.partition("#")
        expression = code.partition("chi = ")[2] or code
        if found := re.search(r"\d+\.\d+|\d+(?= time steps)", comment):
            said.append((eval(expression.strip(), names), found[0]))
        exec(code, names)
    assert len(said) == 3
    for value, number in said:
        digits = len(number.partition(".")[2])
        assert f"{float(value):.{digits}f}" == number
