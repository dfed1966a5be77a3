"""From records to curves, plateau, sensitivity and best setting."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gtr_bench.ablation.analysis import BINS, analyse
from gtr_bench.ablation.model import Axis, StudyRecords, StudyReport


def curve(report: StudyReport, environment: str | None, axis: str = "sigma"):
    return next(each for each in report.curves if (each.axis.name, each.environment) == (axis, environment))


def test_a_curve_has_the_mean_over_seeds_of_every_value_with_its_interval(study: StudyRecords) -> None:
    report = analyse(study)
    points = curve(report, "a").points
    assert [point.value for point in points] == [trial.setting["sigma"] for trial in study.trials]
    assert [round(point.estimate.value, 6) for point in points] == [0.31] * 2 + [0.81] * 5 + [0.31] * 2
    low, high = points[0].estimate.low, points[0].estimate.high
    assert low is not None
    assert high is not None
    assert 0.3 <= low < 0.31 < high <= 0.32
    assert {point.estimate.n for point in points} == {3}


def test_the_curve_over_all_environments_weighs_them_equally(study: StudyRecords) -> None:
    whole = curve(analyse(study), None)
    assert [round(point.estimate.value, 6) for point in whole.points] == [0.26] * 2 + [0.76] * 5 + [0.26] * 2


def test_a_study_in_one_environment_has_one_curve(study: StudyRecords) -> None:
    report = analyse(replace(study, environments=("a",)))
    assert [each.environment for each in report.curves] == [None]


def test_the_plateau_is_one_decade_wide(study: StudyRecords) -> None:
    flat = curve(analyse(study), None).plateau
    assert (flat.low, flat.high) == (0.158, 1.581)
    assert flat.width == pytest.approx(1.0, abs=1e-3)
    assert not flat.touches_low_edge
    assert not flat.touches_high_edge


def test_a_loss_of_a_fifth_of_a_low_best_score_is_no_plateau(study: StudyRecords) -> None:
    """0.216, 0.170 and 0.156: within 0.05 of the best on a scale of 1, but not within 5 % of it (protocols 14.2)."""
    scores = {0.05: 0.216, 0.5: 0.170, 5.0: 0.156}
    trials = tuple(
        replace(trial, scores={name: dict.fromkeys((0, 1, 2), scores[float(trial.setting["sigma"])]) for name in "ab"})
        for trial in study.trials
        if trial.setting["sigma"] in scores
    )
    report = analyse(replace(study, trials=trials))
    assert curve(report, None).plateau.width == 0
    assert "within 5 % of the best from 0.05000 to 0.05000, 0.00 decades" in report.sentence


def test_where_lower_is_better_the_plateau_is_a_share_of_the_range(study: StudyRecords) -> None:
    assert "within 5 % of their range from the best from" in analyse(replace(study, direction="lower")).sentence


def test_sensitivity_is_that_of_both_algorithms_on_one_scale(study: StudyRecords) -> None:
    """T and X of each from the percentiles of all runs of an environment, of both algorithms."""
    own = {n: [np.mean(list(t.scores[n].values())) for t in study.trials] for n in "ab"}
    other = {n: [np.mean(list(t.scores[n].values())) for t in study.reference_trials] for n in "ab"}
    mapped = {}
    for name in "ab":
        runs = [value for t in (*study.trials, *study.reference_trials) for value in t.scores[name].values()]
        p5, p95 = np.percentile(runs, [5, 95])
        mapped[name] = [(np.array(each[name]) - p5) / (p95 - p5) for each in (own, other)]
    expected = [
        np.mean([mapped[n][k].max() for n in "ab"]) - np.mean([mapped[n][k] for n in "ab"], axis=0).max()
        for k in (0, 1)
    ]
    report = analyse(study)
    assert report.sensitivity is not None
    assert report.reference_sensitivity is not None
    assert report.sensitivity.value == pytest.approx(expected[0], abs=1e-12)
    assert report.reference_sensitivity.value == pytest.approx(expected[1], abs=1e-12)
    assert report.sensitivity.value == pytest.approx(0.0, abs=1e-12)
    assert report.reference_sensitivity.value > 0.3
    assert report.region == "better on both"
    assert report.difference is not None
    assert report.difference.value == pytest.approx(expected[0] - expected[1], abs=1e-12)


def test_the_best_setting_is_named_over_all_and_per_environment(study: StudyRecords) -> None:
    report = analyse(replace(study, axes=(study.reference_axes[0],), trials=study.reference_trials, reference=None))
    assert report.best_per_environment["a"].setting == {"clip_range": 0.05}
    assert report.best_per_environment["b"].setting == {"clip_range": 0.5}


def test_lower_is_better_turns_every_choice_around(study: StudyRecords) -> None:
    report = analyse(replace(study, direction="lower"))
    assert report.best is not None
    assert report.best.setting["sigma"] in (0.05, 0.0889, 2.81, 5.0)
    assert curve(report, None).best("lower").value in (0.05, 0.0889)
    assert report.best_per_environment["a"].setting["sigma"] == 0.05


def test_a_diverged_setting_keeps_its_place_as_the_worst_and_is_listed(ragged: StudyRecords) -> None:
    report = analyse(ragged)
    assert curve(report, "a").points[0].estimate.value == pytest.approx((0 + 0.31 + 0.32) / 3)
    assert any(note == "diverged, counted as the worst: gtr[0] (1 job)" for note in report.notes)


def test_failed_and_missing_jobs_are_counted_and_incomplete_settings_left_out(ragged: StudyRecords) -> None:
    report = analyse(ragged)
    assert "3 failed jobs without a value" in report.notes
    assert "1 missing job without a value" in report.notes
    assert 0.0889 not in [point.value for point in curve(report, None).points]
    assert any(note.startswith("1 setting without a score in every environment") for note in report.notes)
    assert any(note.startswith("8 settings of gtr against 9 of ppo") for note in report.notes)
    assert "tuned on the first 0.1 of the phases" in report.notes


def test_a_study_without_any_score_says_so(study: StudyRecords) -> None:
    empty = replace(study, trials=tuple(replace(t, scores={}, missing=6) for t in study.trials), reference_trials=())
    report = analyse(empty)
    assert report.best is None
    assert report.sensitivity is None
    assert report.difference is None
    assert report.sentence == "no setting of `sigma` has a score in every environment yet"


@pytest.mark.slow
def test_sampled_values_of_several_parameters_are_averaged_in_groups(plane: StudyRecords) -> None:
    report = analyse(plane)
    points = curve(report, None).points
    assert len(points) == BINS
    assert [point.settings for point in points] == [12] * 5
    values = sorted(float(trial.setting["sigma"]) for trial in plane.trials)[:12]
    assert points[0].value == pytest.approx(np.exp(np.mean(np.log(values))), rel=1e-3)
    assert [point.value for point in curve(report, None, "anchor").points] == ["ema", "<i>|x"]
    assert any("5 groups" in note for note in report.notes)
    assert curve(report, None).plateau is None


def test_a_stated_value_without_a_place_on_a_logarithmic_axis_is_kept_in_the_curve_only(study: StudyRecords) -> None:
    zero = replace(study.trials[0], number=99, setting={"sigma": 0.0})
    report = analyse(replace(study, trials=(zero, *study.trials)))
    whole = curve(report, None)
    assert whole.points[0].value == 0.0
    assert whole.plateau.low == 0.158
    assert any(note.startswith("1 setting with no place on a logarithmic axis") for note in report.notes)


def test_listed_values_with_zero_are_measured_in_units_not_decades() -> None:
    assert not Axis("beta", "choice", 1.0, choices=(0.0, 1.0, 2.0)).logarithmic
    assert Axis("beta", "choice", 1.0, choices=(0.5, 1.0, 2.0)).logarithmic
    assert not Axis("form", "choice", "x", choices=("x", "y")).logarithmic
    assert not Axis("sustain", "choice", False, choices=(False, True)).numeric


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(range(9)))
def test_the_order_of_trials_changes_no_number_but_their_place(study: StudyRecords, order: list[int]) -> None:
    shuffled = analyse(replace(study, trials=tuple(study.trials[k] for k in order)))
    straight = analyse(study)
    assert shuffled.curves == straight.curves
    assert shuffled.sensitivity.value == straight.sensitivity.value
    assert shuffled.sentence.split(" (difference")[0] == straight.sentence.split(" (difference")[0]


def test_the_same_records_give_the_same_report(study: StudyRecords) -> None:
    assert analyse(study) == analyse(study)
