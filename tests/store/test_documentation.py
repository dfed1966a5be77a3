"""docs/results.md names every column and metric, and its pandas lines run."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from gtr_bench.algorithms.registry import algorithms
from gtr_bench.learners.columns import FRAME
from gtr_bench.learners.policy import PolicyLearner
from gtr_bench.metrics.registry import metrics
from gtr_bench.store.schema import EVALUATIONS, JOB, iterations_schema
from gtr_bench.store.writer import write_table

TEXT = (Path(__file__).parents[2] / "docs" / "results.md").read_text(encoding="utf-8")


def text_of(name: str) -> str:
    """A section up to its first heading."""
    return re.split(r"\n###? ", TEXT.split(f"\n## {name}\n")[1])[0]


def section(name: str) -> list[str]:
    """The names in the first column of the table a section begins with."""
    return re.findall(r"^\| `([^`]+)` \|", text_of(name), flags=re.MULTILINE)


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("evaluations.parquet", EVALUATIONS),
        ("iterations.parquet", iterations_schema(PolicyLearner.columns)),
        ("job.parquet", JOB),
    ],
)
def test_every_column_is_documented_in_the_order_of_the_file(name: str, schema: object) -> None:
    assert section(name) == schema.names  # type: ignore[attr-defined]


def test_the_meanings_of_the_iterations_columns_are_the_declared_ones() -> None:
    declared = FRAME | PolicyLearner.columns
    rows = re.findall(r"^\| `(\w+)` \| (?:int|float)\d+ \| (.+) \|$", text_of("iterations.parquet"), flags=re.MULTILINE)
    assert dict(rows) == declared


def test_the_columns_that_algorithms_add_are_documented_as_declared() -> None:
    declared = [
        (column, name, meaning)
        for name in ("a2c", "gtr", "oracle", "ppo", "ppo_kl", "spo")
        for column, meaning in algorithms.get(name).columns.items()
    ]
    part = TEXT.split("\n### Columns that an algorithm adds\n")[1].split("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \| `(\w+)` \| (.+) \|$", part, flags=re.MULTILINE) == declared


def test_every_metric_is_documented() -> None:
    assert set(section("What a report computes")) == set(metrics.names())


def test_the_pandas_lines_run_on_what_the_writer_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "results" / "jobs" / ("a" * 16)
    folder.mkdir(parents=True)
    numbers = {name: np.arange(2) for name in ("step", "phase", "evaluated_phase", "episodes")}
    rows = {"job": ["a" * 16] * 2, "point": ["grid", "end"], "return_mean": [1.0, 3.0]}
    write_table(folder / "evaluations.parquet", EVALUATIONS, {**numbers, **rows})
    row = {"job": "a" * 16, "status": "complete", "suite": "s", "definition": "{}", "seed": 4}
    labels = {"algorithm": "ppo", "algorithm_name": "ppo", "sequence": "w"}
    write_table(folder / "job.parquet", JOB, {name: [value] for name, value in {**row, **labels}.items()})
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
    exec(code, names)
    assert names["means"].to_dict() == {("w", "ppo", 4): 2.0}  # type: ignore[attr-defined]
