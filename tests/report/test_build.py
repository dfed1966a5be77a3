"""The numbers of a report: from which jobs they come, and what happens to the jobs that gave none."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from gtr_bench.errors import RequestError, UnknownNameError
from gtr_bench.metrics.interval import bootstrap
from gtr_bench.report.build import build_report
from gtr_bench.report.json import render_json
from gtr_bench.report.model import Report
from gtr_bench.report.tables import TableCell
from gtr_bench.suite.expand import Job
from gtr_bench.suite.identity import job_id
from gtr_bench.suite.load import parse_suite

from .conftest import SUITE, evaluation_rows, write_job

Fill = Callable[..., Path]


def cell(report: Report, sequence: str, algorithm: str, metric: str = "lifetime_return") -> TableCell:
    """The only cell of that place in the only suite."""
    (suite,) = report.suites
    (table,) = (each for each in suite.tables if each.metric == metric)
    (found,) = (each for each in table.cells if (each.sequence, each.algorithm) == (sequence, algorithm))
    return found


def lifetime(job: Job) -> float:
    """Lifetime return from the rows as they were written."""
    rows = evaluation_rows(job)
    kept = [
        value
        for value, point in zip(rows["return_mean"], rows["point"], strict=True)
        if point not in ("start", "after_shift")
    ]
    return float(np.mean(kept))


def of(jobs: list[Job], sequence: str, algorithm: str) -> list[Job]:
    """The main jobs of one cell, by seed."""
    return [job for job in jobs if (job.sequence, job.algorithm, job.role) == (sequence, algorithm, "run")]


def test_a_cell_is_the_mean_over_seeds_with_its_t_interval_and_ids(fill: Fill, jobs: list[Job]) -> None:
    report = build_report([fill(jobs)])
    own = of(jobs, "cartpole_swap", "gtr")
    expected = bootstrap([lifetime(job) for job in own], method="t")
    found = cell(report, "cartpole_swap", "gtr")
    assert (found.value, found.low, found.high, found.n) == pytest.approx(
        (expected.value, expected.low, expected.high, 5)
    )
    assert found.jobs == tuple(job.id for job in own)
    assert found.seeds == (0, 1, 2, 3, 4)
    assert found.values == pytest.approx([lifetime(job) for job in own])
    assert found.id == "swap/laptop/lifetime_return/cartpole_swap/gtr"


def test_differences_are_paired_by_seed(fill: Fill, jobs: list[Job]) -> None:
    report = build_report([fill(jobs)])
    pairs = zip(of(jobs, "cartpole_swap", "gtr"), of(jobs, "cartpole_swap", "ppo"), strict=True)
    expected = np.mean([lifetime(ours) - lifetime(theirs) for ours, theirs in pairs])
    found = cell(report, "cartpole_swap", "gtr").difference
    assert found is not None
    # Five pairs cannot reject any difference.
    assert (found.value, found.low, found.high, found.n) == (pytest.approx(expected), -math.inf, math.inf, 5)
    assert cell(report, "cartpole_swap", "ppo").difference is None


def test_the_primary_metric_comes_first_and_uses_the_reference_runs(fill: Fill, jobs: list[Job]) -> None:
    results = fill(jobs)
    (suite,) = build_report([results]).suites
    assert [table.metric for table in suite.tables] == ["recovery_steps", "lifetime_return"]
    assert all(found.n == 5 for found in suite.tables[0].cells)
    without = fill([job for job in jobs if job.role == "run"], name="without")
    found = cell(build_report([without]), "cartpole_swap", "gtr", "recovery_steps")
    assert (found.value, found.n, found.undefined) == (None, 0, 5)


def test_missing_and_failed_jobs_are_counted_not_hidden(fill: Fill, jobs: list[Job]) -> None:
    own = of(jobs, "cartpole_swap", "gtr")
    results = fill([job for job in jobs if job not in own[:3]])
    write_job(results, own[0], SUITE, finished=False, stop=4000)
    write_job(results, own[1], SUITE, finished=False, stop=4000)
    (results / "jobs" / own[1].id / "failure.json").write_text(json.dumps({"reason": "oom", "message": "m"}))
    report = build_report([results])
    found = cell(report, "cartpole_swap", "gtr")
    assert (found.n, found.failed, found.missing) == (2, 1, 2)
    assert found.difference is not None
    assert found.difference.n == 2
    assert report.suites[0].jobs == {"complete": 37, "diverged": 0, "failed": 1, "missing": 2}
    assert "failed: 1 oom; `gtr-bench logs JOB` says why" in report.suites[0].notes


def test_a_diverged_job_counts_the_worst_return_whenever_it_diverged(fill: Fill, jobs: list[Job]) -> None:
    own = of(jobs, "acrobot_swap", "gtr")
    results = fill([job for job in jobs if job != own[0]])
    write_job(results, own[0], SUITE, status="diverged", stop=10_500)
    found = cell(build_report([results]), "acrobot_swap", "gtr")
    seen = [rows for job in jobs if job.sequence == "acrobot_swap" for rows in [evaluation_rows(job)]]
    worst = min(-500.0, *(min(rows["return_mean"]) for rows in seen))
    values = [lifetime(job) for job in own[1:]] + [worst]
    assert (found.n, found.diverged, found.missing) == (5, 1, 0)
    assert found.value == pytest.approx(np.mean(values))


def test_without_normalisation_a_diverged_job_counts_the_worst_return_seen_in_that_environment(
    fill: Fill, jobs: list[Job]
) -> None:
    text = SUITE.replace("normalise = { min = -500.0, max = -60.0 }\n", "")
    own = of(jobs, "acrobot_swap", "gtr")
    results = fill([job for job in jobs if job != own[0]], text=text)
    write_job(results, own[0], text, status="diverged", stop=0)
    here = [job for job in jobs if job.sequence == "acrobot_swap" and job != own[0]]
    worst = min(min(evaluation_rows(job)["return_mean"]) for job in here)
    worst = min(worst, *evaluation_rows(own[0], 0)["return_mean"])
    found = cell(build_report([results]), "acrobot_swap", "gtr")
    assert found.value == pytest.approx(np.mean([*(lifetime(job) for job in own[1:]), worst]))


def test_a_return_that_is_not_finite_makes_a_job_count_as_diverged(fill: Fill, jobs: list[Job]) -> None:
    results = fill(jobs)
    own = of(jobs, "cartpole_swap", "ppo")[0]
    path = results / "jobs" / own.id / "evaluations.parquet"
    table = pq.read_table(path)
    values = table["return_mean"].to_pylist()
    values[-1] = float("nan")
    pq.write_table(
        table.set_column(table.column_names.index("return_mean"), table.schema.field("return_mean"), [values]), path
    )
    found = cell(build_report([results]), "cartpole_swap", "ppo")
    assert (found.n, found.diverged) == (5, 1)
    assert found.value is not None


def test_aggregates_are_means_of_normalised_returns_over_environments(fill: Fill, jobs: list[Job]) -> None:
    (suite,) = build_report([fill(jobs)]).suites
    table = suite.tables[1]
    (found,) = (row for row in table.aggregates if row.algorithm == "ppo")
    cartpole = np.mean([lifetime(job) for job in of(jobs, "cartpole_swap", "ppo")]) / 500
    acrobot = (np.mean([lifetime(job) for job in of(jobs, "acrobot_swap", "ppo")]) + 500) / 440
    assert found.mean is not None
    assert found.mean.value == pytest.approx((cartpole + acrobot) / 2)
    assert (found.environments, found.n) == (2, 5)


def test_an_aggregate_over_a_missing_environment_is_missing(fill: Fill, jobs: list[Job]) -> None:
    gone = of(jobs, "cartpole_swap", "ppo")
    (suite,) = build_report([fill([job for job in jobs if job not in gone])]).suites
    (found,) = (row for row in suite.tables[1].aggregates if row.algorithm == "ppo")
    assert (found.mean, found.n) == (None, 0)


def test_jobs_of_an_earlier_version_of_the_suite_are_left_out_with_a_note(fill: Fill, jobs: list[Job]) -> None:
    older = parse_suite(SUITE.replace("sigma = 0.5", "sigma = 0.4"), path="swap.toml", scale="laptop").jobs()
    results = fill(jobs)
    for job in of(older, "cartpole_swap", "gtr"):
        write_job(results, job, SUITE)
    report = build_report([results])
    assert cell(report, "cartpole_swap", "gtr").n == 5
    assert "5 jobs of an earlier version of the suite left out" in report.suites[0].notes


def test_jobs_that_ran_with_other_package_versions_are_found_and_said_so(fill: Fill, jobs: list[Job]) -> None:
    definitions = [{**job.definition, "packages": {"gymnasium": "0.0"}} for job in jobs]
    moved = [replace(job, id=job_id(each), definition=each) for job, each in zip(jobs, definitions, strict=True)]
    report = build_report([fill(moved)])
    assert report.suites[0].jobs["complete"] == 40
    assert "40 jobs ran with other package versions than those installed here" in report.suites[0].notes


def test_a_suite_that_cannot_be_expanded_here_is_reported_from_its_labels(fill: Fill, jobs: list[Job]) -> None:
    text = SUITE.replace("gym:CartPole-v1", "elsewhere:CartPole-v1")
    report = build_report([fill(jobs[:12], text=text)])
    (suite,) = report.suites
    assert any("cannot be expanded here" in note for note in suite.notes)
    assert suite.jobs["complete"] == 12
    assert sum(found.n for found in suite.tables[0].cells) == sum(job.role == "run" for job in jobs[:12])


def test_a_suite_file_selects_its_jobs_by_identity_whatever_label_they_ran_under(
    fill: Fill, jobs: list[Job], tmp_path: Path
) -> None:
    file = tmp_path / "other.toml"
    file.write_text(SUITE.replace('name = "swap"', 'name = "other"'))
    report = build_report([fill(jobs)], suite=str(file))
    (suite,) = report.suites
    assert (suite.suite, suite.scale, suite.jobs["complete"]) == ("other", "laptop", 40)


def test_scales_are_reported_apart_and_only_the_smoke_scale_is_marked(fill: Fill, jobs: list[Job]) -> None:
    full = parse_suite(SUITE, path="swap.toml", scale="full").jobs()
    results = fill(jobs[:10] + full[:20])
    found = build_report([results]).suites
    assert [(suite.scale, suite.smoke) for suite in found] == [("full", False), ("laptop", True)]


def test_a_started_suite_without_a_finished_job_is_a_table_of_missing_cells(tmp_path: Path, jobs: list[Job]) -> None:
    results = tmp_path / "results"
    write_job(results, jobs[0], SUITE, finished=False, stop=2000)
    (results / "cohorts" / ("c" * 16)).mkdir(parents=True)
    labels = {
        name: getattr(jobs[0], name)
        for name in ("id", "definition", "suite", "scale", "algorithm", "sequence", "role", "seed")
    }
    content = {"jobs": [labels], "provenance": {"suite_text": SUITE, "suite_path": "swap.toml"}}
    (results / "cohorts" / ("c" * 16) / "cohort.json").write_text(json.dumps(content))
    report = build_report([results])
    assert report.suites[0].jobs == {"complete": 0, "diverged": 0, "failed": 0, "missing": 40}
    assert all(found.value is None and found.missing == 5 for found in report.suites[0].tables[0].cells)


def test_the_report_is_the_same_to_the_byte_whatever_the_order_of_files(fill: Fill, jobs: list[Job]) -> None:
    first = render_json(build_report([fill(jobs, name="one")]))
    second = render_json(build_report([fill(jobs[:30], name="two"), fill(jobs[:29:-1], name="three")]))
    assert first == second


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ({"suite": "swp"}, "did you mean `swap`?"),
        ({"baseline": "pp"}, "did you mean `ppo`?"),
        ({"metric_names": ["lifetime_retrun"]}, "did you mean `lifetime_return`?"),
    ],
)
def test_unknown_names_are_refused_with_a_suggestion(
    fill: Fill, jobs: list[Job], wrong: dict[str, object], hint: str
) -> None:
    results = fill(jobs[:2])
    with pytest.raises(UnknownNameError) as caught:
        build_report([results], **wrong)  # type: ignore[arg-type]
    assert caught.value.hint == hint


def test_a_suite_file_without_a_job_in_the_results_is_refused(fill: Fill, jobs: list[Job], tmp_path: Path) -> None:
    file = tmp_path / "other.toml"
    file.write_text(SUITE.replace('name = "swap"', 'name = "other"').replace("every = 1000", "every = 2000"))
    with pytest.raises(RequestError, match="no job of suite `other` is in the results"):
        build_report([fill(jobs[:2])], suite=str(file))
