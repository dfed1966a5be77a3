"""Every cohort that starts has a record of its end, also when somebody else stopped it."""

from __future__ import annotations

import io
import json
from typing import Any

from gtr_bench.schedule.assignments import Assignment, job_record
from gtr_bench.schedule.heartbeat import Heartbeat
from gtr_bench.schedule.ndjson import NdjsonObserver
from gtr_bench.schedule.observer import Fanout, WorkerView


def test_a_preempted_and_a_stopped_cohort_are_told_apart_with_their_step(jobs: Any) -> None:
    (job,) = jobs(1)
    beat = Heartbeat("stopped", 0.0, 0, 1, 50, 100, None, None, None)
    view = WorkerView(Assignment("c", (job,), (job_record(job),)), beat, None, 1.0)
    stream = io.StringIO()
    told = Fanout(NdjsonObserver(stream))
    told.started(view)
    told.preempted(view)
    told.stopped(view)
    started, *ends = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert started["pid"] is None
    assert [(end["event"], end["cohort"], end["jobs"], end["step"]) for end in ends] == [
        ("cohort_preempted", "c", [job.id], 50),
        ("cohort_stopped", "c", [job.id], 50),
    ]
