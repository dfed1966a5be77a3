"""States of jobs from files, and folders that cannot be used."""

from __future__ import annotations

import errno
import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from gtr_bench.errors import RequestError, ResultsError
from gtr_bench.files import write_json
from gtr_bench.schedule.claims import FlockClaim
from gtr_bench.schedule.folders import Failure, JobState, ResultsFolder, State, count_states, read_json
from gtr_bench.schedule.logs import find_job
from gtr_bench.schedule.status import read_status
from gtr_bench.store.failures import Attempt
from tests.helpers import touch_done

COHORT = "c" * 16
FAILURE = Failure("error", "why", "cohorts/x/log.txt", 5, 1.0)


def make(folder: ResultsFolder, job_id: str, *, done: bool = False, failed: bool = False) -> None:
    folder.job(job_id).mkdir(parents=True)
    if done:
        touch_done(folder.job(job_id))
    if failed:
        folder.write_failure(job_id, FAILURE)


def test_states_and_their_counts(folder: ResultsFolder) -> None:
    make(folder, "done", done=True)
    make(folder, "diverged", done=True, failed=True)
    make(folder, "failed", failed=True)
    make(folder, "begun")
    make(folder, "again", failed=True)
    claim = FlockClaim.take(folder.lock("again"), "again")
    states = folder.survey(["done", "diverged", "failed", "begun", "again", "new"])
    assert states == {
        "done": JobState(State.DONE),
        "diverged": JobState(State.DONE, "diverged"),
        "failed": JobState(State.FAILED, "error"),
        "begun": JobState(State.TO_RUN),
        "again": JobState(State.RUNNING),
        "new": JobState(State.TO_RUN),
    }
    counts = {"done": 2, "failed": 1, "running": 1, "to_run": 2, "diverged": 1, "damaged": 0}
    assert count_states(states.values()) == counts
    assert claim is not None
    claim.release()


def test_stray_files_beside_the_jobs_are_no_jobs(folder: ResultsFolder) -> None:
    assert folder.job_ids() == []
    make(folder, "0123456789abcdef", failed=True)
    (folder.jobs / ".DS_Store").touch()
    (folder.jobs / "notes").mkdir()
    assert folder.job_ids() == ["0123456789abcdef"]
    assert read_status(folder).counts["failed"] == 1
    assert find_job(folder, "") == "0123456789abcdef"


def test_a_worker_that_still_starts_has_no_phase_and_no_steps(folder: ResultsFolder) -> None:
    job_id = "0123456789abcdef"
    make(folder, job_id)
    folder.cohort(COHORT).mkdir(parents=True)
    beat = {"state": "starting", "time": 1.0, "phase": 0, "phases": 0, "step": 0, "steps": 0}
    write_json(folder.cohort(COHORT) / "heartbeat.json", beat)
    claim = FlockClaim.take(folder.lock(job_id), job_id)
    assert claim is not None
    with claim:
        claim.name_cohort(COHORT)
        (running,) = read_status(folder).running
    assert (running.state, running.phase, running.phases, running.step) == ("starting", None, None, None)


def test_failures_survive_a_round_trip_and_a_broken_one_is_told(folder: ResultsFolder) -> None:
    make(folder, "job", failed=True)
    attempt = Attempt("error", "why", 5, 1.0)
    assert folder.read_failure("job") == replace(FAILURE, attempts=(attempt,))
    keys = {"reason", "message", "log", "step", "time", "git_sha", "attempts", "environment", "at_fault"}
    assert set(json.loads(folder.failure("job").read_text())) == keys
    folder.failure("job").write_text("{")
    assert "cannot be read" in folder.read_failure("job").message
    assert folder.survey(["job"])["job"].state is State.FAILED


def test_ten_thousand_jobs_are_surveyed_in_well_under_a_second(folder: ResultsFolder) -> None:
    names = [f"{number:016x}" for number in range(10_000)]
    for name in names[::2]:
        make(folder, name, done=True)
    start = time.process_time()
    states = folder.survey(names)
    assert time.process_time() - start < 1.0
    assert count_states(states.values())["done"] == 5_000


def test_a_folder_that_cannot_be_written_is_refused_with_the_systems_word(
    folder: ResultsFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, *arguments: object, **keywords: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system", str(self))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(RequestError, match="cannot be written: Read-only file system") as caught:
        folder.prepare()
    assert "--results" in str(caught.value.hint)


def test_a_missing_folder_is_refused_where_one_is_needed(folder: ResultsFolder) -> None:
    with pytest.raises(RequestError, match="there is no results folder"):
        folder.require()


def test_json_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    write_json(path, {"a": 1})
    with pytest.raises(ValueError):
        write_json(path, {"a": float("nan")})
    assert read_json(path) == {"a": 1}
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.json"]
    path.write_text("[]")
    with pytest.raises(ResultsError, match="not a JSON object"):
        read_json(path)
