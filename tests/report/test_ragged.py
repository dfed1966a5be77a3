"""Whatever is missing, a report is made, counts what is missing, and tests the pairs that are there."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gtr_bench.report.build import build_report
from gtr_bench.report.formats import render
from gtr_bench.report.model import Report
from gtr_bench.suite.expand import Job
from gtr_bench.suite.load import parse_suite

from .conftest import SUITE, write_job

CLAIM = """
[[claim]]
id = "{id}"
better = "gtr"
than = "ppo"
metric = "lifetime_return"
direction = "higher"
"""
TEXT = (
    SUITE.replace("seeds = 5\n", "seeds = 3\n")
    + CLAIM.format(id="keeps")
    + CLAIM.format(id="safe")
    + 'kind = "non_inferiority"\nmargin = 0.1\n'
)
JOBS = parse_suite(TEXT, path="swap.toml", scale="laptop").jobs()
RUNS = [job for job in JOBS if job.role == "run"]
STATES = ("complete", "diverged", "unfinished", "failed", "absent")
METRICS = ("lifetime_return", "recovery_steps", "oracle_gap", "drop", "performance.cw")
Written = Callable[[Job, str], Path]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """A job's folder in one of the states, written once."""
    found: dict[tuple[str, str], Path] = {}
    root = tmp_path_factory.mktemp("states")

    def folder(job: Job, state: str) -> Path:
        if (job.id, state) not in found:
            place = root / str(len(found))
            if state == "complete":
                found[job.id, state] = write_job(place, job, TEXT)
            elif state == "diverged":
                found[job.id, state] = write_job(place, job, TEXT, status="diverged", stop=10_500)
            else:
                found[job.id, state] = write_job(place, job, TEXT, finished=False, stop=4000)
                if state == "failed":
                    failure = {"reason": "oom", "message": "wanted 12 GB"}
                    (found[job.id, state] / "failure.json").write_text(json.dumps(failure))
        return found[job.id, state]

    return folder


def report_on(written: Written, states: dict[Job, str], metrics: tuple[str, ...]) -> Report:
    """The report on a folder with these jobs."""
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder)
        for job, state in states.items():
            if state != "absent":
                shutil.copytree(written(job, state), results / "jobs" / job.id)
        return build_report([results], metric_names=metrics)


def expected_pairs(states: dict[str, dict[str, dict[int, str]]]) -> int:
    """Fewest shared seeds of any environment: complete and diverged jobs have a `lifetime_return`, and failed ones
    count the worst where a job of their side has finished."""
    shared = []
    for algorithms in states.values():
        sides = [algorithms["gtr"], algorithms["ppo"]]
        if not all({"complete", "diverged"} & set(side.values()) for side in sides):
            return 0
        seeds = [
            {seed for seed, state in side.items() if state in ("complete", "diverged", "failed")} for side in sides
        ]
        shared.append(len(set.intersection(*seeds)))
    return min(shared)


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    drawn=st.lists(st.sampled_from(STATES), min_size=len(RUNS), max_size=len(RUNS)),
    references=st.sampled_from(("all", "none", "some")),
    empty=st.booleans(),
    shown=st.lists(st.sampled_from(METRICS), min_size=1, max_size=3, unique=True),
)
def test_a_report_on_ragged_results_counts_every_job_and_tests_the_pairs_it_has(
    written: Written, drawn: list[str], references: str, *, empty: bool, shown: list[str]
) -> None:
    states = dict(zip(RUNS, drawn, strict=True))
    if empty:
        # one environment without an algorithm
        states |= {job: "absent" for job in RUNS if (job.sequence, job.algorithm) == ("acrobot_swap", "gtr")}
    # Without a cohort only a finished job says what suite it belongs to.
    states[RUNS[0]] = "complete" if states[RUNS[0]] != "diverged" else "diverged"
    kept = {"all": lambda seed: True, "none": lambda seed: False, "some": lambda seed: seed == 0}[references]
    whole = states | {job: "complete" if kept(job.seed) else "absent" for job in JOBS if job.role == "reference"}
    report = report_on(written, whole, tuple(shown))
    for form in ("terminal", "markdown", "html", "latex", "csv", "json"):
        assert render(report, form)
    (suite,) = report.suites
    assert sum(suite.jobs.values()) == len(JOBS)
    count = list(whole.values()).count
    missing = count("unfinished") + count("absent")
    assert suite.jobs == {
        "complete": count("complete"), "diverged": count("diverged"), "failed": count("failed"), "missing": missing
    }  # fmt: skip
    by_place: dict[str, dict[str, dict[int, str]]] = {}
    for job, state in states.items():
        by_place.setdefault(job.sequence, {}).setdefault(job.algorithm, {})[job.seed] = state
    for table in suite.tables:
        for cell in table.cells:
            here = list(by_place[cell.sequence][cell.algorithm].values())
            # Every job of a cell has a value, no value of this metric, or none at all; nothing is dropped.
            assert cell.n + cell.undefined + cell.failed + cell.missing == len(here)
            assert cell.failed == here.count("failed")
            assert cell.missing == here.count("unfinished") + here.count("absent")
            assert cell.diverged <= here.count("diverged")
            assert (cell.value is None) == (cell.n == 0)
            assert cell.difference is None or cell.difference.n <= cell.n
    n = expected_pairs(by_place)
    for claim in suite.claims:
        if claim.id in ("keeps", "safe") and claim.p is not None and "sign-flip" in claim.test:
            assert claim.n == n
        if claim.p is None:
            assert (claim.verdict, bool(claim.reason)) == ("undecided", True)
    if n >= 2:
        assert next(each for each in suite.claims if each.id == "keeps").n == n
