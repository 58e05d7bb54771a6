"""Read the W&B client's offline file, to know whether it is complete.

The client's `finish()` returns before the file is written, and a killed client leaves a readable prefix, so a
run counts as mirrored only when its file was read to its end. The format is private to the client (checked with
wandb 0.31.0): a header of 7 bytes, then the LevelDB log format, blocks of 32 KB with chunks of (CRC-32,
length, type, data). A record is one `full` chunk or a first, middle ..., last sequence, and a protobuf.
"""

from __future__ import annotations

import importlib
import json
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sweeps.records.safe_reading import read_bytes

ROWS = "history_rows"
"""Summary key of the number of history rows of the run, written by the mirror."""

_MAGIC = struct.pack("<4sHB", b":W&B", 0xBEE1, 0)
_BLOCK = 32768
_CHUNK = struct.Struct("<IHB")
_FULL, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4


class LogError(Exception):
    """The file is not an offline log of the W&B client, or is damaged; the message says where."""


def payloads(path: Path) -> Iterator[bytes]:
    """The complete records of a log, undecoded; a truncated record at the end is left out silently.

    Raises:
        LogError: there is no header, or a checksum does not match.
        OSError: the file cannot be read.
    """
    content = read_bytes(path)
    if content[: len(_MAGIC)] != _MAGIC:
        raise LogError("it has no W&B header")
    position, record = len(_MAGIC), b""
    while position + _CHUNK.size <= len(content):
        left = _BLOCK - position % _BLOCK
        if left < _CHUNK.size:  # too short for a chunk: padding
            position += left
            continue
        checksum, length, kind = _CHUNK.unpack_from(content, position)
        if kind == 0 and length == 0:  # zeros to the end of the block
            position += left
            continue
        start = position + _CHUNK.size
        data = content[start : start + length]
        if len(data) < length:
            return
        if zlib.crc32(data, zlib.crc32(bytes([kind]))) != checksum:
            raise LogError(f"a checksum is wrong at byte {position}")
        position = start + length
        record = data if kind in (_FULL, _FIRST) else record + data
        if kind in (_FULL, _LAST):
            yield record


def records(path: Path) -> Iterator[Any]:
    """The protobuf records of a log, in order. Raises as `payloads` does."""
    protocol: Any = importlib.import_module("wandb.proto.wandb_internal_pb2")  # slow, and needed only here
    for payload in payloads(path):
        try:
            yield protocol.Record.FromString(payload)
        except Exception as error:  # protobuf's DecodeError has no stable home
            raise LogError(f"a record cannot be decoded: {error}") from error


def problem(path: Path) -> str | None:
    """Why the file of a run is not complete, as a clause; None if it is.

    It is complete if it ends with the record of an exit with status 0 and has as many history rows as its summary
    says, where that says it.
    """
    rows, rows_json, last = 0, None, None
    try:
        for last in records(path):
            kind = last.WhichOneof("record_type")
            if kind == "history":
                rows += 1
            elif kind == "summary":
                rows_json = next((i.value_json for i in last.summary.update if i.key == ROWS), rows_json)
        expected = None if rows_json is None else int(json.loads(rows_json))
    except (LogError, OSError) as error:
        return str(error)
    except (ValueError, TypeError, RecursionError):
        return f"its summary does not say how many history rows it has, but {rows_json:.40}"
    if last is None or last.WhichOneof("record_type") != "exit":
        return "it does not end with an exit record"
    if last.exit.exit_code != 0:
        return f"the run ended with status {last.exit.exit_code}"
    if expected is not None and rows != expected:
        return f"it has {rows} history rows instead of {expected}"
    return None


def complete(path: Path) -> bool:
    """Whether the offline file of a run was written to its end."""
    return problem(path) is None
