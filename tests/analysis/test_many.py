"""Ten thousand cells fit: every row is there, what was planted is counted, and memory stays bounded."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from analysis.many_records import choices, diverged, write_many

WORK = """
import json, resource, sys
from pathlib import Path
from sweeps import comparison, load
from sweeps.figures.draw import draw

root = Path(sys.argv[1])
records = load(root)
table = comparison(records)
figures = ["gradient_by_lag_start", "gradient_by_lag_end", "loss_curves", "share_solved", "outcomes"]
drawn = draw(records, root.parent / "figures", figures, ["png"])
first = records.metrics.drop_duplicates("cell").set_index("cell")["train_loss"]
seeds = records.cells.set_index("cell")["seed"]
print(json.dumps({
    "n": int(table["n"].sum()),
    "rows": len(table),
    "diverged": int((table["share_diverged"] * table["n"]).sum().round()),
    "figures": [each.name for each in drawn],
    "wrong": int((first != 1.0 + seeds.reindex(first.index)).sum()),
    "problems": len(records.problems),
    "gigabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
}))
"""


@pytest.mark.slow
@pytest.mark.parametrize("cells", [10_000])
def test_ten_thousand_cells_in_four_gigabytes(tmp_path: Path, cells: int) -> None:
    root = tmp_path / "many"
    write_many(root, cells)
    process = subprocess.run([sys.executable, "-c", WORK, str(root)], capture_output=True, text=True, check=True)
    output = json.loads(process.stdout)
    planted = list(choices(cells))
    assert output["n"] == cells and output["problems"] == 0 and output["wrong"] == 0
    assert output["rows"] == len({choice[:4] for choice in planted})
    assert output["diverged"] == sum(map(diverged, planted)) > 20
    assert len(output["figures"]) == 5
    assert output["gigabytes"] < 4.0


def test_the_synthetic_records_are_read_whole(tmp_path: Path) -> None:
    write_many(tmp_path / "few", 50)
    process = subprocess.run(
        [sys.executable, "-c", WORK, str(tmp_path / "few")], capture_output=True, text=True, check=True
    )
    output = json.loads(process.stdout)
    assert (output["n"], output["problems"], output["wrong"]) == (50, 0, 0)
