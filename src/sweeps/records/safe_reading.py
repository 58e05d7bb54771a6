"""Safe reading of files that may be damaged.

A pipe, a device, a text that expands without bound or garbage in place of a file raises an error: reading never blocks,
crashes or exhausts the memory.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import yaml

LARGE = 1 << 30
"""Maximum size of a table in bytes: a hundred times the largest one so far."""
SMALL = 1 << 22
"""Maximum size of a file of settings or of a summary in bytes; they have a few thousand."""
DEEP = 20
"""Maximum depth of nesting; settings have three levels."""

Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times faster, where libyaml is installed


def read_bytes(path: str | os.PathLike[str], limit: int = LARGE) -> bytes:
    """The content of a regular file, or of the one that a link leads to; what is appended while it is read is left out.

    Raises:
        OSError: the file is missing, is not a regular file, cannot be read or is larger than `limit` bytes.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, f"it is {_kind(status.st_mode)}, not a file", os.fspath(path))
        if status.st_size > limit:
            raise OSError(errno.EFBIG, f"it has {status.st_size} bytes, more than {limit}", os.fspath(path))
        with os.fdopen(handle, "rb", closefd=False) as file:
            return file.read(status.st_size)
    finally:
        os.close(handle)


def read_text(path: str | os.PathLike[str], limit: int = LARGE) -> str:
    """The text of a regular file, as UTF-8.

    Raises:
        OSError, ValueError: the file cannot be read, or is not UTF-8.
    """
    return read_bytes(path, limit).decode()


def json_object(content: bytes | None) -> dict[str, Any] | None:
    """The object in the content of a JSON file; None if there is no content or it is not a complete object."""
    content = content or b""
    try:
        value = json.loads(content, parse_constant=_refuse_constant, object_pairs_hook=_unique_names)
        if b"\\u" in content:
            json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair cannot be written as UTF-8
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in a JSON file, or None if the file is missing or not complete."""
    try:
        return json_object(read_bytes(path, SMALL))
    except OSError:
        return None


def yaml_value(text: str) -> Any:
    """The value of a YAML text of plain values.

    Raises:
        ValueError: it is not YAML, is nested too deeply, or has aliases, which may expand beyond any memory.
    """
    try:
        depth = 0
        for event in yaml.parse(text, Loader=Loader):  # libyaml itself crashes on a depth of a million
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > DEEP or isinstance(event, yaml.AliasEvent):
                raise ValueError(f"it is nested more than {DEEP} levels deep" if depth > DEEP else "it holds an alias")
        return yaml.load(text, Loader=Loader)
    except ValueError:
        raise
    except Exception as error:  # not only YAML's own: a constructor may raise any, as KeyError for `!!bool x`
        raise ValueError(" ".join(str(error).split())) from error


def is_settings(value: Any) -> bool:
    """Whether a value has the form of settings: nested mappings by name of plain values and lists of them."""
    return isinstance(value, Mapping) and all(
        isinstance(name, str) and (_is_plain(each) or is_settings(each)) for name, each in value.items()
    )


def why(error: Exception) -> str:
    """The reason why a file could not be read, as a clause that does not name the file."""
    if isinstance(error, UnicodeDecodeError):
        return "it is not text"
    return str(error.strerror if isinstance(error, OSError) else error).strip()


def printable(name: str) -> str:
    """A file name that can be printed: bytes of it that are not UTF-8 are escaped."""
    return name.encode(errors="backslashreplace").decode()


def _is_plain(value: Any) -> bool:
    if isinstance(value, list):
        return all(_is_plain(each) for each in value)
    return value is None or isinstance(value, bool | int | float | str)


def _kind(mode: int) -> str:
    names = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
    return names.get(stat.S_IFMT(mode), "a device")


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    by_name = dict(pairs)
    if len(by_name) < len(pairs):
        raise ValueError("a name is there twice")
    return by_name
