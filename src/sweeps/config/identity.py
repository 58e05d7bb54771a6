"""The id of a cell: a hash of the resolved settings that decide its numbers.

All resolved settings are hashed, not only those that differ from defaults: editing a default must change the id. Bump
NUMERICS_VERSION with every change of code that changes numbers; old records then count as other cells.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from sweeps.config.schema import Settings, as_dict

NUMERICS_VERSION = 3
EXCLUDED = ("plan", "tracker", "executor", "runs_dir", "experiment")
"""Settings left out of the id: tracker, executor, limits, output folder and experiment name do not make another cell.

Of these only the executor's kernel and device affect the numbers: the choices agree to the rounding of float32.
"""


def deciding(settings: Settings) -> dict[str, Any]:
    """The settings that decide the numbers, nested."""
    return _deciding(as_dict(settings))


def cell_id(settings: Settings) -> str:
    """Twelve hex digits: the first 48 bits of SHA-256 over canonical JSON (sorted keys, shortest floats)."""
    return id_of(as_dict(settings), NUMERICS_VERSION)


def id_of(config: Mapping[str, Any], numerics: int) -> str:
    """The id of a cell whose `config.yaml` holds `config`, trained by code of that numerics version.

    Only what the file holds is hashed, not what today's defaults would add: records made before a setting was added
    keep their id.

    Raises:
        TypeError: `config` is not a mapping of names to nested plain values.
    """
    canonical = json.dumps({"numerics": numerics, **_deciding(config)}, sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()[:12]


def _deciding(config: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in config.items() if key not in EXCLUDED}
