"""What `status` says of running cohorts."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest

from gtr_bench.cli.status import _lines
from gtr_bench.schedule.assignments import job_record
from gtr_bench.schedule.claims import FlockClaim
from gtr_bench.schedule.folders import ResultsFolder
from gtr_bench.schedule.status import read_status


@pytest.mark.parametrize(
    ("age", "state", "speed", "said"),
    [
        (1.0, "running", 63.0, "running, phase 1/2, 10% of steps, 63 steps/s"),
        (45.0, "silent", None, "silent for 4[5-9] s, phase 1/2, 10% of steps, - steps/s"),
    ],
)
def test_a_worker_without_a_word_for_half_a_minute_is_silent(
    jobs: Any, folder: ResultsFolder, age: float, state: str, speed: float | None, said: str
) -> None:
    (job,) = jobs(1)
    claim = FlockClaim.take(folder.lock(job.id), job.id)
    assert claim is not None
    claim.name_cohort("c" * 16)
    cohort = folder.cohort("c" * 16)
    cohort.mkdir(parents=True)
    (cohort / "cohort.json").write_text(json.dumps({"jobs": [job_record(job)]}))
    beat = {"state": "running", "phase": 0, "phases": 2, "step": 5, "steps": 50, "steps_per_second": 63.0}
    (cohort / "heartbeat.json").write_text(json.dumps({**beat, "time": time.time() - age}))
    found = read_status(folder, [job.id])
    assert (found.running[0].state, found.running[0].steps_per_second) == (state, speed)
    assert found.running[0].silent_seconds == (pytest.approx(age, abs=5.0) if speed is None else None)
    (line,) = [line for line in _lines(found, {}, "results") if line.startswith("running: ")]
    # A slow machine takes a second or two from writing to reading.
    assert re.fullmatch(r".*\(1 job\): " + said, line)
    claim.release()
