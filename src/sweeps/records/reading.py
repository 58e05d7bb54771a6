"""Reading files that anybody may have damaged: a pipe, a device, a bomb or garbage in place of one is an error, never a
wait, a crash or all of the memory."""

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
"""Bytes of a table at most: a hundred times the largest there was."""
SMALL = 1 << 22
"""Bytes of a file of settings or of a summary at most; they have a few thousand."""
DEEP = 20
"""Levels of nesting at most; settings have three."""

Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times faster where libyaml is there


def read_bytes(path: str | os.PathLike[str], limit: int = LARGE) -> bytes:
    """The content of a regular file, or of the regular file that a link leads to, as long as it is when it is opened.

    Raises:
        OSError: it is not there, is no regular file, cannot be read or is larger than `limit` bytes.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, f"it is {_kind(found.st_mode)}, not a file", os.fspath(path))
        if found.st_size > limit:
            raise OSError(errno.EFBIG, f"it has {found.st_size} bytes, more than {limit}", os.fspath(path))
        with os.fdopen(handle, "rb", closefd=False) as file:
            return file.read(found.st_size)
    finally:
        os.close(handle)


def read_text(path: str | os.PathLike[str], limit: int = LARGE) -> str:
    """The text of a regular file, as UTF-8.

    Raises:
        OSError, ValueError: it cannot be read, or is no text.
    """
    return read_bytes(path, limit).decode()


def json_object(content: bytes | None) -> dict[str, Any] | None:
    """The object in the content of a JSON file, or None when there is none or it is not whole."""
    content = content or b""
    try:
        value = json.loads(content, parse_constant=_refuse, object_pairs_hook=_once)
        if b"\\u" in content:
            json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair is no text that could be written
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in a JSON file, or None when it is missing or not whole."""
    try:
        return json_object(read_bytes(path, SMALL))
    except OSError:
        return None


def yaml_value(text: str) -> Any:
    """What a YAML text of plain values says.

    Raises:
        ValueError: it is no YAML, is nested too deeply, or repeats itself by aliases, which may not fit any memory.
    """
    try:
        depth = 0
        for event in yaml.parse(text, Loader=Loader):  # libyaml itself crashes on what is nested a million times
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > DEEP or isinstance(event, yaml.AliasEvent):
                raise ValueError(f"it is nested more than {DEEP} levels deep" if depth > DEEP else "it holds an alias")
        return yaml.load(text, Loader=Loader)
    except ValueError:
        raise
    except Exception as error:  # beside its own, whatever a constructor meets: `!!bool x` is a KeyError
        raise ValueError(" ".join(str(error).split())) from error


def is_settings(value: Any) -> bool:
    """Whether a value can be settings: mappings by name, down to plain values and lists of them."""
    return isinstance(value, Mapping) and all(
        isinstance(name, str) and (_is_plain(each) or is_settings(each)) for name, each in value.items()
    )


def why(error: Exception) -> str:
    """What went wrong with a file, as a clause that does not name it."""
    if isinstance(error, UnicodeDecodeError):
        return "it is not text"
    return str(error.strerror if isinstance(error, OSError) else error).strip()


def printable(name: str) -> str:
    """The name of a file as it can be written; the system allows bytes in it that are no text."""
    return name.encode(errors="backslashreplace").decode()


def _is_plain(value: Any) -> bool:
    if isinstance(value, list):
        return all(_is_plain(each) for each in value)
    return value is None or isinstance(value, bool | int | float | str)


def _kind(mode: int) -> str:
    names = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
    return names.get(stat.S_IFMT(mode), "a device")


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name is there twice")
    return found
