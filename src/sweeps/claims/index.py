"""The page of all experiments with claims, `experiments/README.md`, from the verdicts committed beside them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd

from sweeps.analysis.text import number
from sweeps.claims.claim import parse_claims
from sweeps.claims.judge import VERDICTS
from sweeps.claims.of_experiment import node_of
from sweeps.claims.words import MARKS
from sweeps.errors import SweepsError

RESULT = "result"
"""Folder of an experiment with the committed `claims.csv` and its pictures."""
FINDING = re.compile(r"^\*\*Result\.\*\*.*?\*\*([A-Z][^*]{20,}?)\*\*", re.DOTALL | re.MULTILINE)
"""The first sentence in bold behind "Result." in a README: what the experiment found."""
HEAD = """# What is true of long dependencies at this scale

What was found, and a line for each published statement that was checked, with what the committed records say. The page
is made by `python -m sweeps claims --index`; how verdicts are reached: [claims](../docs/add_experiment.md#claims).
"""


def index(experiments: Path) -> str:
    """The page, from every `NAME/claims.yaml` that has a `NAME/result/claims.csv`.

    Raises:
        SweepsError: a result lacks a claim, or has one that is no longer declared.
    """
    parts = [HEAD]
    for path in sorted(experiments.glob(f"*/{RESULT}/claims.csv")):
        folder = path.parent.parent
        parts.append(_of_experiment(folder, pd.read_csv(path, keep_default_na=False, na_values={"value": [""]})))
    return "\n".join(parts)


def _of_experiment(folder: Path, rows: pd.DataFrame) -> str:
    claims = parse_claims(node_of(folder / "claims.yaml"))
    whole = rows[rows["part"] == ""].set_index("claim")
    if list(whole.index) != [claim.name for claim in claims]:
        raise SweepsError(f"{folder / RESULT}: not of the claims that are declared; judge them again into={RESULT}")
    text = (folder / "README.md").read_text(encoding="utf-8")
    lines = [f"## [{text.splitlines()[0].removeprefix('# ')}]({folder.name}/README.md)", ""]
    lines += [f"{' '.join(each.split()).rstrip('.')}.\n" for each in FINDING.findall(text)[:1]]
    lines += [
        f'<img src="{folder.name}/{RESULT}/{picture.name}" width="320" alt="{picture.stem.replace("_", " ")}">\n'
        for picture in sorted((folder / RESULT).glob("*.png"))[:1]
    ]
    lines += ["| statement | verdict | found | source |", "|---|---|---|---|"]
    for claim in claims:
        row: Any = whole.loc[claim.name]
        parts = rows[(rows["claim"] == claim.name) & (rows["part"] != "")]
        held = f"holds at {(parts['verdict'] == VERDICTS[0]).sum()} of {len(parts)}"
        found = held if len(parts) else number(float(row["value"]), 3)
        verdict = f"{MARKS[row['verdict']]} {row['verdict']}"
        lines.append(f"| {claim.says} | {verdict} | {found}, n = {row['seeds']} | {claim.source} |")
    return "\n".join([*lines, ""])
