"""Tidy tables: labels and parameters beside every row."""

from __future__ import annotations

import io
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import gtr_bench
from gtr_bench.errors import RequestError
from gtr_bench.store.export import csv_bytes, save, tidy
from gtr_bench.store.schema import EVALUATIONS, JOB
from gtr_bench.store.writer import write_table
from gtr_bench.suite.identity import canonical_json, job_id
from tests.schedule.conftest import make_job

SETTINGS: dict[str, dict[str, Any]] = {
    "a": {"sigma": 0.5, "anchors": 4, "kernel": "gaussian", "clip": None, "hidden": [1]},
    "b": {"sigma": 1, "beta": 2.0, "clip": 0.2},
    "c": {"sigma": 0.1},
}


def _definition(letter: str) -> dict[str, Any]:
    """A job whose id begins with that letter, so that jobs come in the order of their settings."""
    for seed in itertools.count():
        algorithm = {"name": "gtr", "version": 1, "parameters": SETTINGS[letter]}
        definition = {**make_job(seed).definition, "algorithm": algorithm}
        if job_id(definition).startswith(letter):
            break
    return definition


DEFINITIONS = {letter: _definition(letter) for letter in SETTINGS}
A, B, C = map(job_id, DEFINITIONS.values())


def _labels(letter: str) -> dict[str, Any]:
    return {
        "job": job_id(DEFINITIONS[letter]),
        "suite": "s",
        "scale": "laptop",
        "algorithm": f"gtr {letter}",
        "sequence": "w",
        "role": "run",
        "seed": 7,
        "definition": DEFINITIONS[letter],
    }


def _write(results: Path, letter: str, *, finished: bool) -> None:
    labels = _labels(letter)
    job = labels["job"]
    folder = results / "jobs" / job
    folder.mkdir(parents=True)
    numbers = {name: np.arange(2) for name in ("step", "phase", "evaluated_phase", "episodes")}
    rows = {"job": [job] * 2, "point": ["grid", "end"], "return_mean": [1.0, 3.0]}
    write_table(folder / "evaluations.parquet", EVALUATIONS, {**numbers, **rows})
    if finished:
        row = {
            **labels,
            "definition": canonical_json(labels["definition"]),
            "status": "complete",
            "algorithm_name": "gtr",
        }
        write_table(folder / "job.parquet", JOB, {name: [value] for name, value in row.items()})
    else:
        cohort = results / "cohorts" / job
        cohort.mkdir(parents=True)
        content = {"jobs": [{**labels, "id": job}], "provenance": {"suite_text": "", "suite_path": ""}}
        (cohort / "cohort.json").write_text(json.dumps(content))


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Two finished jobs with different parameters and an unfinished one."""
    _write(tmp_path, "a", finished=True)
    _write(tmp_path, "b", finished=True)
    _write(tmp_path, "c", finished=False)
    return tmp_path


def test_every_row_carries_the_labels_and_parameters_of_its_job(results: Path) -> None:
    rows = tidy([results], "evaluations").to_pylist()
    assert [row["job"] for row in rows] == [A, A, B, B, C, C]
    first, third, last = rows[0], rows[2], rows[-1]
    assert (first["suite"], first["seed"], first["return_mean"], first["status"]) == ("s", 7, 1.0, "complete")
    assert (first["parameter.sigma"], first["parameter.anchors"], first["parameter.beta"]) == (0.5, 4, None)
    assert first["parameter.hidden"] == "[1]"
    assert (third["parameter.sigma"], third["parameter.clip"], third["parameter.kernel"]) == (1.0, 0.2, None)
    assert (last["status"], last["algorithm"], last["parameter.sigma"]) == ("unfinished", "gtr c", 0.1)


def test_jobs_are_the_finished_ones_with_their_parameters(results: Path) -> None:
    table = tidy([results], "jobs")
    assert table["job"].to_pylist() == [A, B]
    assert table["parameter.sigma"].to_pylist() == [0.5, 1.0]


def test_rows_of_a_job_nobody_describes_are_kept_without_labels(results: Path) -> None:
    (results / "cohorts" / C / "cohort.json").unlink()
    rows = tidy([results], "evaluations").to_pylist()
    assert (rows[-1]["job"], rows[-1]["suite"], rows[-1]["return_mean"]) == (C, None, 3.0)


def test_iterations_of_jobs_that_have_none_are_an_empty_table_with_what_every_row_has(results: Path) -> None:
    table = tidy([results], "iterations")
    assert len(table) == 0
    assert {"iteration", "suite", "parameter.sigma"} <= set(table.column_names)


def test_csv_and_parquet_hold_the_same_table(results: Path, tmp_path: Path) -> None:
    table = tidy([results], "evaluations")
    save(table, tmp_path / "tidy.csv")
    save(table, tmp_path / "tidy.parquet")
    assert pq.read_table(tmp_path / "tidy.parquet").equals(table)
    pd.testing.assert_frame_equal(
        pd.read_csv(tmp_path / "tidy.csv").dropna(axis=1, how="all"),
        table.to_pandas().dropna(axis=1, how="all"),
        check_dtype=False,
    )
    assert (tmp_path / "tidy.csv").read_bytes() == csv_bytes(table)
    assert len(pd.read_csv(io.BytesIO(csv_bytes(table)))) == 6


def test_an_unknown_suffix_and_a_refusing_disk_are_sentences(results: Path, tmp_path: Path) -> None:
    table = tidy([results], "jobs")
    with pytest.raises(RequestError, match=r"should end in `\.csv` or `\.parquet`"):
        save(table, tmp_path / "tidy.xlsx")
    with pytest.raises(RequestError, match="cannot be written: No such file or directory"):
        save(table, tmp_path / "absent" / "tidy.csv")


def test_achievements_are_a_map_in_parquet_json_in_csv_and_nothing_in_older_files(
    results: Path, tmp_path: Path
) -> None:
    rates = [("eat_cow", 0.25), ("wake_up", 1.0)]
    numbers = {name: np.arange(2) for name in ("step", "phase", "evaluated_phase", "episodes")}
    rows = {"job": [A] * 2, "point": ["grid", "end"], "return_mean": [1.0, 3.0], "achievements": [rates, None]}
    write_table(results / "jobs" / A / "evaluations.parquet", EVALUATIONS, {**numbers, **rows})
    older = pa.schema([field for field in EVALUATIONS if field.name != "achievements"], EVALUATIONS.metadata)
    rows = {"job": [B] * 2, "point": ["grid", "end"], "return_mean": [1.0, 3.0]}
    write_table(results / "jobs" / B / "evaluations.parquet", older, {**numbers, **rows})
    table = tidy([results], "evaluations")
    assert table["achievements"].to_pylist() == [rates, None, None, None, None, None]
    frame = pd.read_csv(io.BytesIO(csv_bytes(table)))
    assert json.loads(frame["achievements"][0]) == dict(rates)
    assert frame["achievements"][1:].isna().all()
    for name in ("t.csv", "t.parquet"):
        save(table, tmp_path / name)
    assert pd.read_csv(tmp_path / "t.csv").equals(frame)
    assert pq.read_table(tmp_path / "t.parquet")["achievements"].to_pylist()[0] == rates
    assert gtr_bench.load(results).evaluations["achievements"][0] == dict(rates)
