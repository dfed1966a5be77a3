"""Done means whole: job.parquet whole, and the tables of the sizes it states."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from gtr_bench.errors import ResultsError
from gtr_bench.schedule.claims import FlockClaim
from gtr_bench.schedule.folders import Failure, ResultsFolder, State
from gtr_bench.store.failures import note_attempt, read_failure, write_failure
from gtr_bench.store.reader import read
from gtr_bench.store.schema import iterations_schema
from gtr_bench.store.state import damage_of, stated
from gtr_bench.store.writer import write_summary, write_table
from gtr_bench.suite import Job
from tests.helpers import job_columns, points_of, write_finished
from tests.schedule.conftest import make_job


@pytest.fixture
def job() -> Job:
    return make_job()


@pytest.fixture
def place(tmp_path: Path, job: Job) -> Path:
    """The folder of a finished job with both tables."""
    write_finished(tmp_path, job, [1.0] * len(points_of(job)))
    folder = tmp_path / "jobs" / job.id
    write_table(folder / "iterations.parquet", iterations_schema([]), ITERATIONS | {"job": [job.id]})
    write_summary(folder, {name: value for name, (value,) in job_columns(job).items()})
    return folder


ITERATIONS: dict[str, Any] = {"iteration": [0], "step": [8], "phase": [0]}


def state(place: Path, *, thorough: bool = False) -> tuple[State, str | None]:
    folder = ResultsFolder(place.parents[1])
    found = folder.survey([place.name], thorough=thorough)[place.name]
    return found.state, found.reason


def older(place: Path) -> None:
    """As versions before sizes and checksums wrote a job."""
    for path in place.glob("*.parquet"):
        pq.write_table(pq.read_table(path), path)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def test_a_whole_job_is_done_of_this_version_and_of_one_before(place: Path) -> None:
    assert stated(place).startswith("evaluations.parquet=")
    for _ in range(2):
        assert damage_of(place) is None
        assert damage_of(place, thorough=True) is None
        assert state(place) == (State.DONE, None)
        older(place)


@pytest.mark.parametrize("before", [False, True])
@pytest.mark.parametrize("name", ["job.parquet", "evaluations.parquet", "iterations.parquet"])
def test_a_cut_file_makes_a_job_damaged(place: Path, name: str, before: bool) -> None:
    if before:
        older(place)
    cut(place / name)
    assert state(place) == (State.TO_RUN, "damaged")


@pytest.mark.parametrize("name", ["evaluations.parquet", "iterations.parquet"])
def test_a_table_of_another_size_or_none_makes_a_job_damaged(place: Path, name: str) -> None:
    longer = pq.read_table(place / name)
    (place / name).unlink()
    assert "is missing" in str(damage_of(place))
    pq.write_table(longer, place / name)
    assert "bytes, `job.parquet` says" in str(damage_of(place))


def test_a_flipped_bit_of_a_table_is_a_runs_affair_and_one_of_the_summary_everybodys(place: Path) -> None:
    content = bytearray((place / "evaluations.parquet").read_bytes())
    content[len(content) // 3] ^= 4
    (place / "evaluations.parquet").write_bytes(content)
    assert state(place) == (State.DONE, None)
    assert state(place, thorough=True) == (State.TO_RUN, "damaged")
    content = bytearray((place / "job.parquet").read_bytes())
    content[len(content) // 3] ^= 4
    (place / "job.parquet").write_bytes(content)
    assert state(place) == (State.TO_RUN, "damaged")


def test_run_and_reader_agree_on_what_is_done(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert read([place], "jobs").num_rows == 1
    cut(place / "iterations.parquet")
    assert read([place], "jobs").num_rows == 0
    assert "`iterations.parquet` has" in capsys.readouterr().err
    assert not ResultsFolder(place.parents[1]).is_done(place.name)


def test_a_claimed_damaged_job_is_running(place: Path) -> None:
    cut(place / "job.parquet")
    claim = FlockClaim.take(place / "lock", place.name)
    assert claim is not None
    with claim:
        assert state(place)[0] is State.RUNNING


def test_damaged_files_are_set_aside_before_the_job_is_trained_anew(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut(place / "evaluations.parquet")
    for number in ("", "-2"):
        ResultsFolder(place.parents[1]).clean_job(place.name)
        names = {path.name for path in place.iterdir()}
        assert names >= {f"{name}.parquet.damaged{number}" for name in ("job", "evaluations", "iterations")}
        assert not {"job.parquet", "evaluations.parquet"} & names
        for name in ("job", "evaluations", "iterations"):
            (place / f"{name}.parquet").write_bytes(b"damaged again")
    assert "kept as `job.parquet.damaged`" in capsys.readouterr().err


def failure(number: int) -> Failure:
    return Failure("error", f"attempt {number}", "log.txt", number, float(number), "0" * 40)


def test_a_failure_keeps_all_attempts_before_it(tmp_path: Path) -> None:
    note_attempt(tmp_path, failure(1))
    assert not (tmp_path / "failure.json").exists()
    write_failure(tmp_path, failure(2))
    assert not (tmp_path / "attempts.json").exists()
    note_attempt(tmp_path)  # tried again on request
    assert not (tmp_path / "failure.json").exists()
    write_failure(tmp_path, failure(3))
    found = read_failure(tmp_path)
    assert [each.message for each in found.attempts] == ["attempt 1", "attempt 2", "attempt 3"]
    assert (found.message, found.attempts[0].git_sha) == ("attempt 3", "0" * 40)
    for number in range(200):
        note_attempt(tmp_path, failure(number))
    write_failure(tmp_path, failure(200))
    assert len(read_failure(tmp_path).attempts) == 100


def test_a_failure_of_a_version_before_counts_as_an_attempt(tmp_path: Path) -> None:
    (tmp_path / "failure.json").write_text('{"reason": "oom", "message": "m", "log": "", "step": null, "time": 1.0}')
    note_attempt(tmp_path)
    write_failure(tmp_path, failure(2))
    assert [each.reason for each in read_failure(tmp_path).attempts] == ["oom", "error"]


@pytest.mark.parametrize("text", ['{"reason": []}', "[" * 200_000, '{"reason": "a", "step": 1e999}', "[]", "{}"])
def test_what_is_no_failure_is_told_in_a_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "failure.json").write_text(text)
    with pytest.raises(ResultsError):
        read_failure(tmp_path)
