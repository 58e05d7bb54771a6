"""A table as LaTeX, Markdown and CSV: the same cells, the marks, n and the kind of interval with it."""

from __future__ import annotations

import io
import re

import numpy as np
import pandas as pd
import pytest

from analysis.make_records import write_cell
from sweeps import load
from sweeps.tables.clipping_audit import clipping_audit
from sweeps.tables.compare import compare
from sweeps.tables.latex import escaped, to_latex
from sweeps.tables.pairwise import pairwise
from sweeps.tables.ranking import rank
from sweeps.tables.steps_to_solve import steps_to_solve
from sweeps.tables.table import Entry, Table, to_markdown


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Table]:
    root = tmp_path_factory.mktemp("records")
    for seed in range(8):
        for arch, score in (("lstm", 0.9), ("gru", 0.5)):
            for clip in ("none", "norm"):
                gone = arch == "gru" and seed == 0
                outcome = "diverged" if gone else "solved" if arch == "lstm" else "finished"
                score += 0.001 * seed
                write_cell(root, arch=arch, clip=clip, seed=seed, length=3, best_score=score, outcome=outcome, end=100)
    records = load(root)
    made = (
        compare(records, ("arch", "clip")),
        pairwise(records),
        rank(records),
        steps_to_solve(records),
        clipping_audit(records),
    )
    return {table.name: table for table in made}


NAMES = ("compare", "pairwise", "rank", "steps_to_solve", "clipping_audit")


@pytest.mark.parametrize("name", NAMES)
def test_every_table_tells_n_interval_and_how_diverged_runs_counted(tables: dict[str, Table], name: str) -> None:
    for text in (to_markdown(tables[name]), to_latex(tables[name]).replace("$", "").replace("\\", "")):
        assert "n = 8 seeds" in text and "interval" in text
        assert "diverged" in text.lower() and re.search(r"\d+ of \d+ runs diverged\. \w", text)
        assert "Holm" in text and "p < 0.05" in text


@pytest.mark.parametrize("name", NAMES)
def test_latex_is_a_booktabs_table_of_even_rows(tables: dict[str, Table], name: str) -> None:
    table = tables[name]
    text = to_latex(table)
    assert_structure(text)
    for rule in (r"\toprule", r"\midrule", r"\bottomrule", rf"\label{{tab:{name}}}", r"\begin{table}", r"\end{table}"):
        assert text.count(rule) == 1
    columns = re.search(r"\\begin\{tabular\}\{(\w+)\}", text)
    assert columns is not None and len(columns[1]) == len(table.heads)
    body = text.partition(r"\midrule")[2].partition(r"\bottomrule")[0].strip().splitlines()
    assert len(body) == len(table.rows)
    assert all(len(re.findall(r"(?<!\\)&", line)) == len(table.heads) - 1 for line in body)
    assert text.isascii(), "every sign has its LaTeX name"
    assert text.count("{") == text.count("}") and len(re.findall(r"(?<!\\)\$", text)) % 2 == 0
    assert not re.search(r"(?<!\\)[%#_]", text.replace(r"\label{tab:" + name, ""))


ENVIRONMENTS = ["table", "threeparttable", "tabular", "tablenotes"]


def assert_structure(text: str) -> None:
    """Environments that nest and close, braces that close in every line, and nothing outside of its place."""
    lines = [line for line in text.splitlines() if not line.startswith("%")]
    open_: list[str] = []
    for line in lines:
        depth = 0
        for brace in re.findall(r"(?<!\\)[{}]", line):
            depth += 1 if brace == "{" else -1
            assert depth >= 0, line
        assert depth == 0 and len(re.findall(r"(?<!\\)\$", line)) % 2 == 0, line
        for step, name in re.findall(r"\\(begin|end)\{(\w+)\}", line):
            if step == "begin":
                open_.append(name)
            else:
                assert open_.pop() == name
    assert open_ == [] and re.findall(r"\\begin\{(\w+)\}", text) == ENVIRONMENTS
    inside = text.partition(r"\begin{tablenotes}[flushleft]")[2].partition(r"\end{tablenotes}")[0].strip()
    assert all(line.startswith(r"\item ") for line in inside.splitlines()[1:]), "text of a list stands in an item"
    assert text.index(r"\caption{") < text.index(r"\label{") < text.index(r"\begin{tabular}")


@pytest.mark.parametrize("name", NAMES)
def test_a_caption_has_two_lines_at_most_and_no_word_is_lost(tables: dict[str, Table], name: str) -> None:
    table = tables[name]
    text = to_latex(table)
    (caption,) = re.findall(r"\\caption\{(.*)\}$", text, re.M)
    assert len(caption) <= 220 and caption.endswith("."), "200 characters, and what escapes add"
    notes = [line.removeprefix(r"\item ") for line in text.splitlines() if line.startswith(r"\item ")]
    assert " ".join([caption, *notes]) == escaped(table.legend)
    long = to_latex(table, caption="One sentence. " + "Another one that is long. " * 10)
    assert len(re.findall(r"\\caption\{(.*)\}$", long, re.M)[0]) <= 200 and long.count("Another one") == 10


def test_marks_in_both(tables: dict[str, Table]) -> None:
    table = tables["rank"]
    assert r"\textbf{0.9" in to_latex(table) and "**0.9" in to_markdown(table)
    assert r"\textsuperscript{*}" in to_latex(tables["compare"]) and "\\*" in to_markdown(tables["compare"])


@pytest.mark.parametrize("name", NAMES)
def test_csv_keeps_every_bit(tables: dict[str, Table], name: str) -> None:
    frame = tables[name].frame
    back = pd.read_csv(io.StringIO(tables[name].to_csv()), keep_default_na=False)
    numbers = [column for column in frame if frame[column].dtype == np.float64]
    assert len(back) == len(frame) and numbers
    for column in numbers:
        values = pd.to_numeric(back[column].replace("", np.nan)).to_numpy(dtype=float)
        assert np.array_equal(values, frame[column].to_numpy(), equal_nan=True)


def test_a_notebook_shows_the_markdown(tables: dict[str, Table]) -> None:
    assert tables["rank"]._repr_markdown_() == to_markdown(tables["rank"])


def test_options_of_latex(tables: dict[str, Table]) -> None:
    text = to_latex(tables["rank"], caption="Mine & yours.", label="tab:x", size="small", comment="one\ntwo")
    assert text.startswith("% one\n% two\n") and r"\caption{Mine \& yours.}" in text and "\\small\n" in text
    assert r"\label{tab:x}" in text and "diverged" in text


def test_texts_are_escaped() -> None:
    assert escaped("a_b 5% & #1 {x} ~ ^ \\") == (
        r"a\_b 5\% \& \#1 \{x\} \textasciitilde{} \textasciicircum{} \textbackslash{}"
    )
    assert escaped("-0.5 [-1.2e-7, inf]") == r"$-$0.5 [$-1.2\times10^{-7}$, inf]"
    assert escaped("T = 50, p < 0.05 → x") == r"$T$ = 50, $p$ $<$ 0.05 $\to$ x"
    assert escaped("Kaplan-Meier log-normal") == "Kaplan-Meier log-normal"


def test_markdown_escapes_what_would_break_a_row() -> None:
    table = Table(
        "x", pd.DataFrame(), ("a|b", "n"), ((Entry("c|d"), Entry("1", best=True, mark="*")),), "C.", ("N.",), 1
    )
    text = to_markdown(table, comment="from here")
    assert text.startswith("<!-- from here -->\n\nC.\n\n| a") and "c\\|d" in text and "**1**\\*" in text
    assert text.endswith("\nN.\n")
