"""A diverged job counts the worst: by the metric's own side that is better, whatever the curve was before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest

from gtr_bench.metrics.registry import metrics
from gtr_bench.report.build import build_report
from gtr_bench.report.collect import collect
from gtr_bench.report.scores import Scores, load_evaluations, scores_of
from gtr_bench.report.values import NORMALISED, values_in
from gtr_bench.store.reader import warn_on_stderr
from gtr_bench.suite.expand import Job

from .conftest import SUITE
from .made_up import Point, made_up

_, _, REST = SUITE.partition('[[sequence]]\nid = "acrobot_swap"')
ONE = SUITE.replace('[[sequence]]\nid = "acrobot_swap"' + REST, "[[algorithm]]" + REST.partition("[[algorithm]]")[2])
ONE = ONE.replace("episodes = 4", "episodes = 4\nall_phases = true")
ORACLE = ONE + '[[algorithm]]\nid = "oracle"\n'
ABOVE = "normalise = { min = 600.0, max = 900.0 }"
"""Bounds above all returns that are made up here."""

SPREAD = {seed: 1 + 0.1 * seed for seed in range(5)}


def learned(point: Point) -> tuple[float, float]:
    """Learns its own world and half forgets the others; both algorithms do, some seeds more."""
    level = point.share if point.world == point.phase else 0.5 * (point.world < point.phase)
    level *= SPREAD[point.job.seed] / 1.5
    return 20 + 400 * level, level


def first_of_gtr(step: int) -> Callable[[Job], int | None]:
    """The first seed of `gtr` diverges."""

    def diverged(job: Job) -> int | None:
        return step if (job.algorithm, job.role, job.seed) == ("gtr", "run", 0) else None

    return diverged


def scores_in(results: Path) -> Scores:
    """Of the only suite."""
    (found,) = collect([results], None, warn=warn_on_stderr)
    return scores_of(found, load_evaluations(found.records, warn=warn_on_stderr))


SIDES: dict[Literal["higher", "lower"], int] = {"higher": 1, "lower": -1}
JUDGED = [name for name in metrics.names() if not metrics.get(name).needs & {"test", "achievements"}]


@pytest.mark.parametrize("normalise", ["normalise = { min = 0.0, max = 500.0 }", ABOVE, ""])
@pytest.mark.parametrize("step", [500, 15_500, 29_500])
def test_a_diverged_job_is_no_better_than_any_other_in_any_metric_and_direction(
    tmp_path: Path, step: int, normalise: str
) -> None:
    text = ORACLE.replace("normalise = { min = 0.0, max = 500.0 }", normalise)
    scores = scores_in(made_up(tmp_path, text, learned, diverged=first_of_gtr(step)))
    runs = [record for record in scores.records if record.role == "run"]
    (broken,) = (record for record in runs if scores.diverged(record))
    for name in JUDGED:
        metric = metrics.get(name)
        for direction, sign in SIDES.items():
            for normalised in (False, True) if normalise else (False,):
                values = {
                    record.job: score.value
                    for record in runs
                    if (score := scores.score(record, metric, normalised=normalised, direction=direction))
                    and score.defined
                }
                if len(values) > 1:
                    others = [sign * value for job, value in values.items() if job != broken.job]
                    assert sign * values[broken.job] <= min(others) + 1e-9, (name, direction, normalised)


def test_bounds_of_a_metric_count_for_a_diverged_job(tmp_path: Path) -> None:
    scores = scores_in(made_up(tmp_path, ONE, learned, diverged=first_of_gtr(29_500)))
    (broken,) = (record for record in scores.records if scores.diverged(record))
    found = {name: scores.score(broken, metrics.get(name)) for name in JUDGED}
    values = {name: score.value for name, score in found.items() if score}
    assert values["performance.cw"] == 0
    # two of three tasks can be forgotten, and are lost whole
    assert values["forgetting.cw"] == pytest.approx(2 / 3)
    assert values["recovery_steps"] == 10_000
    assert found["recovery_steps"] is not None
    assert found["recovery_steps"].censored == 2
    assert values["plasticity_ratio"] == 0
    assert values["lifetime_return"] == 0


def test_a_suite_that_calls_less_better_gives_a_diverged_job_the_largest_return(tmp_path: Path) -> None:
    text = ONE.replace('"recovery_steps"', '"lifetime_return"\nmetric_direction = "lower"')
    results = made_up(tmp_path, text, learned, diverged=first_of_gtr(500))
    (suite,) = build_report([results]).suites
    (table,) = (each for each in suite.tables if each.metric == "lifetime_return")
    (cell,) = (each for each in table.cells if each.algorithm == "gtr")
    assert (cell.diverged, cell.values[0]) == (1, 500.0)


def test_all_pairs_of_a_ratio_count_where_a_job_diverged_before_it_learned(tmp_path: Path) -> None:
    scores = scores_in(made_up(tmp_path, ONE, learned, diverged=first_of_gtr(500)))
    runs = [record for record in scores.records if record.role == "run"]
    values = values_in("share", runs, metrics.get("plasticity_ratio"), scores)["cartpole_swap"]
    assert sorted(values["gtr"]) == [0, 1, 2, 3, 4]
    assert values["gtr"][0] == 0


def test_a_job_without_a_curve_counts_what_a_diverged_one_does(tmp_path: Path) -> None:
    scores = scores_in(made_up(tmp_path, ONE, learned, diverged=first_of_gtr(15_500)))
    (broken,) = (record for record in scores.records if scores.diverged(record))
    for name in JUDGED:
        metric = metrics.get(name)
        worst = scores.worst_score("cartpole_swap", metric)
        decided = metric.direction != "neutral" and "oracle" not in metric.needs
        assert worst == (scores.score(broken, metric) if decided else None)
    assert scores.worst_score("elsewhere", metrics.get("lifetime_return")) is None
    runs = [record for record in scores.records if record.role == "run"]
    values = values_in(NORMALISED, runs, metrics.get("lifetime_return"), scores)["cartpole_swap"]
    worst = scores.worst_score("cartpole_swap", metrics.get("lifetime_return"), normalised=True)
    assert worst is not None
    assert worst.value == values["gtr"][0] == 0.0
