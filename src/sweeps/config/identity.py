"""Who a cell is: a hash of the resolved settings that decide its numbers.

Of the resolved settings, never of what differs from defaults: editing a default must change the id. Bump
NUMERICS_VERSION with every change of code that changes numbers; old records then count as other cells.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from sweeps.config.schema import Settings, as_dict

NUMERICS_VERSION = 3
EXCLUDED = ("plan", "tracker", "executor", "runs_dir", "experiment")
"""Settings that make no other cell: where the numbers go, who computes them, what the study is called.

Of these only the executor's kernel and device touch the numbers: the choices agree to the rounding of float32.
"""


def deciding(settings: Settings) -> dict[str, Any]:
    """The settings that decide the numbers, nested."""
    return {key: value for key, value in as_dict(settings).items() if key not in EXCLUDED}


def cell_id(settings: Settings) -> str:
    """Twelve hex digits: the first 48 bits of SHA-256 over canonical JSON (sorted keys, shortest floats)."""
    canonical = json.dumps({"numerics": NUMERICS_VERSION, **deciding(settings)}, sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()[:12]
