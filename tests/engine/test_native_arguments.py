"""Arguments of a native kernel go by name: the library and Python agree where each lies; a wrong call is refused."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from torch import Tensor

from sweeps.engine import native
from sweeps.engine.native import arguments as named
from sweeps.engine.native.arguments import FLOAT64, GATES, KERNELS, NUMBERS, SHAPES, Pass, arguments, difference

SIZES = {"K": 2, "T": 3, "S": 4, "B": 2, "I": 3, "H": 5}
KINDS = list(KERNELS)


@pytest.fixture
def library() -> str:
    """What the compiled library says of its layout."""
    found, missing = native.library(), str(native.kernels().missing)
    if found is None and missing.startswith("there is no C++ compiler"):
        pytest.skip(missing)
    assert found is not None, missing
    return found.layout().decode()


def call_of(kernel: str, names: tuple[str, ...] = ()) -> tuple[dict[str, int], dict[str, Tensor | None]]:
    """What a kernel needs, and the further `names`."""
    sizes = {**SIZES, "G": GATES[kernel.split("_")[0]]}
    needed = (*KERNELS[kernel][0], *names)
    numbers = {name: sizes[letter] for name, letter in zip(NUMBERS, "KTBIH", strict=False)} | {"truncate": 0}
    if "phi" in needed:
        numbers["phi"] = 0
    buffers: dict[str, Tensor | None] = {
        name: torch.zeros([2, *(sizes[letter] for letter in SHAPES[name])],
                          dtype=torch.float64 if name in FLOAT64 else torch.float32)
        for name in needed if name != "phi"
    }  # fmt: skip
    return numbers, buffers


def test_every_field_lies_where_the_library_has_it(library: str) -> None:
    *lines, size = [line.split() for line in library.splitlines()]
    assert [line[0] for line in lines] == [*NUMBERS, *SHAPES]
    for name, kind, offset, bytes_ in lines:
        place = getattr(Pass, name)
        assert (place.offset, place.size) == (int(offset), int(bytes_)), name
        assert kind == ("number" if name in NUMBERS else "float64" if name in FLOAT64 else "float32"), name
    assert size == ["all", str(sum(int(line[3]) for line in lines))], "nothing between the fields"
    assert difference(library) is None


def test_another_layout_is_told_by_its_first_field(library: str) -> None:
    assert difference(library.replace("dx float32", "dx float64", 1)) is not None
    other = library.replace("\nh float32", "\nstate float32")
    assert "'state float32" in str(difference(other)) and "'h float32" in str(difference(other))
    assert difference("".join(library.splitlines(keepends=True)[:-1])) is not None


def test_a_library_with_another_layout_is_not_loaded(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(named, "layout", lambda: library.replace("gate float32", "gates float32"))
    found = native.kernels.__wrapped__()
    assert found.library is None and "does not belong to these sources" in str(found.missing)
    monkeypatch.undo()
    assert native.kernels.__wrapped__().library is not None


@pytest.mark.parametrize("kernel", KINDS)
def test_a_missing_and_an_unknown_name_are_errors(kernel: str) -> None:
    numbers, buffers = call_of(kernel)
    assert isinstance(arguments(kernel, numbers, buffers), Pass)
    for name in buffers:
        for less in ({**buffers, name: None}, {each: buffers[each] for each in buffers if each != name}):
            with pytest.raises(TypeError, match=f"{kernel}: '{name}' is missing"):
                arguments(kernel, numbers, less)
    for name in numbers:
        with pytest.raises((TypeError, KeyError), match=name):
            arguments(kernel, {each: numbers[each] for each in numbers if each != name}, buffers)
    with pytest.raises(TypeError, match="'weight_hhh' is not known; did you mean 'weight_hh'"):
        arguments(kernel, numbers, {**buffers, "weight_hhh": buffers["weight_hh"]})
    for group in KERNELS[kernel][1]:
        for name in set(group) - {"weight_ih"}:
            _, more = call_of(kernel, group)
            assert isinstance(arguments(kernel, numbers, more), Pass)
            if len(group) > 1:
                with pytest.raises(TypeError, match="is missing"):
                    arguments(kernel, numbers, {**buffers, name: more[name]})


@pytest.mark.parametrize("kernel", KINDS)
def test_a_buffer_of_another_kind_is_an_error(kernel: str) -> None:
    numbers, buffers = call_of(kernel)
    for name, value in buffers.items():
        assert value is not None
        other = torch.float32 if value.dtype == torch.float64 else torch.float64
        wide = torch.zeros(*value.shape[:-1], 2 * value.shape[-1], dtype=value.dtype)[..., ::2]
        for wrong in (value.to(other), value[:1], torch.cat([value, value], -1), wide):
            with pytest.raises(ValueError, match=name):
                arguments(kernel, numbers, {**buffers, name: wrong})


def test_what_is_needed_is_enough(library: str) -> None:
    """Each kernel runs on what it needs alone, and on all that it may be given: none follows a null pointer."""
    script = """
from engine.test_native_arguments import KERNELS, arguments, call_of, native
for kernel, (needed, groups) in KERNELS.items():
    for names in ((), *groups, tuple(name for group in groups for name in group)):
        numbers, buffers = call_of(kernel, names)
        getattr(native.library(), kernel)(arguments(kernel, numbers, buffers))
print("fine")
"""
    done = subprocess.run([sys.executable, "-c", f"import sys; sys.path[:] = {sys.path}\n{script}"],
                          capture_output=True, text=True)  # fmt: skip
    assert done.stdout == "fine\n", (done.returncode, done.stderr)
