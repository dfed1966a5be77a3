"""Reading while a run goes on: what is whole is read, what is not is named, what is newer is refused."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gtr_bench.algorithms.gtr.algorithm import GTR
from gtr_bench.errors import RequestError, ResultsError
from gtr_bench.learners.policy import PolicyLearner
from gtr_bench.store.failures import Failure
from gtr_bench.store.reader import Kind, failures, job_folders, read, unfinished_jobs
from gtr_bench.store.rows import ROW_KEYS, sound_rows, why_not_rows
from gtr_bench.store.schema import EVALUATIONS, JOB, SCHEMA_KEY, iterations_schema
from gtr_bench.store.writer import write_table
from tests.schedule.conftest import make_job

A, B, C = (letter * 16 for letter in "abc")
ITERATIONS = iterations_schema({**PolicyLearner.columns, **GTR.columns})


def _job(results: Path, job: str, *, rows: int = 3, finished: bool = True) -> Path:
    folder = results / "jobs" / job
    folder.mkdir(parents=True)
    write_table(
        folder / "evaluations.parquet",
        EVALUATIONS,
        {
            "job": [job] * rows,
            "step": np.arange(rows),
            "phase": np.zeros(rows, dtype=int),
            "evaluated_phase": np.zeros(rows, dtype=int),
            "point": ["grid"] * rows,
            "episodes": [10] * rows,
            "return_mean": np.arange(rows, dtype=float),
        },
    )
    if finished:
        labels = {"suite": ["s"], "algorithm": ["ppo"], "algorithm_name": ["ppo"], "sequence": ["swap"], "seed": [0]}
        write_table(folder / "job.parquet", JOB, {"job": [job], "status": ["complete"], "definition": ["{}"], **labels})
    return folder


def test_finished_and_half_finished_jobs_are_read_in_the_order_of_their_ids(tmp_path: Path) -> None:
    _job(tmp_path, B, finished=False)
    _job(tmp_path, A)
    (tmp_path / "jobs" / C).mkdir()
    folders = job_folders([tmp_path])
    assert list(folders) == [A, B, C]
    assert read(folders.values(), "evaluations", ["job"])["job"].to_pylist() == [A] * 3 + [B] * 3
    assert read(folders.values(), "jobs", ["job"]).to_pylist() == [{"job": A}]


def test_only_the_asked_columns_are_read_and_an_unknown_one_is_refused_with_a_suggestion(tmp_path: Path) -> None:
    _job(tmp_path, A)
    folders = job_folders([tmp_path]).values()
    assert read(folders, "evaluations", ["return_mean", "step"]).column_names == ["return_mean", "step"]
    with pytest.raises(RequestError) as caught:
        read(folders, "evaluations", ["return_maen"])
    assert caught.value.hint == "did you mean `return_mean`?"


def test_a_job_in_two_results_folders_counts_once(tmp_path: Path) -> None:
    _job(tmp_path / "one", A)
    _job(tmp_path / "two", A, rows=5)
    folders = job_folders([tmp_path / "one", tmp_path / "two"])
    assert len(read(folders.values(), "evaluations", ["job"])) == 3


@pytest.mark.parametrize("name", ["evaluations.parquet", "job.parquet"])
def test_truncated_files_are_left_out_and_named(tmp_path: Path, name: str) -> None:
    _job(tmp_path, A)
    path = _job(tmp_path, B) / name
    path.write_bytes(path.read_bytes()[:-20])
    said: list[str] = []
    kind = "jobs" if name == "job.parquet" else "evaluations"
    table = read(job_folders([tmp_path]).values(), kind, ["job"], warn=said.append)
    assert set(table["job"].to_pylist()) == {A}
    assert len(said) == 1
    assert f"`{path}`" in said[0]
    assert said[0].endswith("run the suite again to train the job anew")


@pytest.mark.parametrize("content", [b"", b"PAR1", b"not parquet at all, but long enough to have a footer"])
def test_files_that_are_not_parquet_are_left_out_and_named(tmp_path: Path, content: bytes) -> None:
    path = _job(tmp_path, A) / "evaluations.parquet"
    path.write_bytes(content)
    said: list[str] = []
    assert len(read(job_folders([tmp_path]).values(), "evaluations", warn=said.append)) == 0
    assert len(said) == 1
    assert str(path) in said[0]


def test_damage_inside_the_file_is_left_out_and_named(tmp_path: Path) -> None:
    path = _job(tmp_path, A, rows=2000) / "evaluations.parquet"
    content = bytearray(path.read_bytes())
    content[4:400] = bytes(396)
    path.write_bytes(content)
    said: list[str] = []
    assert len(read(job_folders([tmp_path]).values(), "evaluations", warn=said.append)) == 0
    assert "truncated or damaged" in said[0]


def test_foreign_parquet_is_left_out_and_named(tmp_path: Path) -> None:
    folder = _job(tmp_path, A)
    pq.write_table(pa.table({"job": [A]}), folder / "evaluations.parquet")
    said: list[str] = []
    assert len(read([folder], "evaluations", warn=said.append)) == 0
    assert said == [f"left out `{folder / 'evaluations.parquet'}`: not written by gtr-bench"]


def test_by_default_warnings_go_to_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = _job(tmp_path, A)
    (folder / "evaluations.parquet").write_bytes(b"x")
    read([folder], "evaluations")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("warning: left out `")


def test_a_file_newer_than_the_program_is_refused(tmp_path: Path) -> None:
    folder = _job(tmp_path, A)
    table = pq.read_table(folder / "evaluations.parquet").replace_schema_metadata({SCHEMA_KEY: b"999"})
    pq.write_table(table, folder / "evaluations.parquet")
    with pytest.raises(ResultsError, match="schema version 999, newer than this program's 1"):
        read([folder], "evaluations")


def test_a_column_an_older_program_did_not_write_is_null(tmp_path: Path) -> None:
    folder = _job(tmp_path, A)
    pq.write_table(pq.read_table(folder / "evaluations.parquet").drop(["success_rate"]), folder / "evaluations.parquet")
    assert read([folder], "evaluations", ["success_rate"])["success_rate"].null_count == 3


def _iterations(results: Path, job: str, **columns: float) -> Path:
    folder = results / "jobs" / job
    folder.mkdir(parents=True)
    frame = {"job": [job], "iteration": [0], "step": [8], "phase": [0]}
    own = {name: [value] for name, value in columns.items()}
    write_table(folder / "iterations.parquet", iterations_schema(columns), frame | own)
    return folder


def test_files_with_different_columns_are_read_together_with_nulls_where_one_has_none(tmp_path: Path) -> None:
    folders = [_iterations(tmp_path, A, entropy=0.5), _iterations(tmp_path, B, of_a_package=1.5, entropy=0.25)]
    table = read(folders, "iterations")
    assert table.column_names == [*ITERATIONS.names[:5], "entropy", "of_a_package"]
    assert table.select(["job", "entropy", "of_a_package"]).to_pylist() == [
        {"job": A, "entropy": 0.5, "of_a_package": None},
        {"job": B, "entropy": 0.25, "of_a_package": 1.5},
    ]


def test_a_column_this_program_does_not_know_can_be_asked_for_where_a_file_has_it(tmp_path: Path) -> None:
    folders = [_iterations(tmp_path, A, entropy=0.5), _iterations(tmp_path, B, of_a_package=1.5)]
    found = read(folders, "iterations", ["of_a_package", "job"])
    assert found.to_pylist() == [{"of_a_package": None, "job": A}, {"of_a_package": 1.5, "job": B}]


def test_a_declared_column_that_no_file_has_is_null_and_an_undeclared_one_is_refused(tmp_path: Path) -> None:
    folders = [_iterations(tmp_path, A, of_a_package=1.0)]
    assert read(folders, "iterations", ["escape_fraction"])["escape_fraction"].null_count == 1
    with pytest.raises(RequestError, match="unknown column `of_a_packge`") as caught:
        read(folders, "iterations", ["of_a_packge"])
    assert caught.value.hint == "did you mean `of_a_package`?"


def test_empty_and_missing_results_folders_are_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="no jobs in"):
        job_folders([tmp_path])
    with pytest.raises(RequestError, match="is not a results folder"):
        job_folders([tmp_path / "absent"])


def test_unfinished_jobs_come_from_the_cohort_files_once_each(tmp_path: Path) -> None:
    labels = {
        "definition": make_job().definition,
        "suite": "s",
        "scale": None,
        "algorithm": "ppo",
        "sequence": "w",
        "role": "run",
        "seed": 0,
    }
    for cohort in (A, B):
        (tmp_path / "cohorts" / cohort).mkdir(parents=True)
        content = {
            "jobs": [{"id": A, **labels}, {"id": B, **labels}],
            "provenance": {"suite_text": "text", "suite_path": "s.toml"},
        }
        (tmp_path / "cohorts" / cohort / "cohort.json").write_text(json.dumps(content))
    (tmp_path / "cohorts" / C).mkdir()
    (tmp_path / "cohorts" / C / "cohort.json").write_text("{")
    said: list[str] = []
    found = unfinished_jobs([tmp_path], finished=[A], warn=said.append)
    assert [(job["id"], job["suite_text"]) for job in found] == [(B, "text")]
    assert len(said) == 1
    assert "`" + str(tmp_path / "cohorts" / C / "cohort.json") + "`" in said[0]


def test_failures_are_read_and_a_broken_record_is_named(tmp_path: Path) -> None:
    good, broken, none = (_job(tmp_path, job) for job in (A, B, C))
    (good / "failure.json").write_text('{"reason": "oom", "message": "m"}')
    (broken / "failure.json").write_text("[]")
    said: list[str] = []
    assert failures([good, broken, none], warn=said.append) == {A: Failure("oom", "m", "", None, 0.0)}
    assert len(said) == 1


def test_two_hundred_jobs_of_a_thousand_rows_are_read_in_a_few_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = 1000
    columns = {
        "iteration": np.arange(rows),
        "step": np.arange(rows),
        "phase": np.zeros(rows, dtype=int),
        **{name: np.random.default_rng(0).normal(size=rows) for name in ITERATIONS.names[5:]},
    }
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    for job in (f"{number:016x}" for number in range(200)):
        folder = tmp_path / "jobs" / job
        folder.mkdir(parents=True)
        write_table(folder / "iterations.parquet", ITERATIONS, {"job": [job] * rows, **columns})
    started = time.process_time()
    table = read(job_folders([tmp_path]).values(), "iterations", ["step", "exact_kl", "path_efficiency"])
    assert len(table) == 200_000
    assert time.process_time() - started < 4


EVALUATED = {"job": ["a", "a"], "step": [0, 10], "phase": [0, 0], "evaluated_phase": [0, 0], "point": ["start", "grid"]}


@pytest.mark.parametrize(
    ("kind", "rows", "sound"),
    [
        ("evaluations", EVALUATED, True),
        ("evaluations", EVALUATED | {"job": ["a", "c"]}, False),
        ("evaluations", EVALUATED | {"step": [10, 10]} | {"point": ["grid", "grid"]}, False),
        ("evaluations", EVALUATED | {"step": [-1, 10]}, False),
        ("evaluations", EVALUATED | {"point": ["start", "pause"]}, False),
        ("iterations", {"job": ["a", "a"], "iteration": [0, 1]}, True),
        ("iterations", {"job": ["a", "a"], "iteration": [0, 2]}, False),
        ("iterations", {"job": ["a", "a"], "iteration": [1, 2]}, False),
        ("jobs", {"job": ["a"], "status": ["complete"]}, True),
        ("jobs", {"job": ["a"], "status": ["done"]}, False),
        ("jobs", {"job": ["a", "a"], "status": ["complete", "complete"]}, False),
        ("jobs", {"job": [], "status": []}, False),
    ],
)
def test_the_look_at_all_files_together_says_of_each_what_a_look_at_it_alone_does(
    kind: Kind, rows: dict[str, list[Any]], sound: bool
) -> None:
    schema = {"jobs": JOB, "evaluations": EVALUATIONS, "iterations": ITERATIONS}[kind]
    table = pa.table(rows, schema=pa.schema([schema.field(name) for name in ROW_KEYS[kind]]))
    good = {"jobs": {"job": ["b"], "status": ["diverged"]}, "iterations": {"job": ["b"], "iteration": [0]}}
    other = pa.table(good.get(kind, EVALUATED | {"job": ["b", "b"]}), schema=table.schema)
    assert (why_not_rows(table, kind, "a") is None) is sound
    assert sound_rows([other, table, other], kind, ["b", "a", "c"]) == [True, sound, False]
    assert sound_rows([table, other], kind, ["a", "b"]) == [sound, True]


def test_a_file_whose_texts_break_the_look_at_all_of_them_is_named_alone(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("a", "b")]
    for folder in folders:
        folder.mkdir()
        count = len(EVALUATED["step"])
        columns = EVALUATED | {"job": [folder.name] * count, "episodes": [1] * count, "return_mean": [0.0] * count}
        write_table(folder / "evaluations.parquet", EVALUATIONS, columns)
    table = pq.read_table(folders[0] / "evaluations.parquet")
    texts = pa.Array.from_buffers(
        pa.string(), 2, [None, pa.array([0, 1, 2], pa.int32()).buffers()[1], pa.py_buffer(b"\xff\xfe")]
    )
    place = table.column_names.index("job")
    pq.write_table(table.set_column(place, table.schema.field(place), texts), folders[0] / "evaluations.parquet")
    told: list[str] = []
    assert read(folders, "evaluations", ["job"], warn=told.append)["job"].to_pylist() == ["b", "b"]
    assert len(told) == 1
    assert str(folders[0]) in told[0]
