"""docs/results.md names every column and metric, and its pandas lines run."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from gtr_bench.metrics.registry import metrics
from gtr_bench.store.schema import EVALUATIONS, ITERATIONS, JOB
from gtr_bench.store.writer import write_table

TEXT = (Path(__file__).parents[2] / "docs" / "results.md").read_text(encoding="utf-8")


def section(name: str) -> list[str]:
    """The names in the first column of the table a section begins with."""
    part = re.split(r"\n###? ", TEXT.split(f"\n## {name}\n")[1])[0]
    return re.findall(r"^\| `([^`]+)` \|", part, flags=re.MULTILINE)


@pytest.mark.parametrize(
    ("name", "schema"),
    [("evaluations.parquet", EVALUATIONS), ("iterations.parquet", ITERATIONS), ("job.parquet", JOB)],
)
def test_every_column_is_documented_in_the_order_of_the_file(name: str, schema: object) -> None:
    assert section(name) == schema.names  # type: ignore[attr-defined]


def test_every_metric_is_documented() -> None:
    assert set(section("What a report computes")) == set(metrics.names())


def test_the_pandas_lines_run_on_what_the_writer_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "results" / "jobs" / "a"
    folder.mkdir(parents=True)
    numbers = {name: np.arange(2) for name in ("step", "phase", "evaluated_phase", "episodes")}
    rows = {"job": ["a", "a"], "point": ["grid", "end"], "return_mean": [1.0, 3.0]}
    write_table(folder / "evaluations.parquet", EVALUATIONS, {**numbers, **rows})
    row = {"job": "a", "status": "complete", "suite": "s", "definition": "{}", "seed": 4}
    labels = {"algorithm": "ppo", "algorithm_name": "ppo", "sequence": "w"}
    write_table(folder / "job.parquet", JOB, {name: [value] for name, value in {**row, **labels}.items()})
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
    exec(code, names)
    assert names["means"].to_dict() == {("w", "ppo", 4): 2.0}  # type: ignore[attr-defined]
