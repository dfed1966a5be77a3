"""Which values are called best, and what is told about the jobs that gave none."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gtr_bench.metrics.comparison import holm, sign_flip
from gtr_bench.metrics.interval import bootstrap
from gtr_bench.report.build import build_report
from gtr_bench.report.tables import MetricTable, TableCell
from gtr_bench.suite.expand import Job
from gtr_bench.suite.load import parse_suite

from . import conftest
from .conftest import SUITE, write_job

Fill = Callable[..., Path]


def table(results: Path, metric: str = "lifetime_return") -> MetricTable:
    """The only suite's table of one metric."""
    (suite,) = build_report([results]).suites
    return next(each for each in suite.tables if each.metric == metric)


def cells(results: Path, environment: str, metric: str = "lifetime_return") -> dict[str, TableCell]:
    """The cells of one environment by algorithm."""
    return {cell.algorithm: cell for cell in table(results, metric).cells if cell.sequence == environment}


def with_seeds(count: int) -> str:
    """The suite at laptop scale with `count` seeds."""
    return SUITE.replace("seeds = 5\n", f"seeds = {count}\n")


def test_five_seeds_of_one_sign_do_not_make_a_value_best_and_six_do(fill: Fill) -> None:
    for count, best in ((5, False), (6, True)):
        text = with_seeds(count)
        jobs = parse_suite(text, path="swap.toml", scale="laptop").jobs()
        found = cells(fill(jobs, text=text, name=str(count)), "cartpole_swap")
        # gtr is higher with every seed: 2 / 2^5 and 2 / 2^6
        assert [found["gtr"].best, found["ppo"].best] == [best, False]
        # with five seeds the test could not have told them apart, so it says nothing
        assert not found["gtr"].tied
        assert not found["ppo"].tied


def test_lower_is_best_where_the_metric_says_so(fill: Fill) -> None:
    text = with_seeds(6)
    jobs = parse_suite(text, path="swap.toml", scale="laptop").jobs()
    found = cells(fill(jobs, text=text), "acrobot_swap", "recovery_steps")
    assert found["gtr"].best
    assert not found["ppo"].tied


def test_a_neutral_metric_has_no_best_value(fill: Fill) -> None:
    text = with_seeds(6)
    results = fill(parse_suite(text, path="swap.toml", scale="laptop").jobs(), text=text)
    (suite,) = build_report([results], metric_names=["drop"]).suites
    assert not any(cell.best or cell.tied for cell in suite.tables[0].cells)


def test_holm_is_over_all_pairs_of_an_environment(fill: Fill, monkeypatch: pytest.MonkeyPatch) -> None:
    """With three algorithms the same six seeds no longer suffice: 3 x 2/64 > 0.05."""
    text = with_seeds(6) + '[[algorithm]]\nid = "spo"\n'
    monkeypatch.setitem(conftest.RATES, "spo", 3500.0)
    jobs = parse_suite(text, path="swap.toml", scale="laptop").jobs()
    found = cells(fill(jobs, text=text), "cartpole_swap")
    pairs = (("ppo", "gtr"), ("ppo", "spo"), ("gtr", "spo"))
    values = {label: dict(zip(cell.seeds, cell.values, strict=True)) for label, cell in found.items()}
    p = [sign_flip([[values[a][seed] - values[b][seed] for seed in values[a]]]).p for a, b in pairs]
    assert max(holm(p)[0], holm(p)[2]) > 0.05 >= max(p[0], p[2])
    assert (found["gtr"].best, found["gtr"].tied) == (False, False)


def test_failed_missing_and_diverged_jobs_are_listed_with_their_reasons(fill: Fill, jobs: list[Job]) -> None:
    own = [job for job in jobs if (job.sequence, job.algorithm, job.role) == ("cartpole_swap", "gtr", "run")]
    results = fill([job for job in jobs if job not in own])
    write_job(results, own[0], SUITE, finished=False, stop=4000)
    write_job(results, own[1], SUITE, finished=False, stop=4000)
    failure: dict[str, Any] = {"reason": "oom", "message": "wanted 12 GB"}
    (results / "jobs" / own[1].id / "failure.json").write_text(json.dumps(failure))
    write_job(results, own[2], SUITE, status="diverged", stop=10_500)
    (suite,) = build_report([results]).suites
    found = {(each.state, each.reason): (each.seeds, each.jobs) for each in suite.missing}
    assert found == {
        ("missing", "started, not finished"): ((0,), (own[0].id,)),
        ("failed", "oom: wanted 12 GB"): ((1,), (own[1].id,)),
        ("diverged", "diverged at step 10,500; counts the worst"): ((2,), (own[2].id,)),
        ("missing", "never started"): ((3, 4), (own[3].id, own[4].id)),
    }
    assert {(each.environment, each.algorithm, each.role) for each in suite.missing} == {
        ("cartpole_swap", "gtr", "run")
    }


def test_aggregates_have_gap_profile_and_probability_of_improvement(fill: Fill, jobs: list[Job]) -> None:
    found = table(fill(jobs))
    ppo, gtr = found.aggregates
    assert ppo.improvement is None
    assert gtr.improvement is not None
    assert gtr.improvement.value == pytest.approx(1.0, abs=0.05)
    assert gtr.mean is not None
    assert gtr.optimality_gap is not None
    # no run is above 1, so the gap is what the mean lacks
    assert gtr.optimality_gap.value == pytest.approx(1 - gtr.mean.value)
    (profile,) = (each for each in found.profiles if each.algorithm == "gtr")
    assert (profile.thresholds[0], profile.thresholds[-1]) == (0.0, 1.0)
    assert all(low <= share <= high for low, share, high in zip(profile.low, profile.shares, profile.high, strict=True))
    assert list(profile.shares) == sorted(profile.shares, reverse=True)


def test_steps_are_aggregated_as_shares_of_a_phase_without_gap_or_profile(fill: Fill, jobs: list[Job]) -> None:
    found = table(fill(jobs), "recovery_steps")
    values = [cell.value for cell in found.cells if cell.algorithm == "gtr"]
    (gtr,) = (each for each in found.aggregates if each.algorithm == "gtr")
    assert gtr.mean is not None
    assert gtr.mean.value == pytest.approx(sum(value or 0 for value in values) / 2 / 10_000)
    assert (gtr.optimality_gap, found.profiles) == (None, ())
    assert gtr.improvement is not None
    assert gtr.improvement.value > 0.9


def test_bca_intervals_are_shown_and_named_where_they_are_asked_for(fill: Fill, jobs: list[Job]) -> None:
    results = fill(jobs)
    plain, asked = build_report([results]), build_report([results], interval="bca")
    assert "95% Student's t interval" in plain.method
    assert "95% BCa bootstrap interval over seeds" in asked.method
    cell, other = (each.suites[0].tables[0].cells[0] for each in (asked, plain))
    found = bootstrap(cell.values, method="bca")
    assert (cell.low, cell.high) == (found.low, found.high) != (other.low, other.high)
    assert asked.suites[0].claims == plain.suites[0].claims
