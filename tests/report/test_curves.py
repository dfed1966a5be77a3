"""Learning curves of a report: means, bands, seeds' own lines and the places where worlds change."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gtr_bench.report.build import build_report
from gtr_bench.report.model import LearningCurve
from gtr_bench.suite.expand import Job

from .conftest import SUITE, evaluation_rows, write_job

Fill = Callable[..., Path]


def curve(results: Path, environment: str, algorithm: str) -> LearningCurve:
    """The only curve of that place."""
    (suite,) = build_report([results], curves=True).suites
    (found,) = (each for each in suite.curves if (each.environment, each.algorithm) == (environment, algorithm))
    return found


def test_a_curve_is_the_mean_of_its_seeds_lines_within_its_band(fill: Fill, jobs: list[Job]) -> None:
    found = curve(fill(jobs), "cartpole_swap", "gtr")
    own = [job for job in jobs if (job.sequence, job.algorithm, job.role) == ("cartpole_swap", "gtr", "run")]
    assert [(line.seed, line.job) for line in found.seeds] == [(job.seed, job.id) for job in own]
    expected = np.array([evaluation_rows(job)["return_mean"] for job in own])
    assert np.array([line.values for line in found.seeds]) == pytest.approx(expected)
    assert found.mean == pytest.approx(expected.mean(axis=0))
    assert np.all(np.array(found.low) <= found.mean)
    assert np.all(np.array(found.mean) <= found.high)
    assert found.low[3] < found.high[3]


def test_phases_and_worlds_are_marked_and_a_shift_has_a_point_on_either_side(fill: Fill, jobs: list[Job]) -> None:
    found = curve(fill(jobs), "acrobot_swap", "ppo")
    assert found.boundaries == (10_000, 20_000)
    assert found.worlds == ("A", "B", "A")
    assert found.total == 30_000
    assert found.steps.count(10_000) == 2
    assert len(found.steps) == len(found.mean) == len(found.low) == len(found.high)


def test_a_diverged_seed_is_drawn_at_the_floor_it_counts_as(fill: Fill, jobs: list[Job]) -> None:
    own = next(job for job in jobs if (job.sequence, job.algorithm, job.role) == ("acrobot_swap", "gtr", "run"))
    results = fill([job for job in jobs if job != own])
    write_job(results, own, SUITE, status="diverged", stop=10_500)
    line = curve(results, "acrobot_swap", "gtr").seeds[0]
    assert line.job == own.id
    seen = [min(evaluation_rows(job)["return_mean"]) for job in jobs if job.sequence == "acrobot_swap"]
    assert line.values[-1] == min(seen) < -500.0


def test_a_missing_point_leaves_its_seed_out_there_only(fill: Fill, jobs: list[Job]) -> None:
    own = [job for job in jobs if (job.sequence, job.algorithm, job.role) == ("cartpole_swap", "ppo", "run")]
    results = fill([job for job in jobs if job != own[0]])
    write_job(results, own[0], SUITE, stop=4000)
    found = curve(results, "cartpole_swap", "ppo")
    assert found.seeds[0].values[-1] is None
    rest = [evaluation_rows(job)["return_mean"][-1] for job in own[1:]]
    assert found.mean[-1] == pytest.approx(np.mean(rest))


def test_without_being_asked_for_there_are_no_curves(fill: Fill, jobs: list[Job]) -> None:
    (suite,) = build_report([fill(jobs)]).suites
    assert suite.curves == ()
