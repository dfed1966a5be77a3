"""What lies behind a cell: the same values, and where they come from."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from gtr_bench.cli.main import execute
from gtr_bench.errors import RequestError
from gtr_bench.report.build import build_report
from gtr_bench.report.explain import explain, render_explanation
from gtr_bench.suite.expand import Job

from .conftest import SUITE, write_job

Fill = Callable[..., Path]


def test_every_cell_of_a_report_is_explained_by_its_own_values_and_jobs(fill: Fill, jobs: list[Job]) -> None:
    results = fill(jobs)
    (suite,) = build_report([results]).suites
    for table in suite.tables:
        for cell in table.cells:
            found = explain([results], cell.id)
            assert tuple(each.value for each in found.jobs) == cell.values
            assert tuple(each.job for each in found.jobs) == cell.jobs
            assert tuple(each.seed for each in found.jobs) == cell.seeds
            assert found.definition == table.definition


def test_the_end_of_an_id_is_enough_where_only_one_cell_ends_so(fill: Fill, jobs: list[Job]) -> None:
    results = fill(jobs)
    assert explain([results], "drop/acrobot_swap/gtr").id == "swap/laptop/drop/acrobot_swap/gtr"
    with pytest.raises(RequestError, match="cells or claims end in `acrobot_swap/gtr`"):
        explain([results], "acrobot_swap/gtr")


def test_a_wrong_id_is_refused_with_the_nearest_one(
    fill: Fill, jobs: list[Job], capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(["report", str(fill(jobs)), "--explain", "swap/laptop/drop/acrobot_swop/gtr"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "did you mean `swap/laptop/drop/acrobot_swap/gtr`?" in captured.err


def test_reference_runs_are_named_where_the_metric_reads_them(fill: Fill, jobs: list[Job]) -> None:
    results = fill(jobs)
    references = [
        job.id for job in jobs if (job.sequence, job.algorithm, job.role) == ("acrobot_swap", "ppo", "reference")
    ]
    for algorithm in ("gtr", "ppo"):
        found = explain([results], f"recovery_steps/acrobot_swap/{algorithm}")
        assert (found.compared_with, found.reference) == (tuple(references), "ppo")
    assert "reference runs: those of `ppo`, for all algorithms" in render_explanation(found)
    assert explain([results], "lifetime_return/acrobot_swap/gtr").compared_with == ()


def test_failed_missing_and_diverged_jobs_are_explained_too(
    fill: Fill, jobs: list[Job], capsys: pytest.CaptureFixture[str]
) -> None:
    own = [job for job in jobs if (job.sequence, job.algorithm, job.role) == ("acrobot_swap", "gtr", "run")]
    results = fill([job for job in jobs if job not in own[:3]])
    write_job(results, own[0], SUITE, status="diverged", stop=10_500)
    write_job(results, own[1], SUITE, finished=False)
    (results / "jobs" / own[1].id / "failure.json").write_text(json.dumps({"reason": "oom", "message": "too big"}))
    arguments = ["report", str(results), "--explain", "lifetime_return/acrobot_swap/gtr"]
    assert execute(arguments) == 0
    text = re.sub(" +", " ", capsys.readouterr().out)
    assert f"- failed (oom: too big) {own[1].id}" in text
    assert "git: 0123456789abcdef0123456789abcdef01234567" in text
    assert str(results / "jobs" / own[1].id / "failure.json") in text
    assert execute([*arguments, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [each["state"] for each in found["jobs"]] == ["diverged", "failed", "missing", "complete", "complete"]
    assert found["jobs"][3]["provenance"]["packages"] == {"numpy": "2.0"}
    assert found["jobs"][2]["files"] == []


def test_a_cell_is_explained_as_text_or_json_only(
    fill: Fill, jobs: list[Job], capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["report", str(fill(jobs[:2])), "--explain", "drop/acrobot_swap/gtr", "--format", "latex"]
    assert execute(arguments) == 2
    assert "is not explained as latex" in capsys.readouterr().err


def test_a_claim_is_explained_by_its_verdict_interval_test_pairs_and_files(
    fill: Fill, jobs: list[Job], capsys: pytest.CaptureFixture[str]
) -> None:
    results = fill(jobs)
    (suite,) = build_report([results]).suites
    (claim,) = suite.claims
    found = explain([results], claim.id)
    behind = found.behind
    assert found.id == f"swap/laptop/{claim.id}"
    assert behind is not None
    assert (behind.effect, behind.low, behind.high) == (claim.effect, claim.low, claim.high)
    assert (behind.p, behind.p_adjusted, behind.test) == (claim.p, claim.p_adjusted, claim.test)
    assert {each.job for each in found.jobs if each.value is not None} == set(claim.jobs)
    by_environment = [
        [each.difference for each in behind.pairs if each.environment == name] for name in claim.environments
    ]
    assert all(len(differences) == claim.n == 5 for differences in by_environment)
    means = [sum(differences) / len(differences) for differences in by_environment]
    assert sum(means) / len(means) == pytest.approx(claim.effect)
    assert execute(["report", str(results), "--explain", claim.id]) == 0
    text = capsys.readouterr().out
    for said in (
        claim.text,
        f"verdict: {claim.verdict}",
        f"test: {claim.test}",
        "% interval: ",
        "job.parquet",
        "pairs",
    ):
        assert said in text
    assert execute(["report", str(results), "--explain", claim.id, "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["behind"]["pairs"]) == 10


def test_a_cell_is_explained_by_its_interval_and_its_difference_pair_by_pair(fill: Fill, jobs: list[Job]) -> None:
    results = fill(jobs)
    (suite,) = build_report([results]).suites
    for cell in suite.tables[0].cells:
        behind = explain([results], cell.id).behind
        assert behind is not None
        assert (behind.value, behind.value_low, behind.value_high) == (cell.value, cell.low, cell.high)
        if cell.algorithm == "ppo":
            assert (behind.effect, behind.pairs, behind.test) == (None, (), "")
            continue
        assert (behind.effect, behind.low) == (cell.difference.value, cell.difference.low)
        assert [each.value for each in behind.pairs] == list(cell.values)
        mean = sum(each.difference for each in behind.pairs) / cell.n
        assert mean == pytest.approx(cell.difference.value)
        assert behind.p == pytest.approx(2 / 2**cell.n)  # all differences have one sign
        assert "pairs\nenvironment" in render_explanation(explain([results], cell.id))


def test_a_misspelt_claim_is_answered_with_its_name(fill: Fill, jobs: list[Job]) -> None:
    with pytest.raises(RequestError) as caught:
        explain([fill(jobs[:20])], "gtr vs pp")
    assert caught.value.hint == "did you mean `gtr vs ppo`?"
