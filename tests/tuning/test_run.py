"""What a tuning trains, what it chooses, and what a bad trial counts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import pytest

from gtr_bench.errors import RequestError
from tests.tuning.conftest import Tuner


def test_every_algorithm_gets_the_same_number_of_different_trials(tune: Tuner) -> None:
    tuning = tune(budget=5, ranges=("gtr.sigma=0.1,0.5",))
    assert {each.algorithm: len(each.trials) for each in tuning.algorithms} == {"ppo": 5, "gtr": 5}
    for each in tuning.algorithms:
        assert len({json.dumps(dict(trial.setting)) for trial in each.trials}) == 5
    suite = tune.trained[-1]
    assert len(suite.jobs()) == 2 * 5 * 2
    assert {job.seed for job in suite.jobs()} == {9000, 9001}
    assert {len(job.definition["sequence"]["phases"]) for job in suite.jobs()} == {2}


def test_too_few_settings_for_the_budget_are_refused_and_nothing_is_left(tune: Tuner) -> None:
    with pytest.raises(RequestError, match="`gtr` has 2 settings to choose from, fewer than `--budget 4`"):
        tune(params=("gtr.sustain",))
    assert not tune.results.exists()


def test_the_best_trial_is_chosen_and_the_suites_own_values_are_one(tune: Tuner) -> None:
    tuning = tune(budget=8)
    for each in tuning.algorithms:
        assert each.best is not None
        assert each.best.score == max(trial.score or 0 for trial in each.trials)
        assert each.suites_own is each.trials[0]
        assert each.suites_own.setting["learning_rate"] == 2.5e-4
    assert tuning.complete


def test_where_lower_is_better_the_lowest_is_chosen(tune: Tuner) -> None:
    tune.path.write_text(
        tune.path.read_text().replace('"lifetime_return"', '"lifetime_return"\nmetric_direction = "lower"')
    )
    tuning = tune(budget=4)
    for each in tuning.algorithms:
        assert each.best is not None
        assert each.best.score == min(trial.score or 1e9 for trial in each.trials)


@pytest.mark.parametrize("state", ["diverged", "failed"])
@pytest.mark.parametrize("seeds", [(9001,), (9000, 9001)])
def test_a_bad_job_counts_the_worst_and_is_counted(
    tune: Tuner, tmp_path: Path, state: Literal["diverged", "failed"], seeds: tuple[int, ...]
) -> None:
    good = {each.algorithm: each for each in tune(budget=8).algorithms}
    worst = min(trial.score or 0 for each in good.values() for trial in each.trials)
    chosen = good["ppo"].best
    assert chosen is not None
    rate = chosen.setting["learning_rate"]
    (tmp_path / "again").mkdir()
    again = Tuner(tmp_path / "again")
    setattr(
        again,
        "diverge" if state == "diverged" else "fail",
        lambda job: job.seed in seeds and job.definition["algorithm"]["parameters"]["learning_rate"] == rate,
    )
    for each in again(budget=8).algorithms:
        former = good[each.algorithm].best
        assert former is not None
        assert former.score is not None
        spoiled = each.trials[former.number]
        assert getattr(spoiled, state) == each.jobs(state) == len(seeds)
        assert spoiled.score == pytest.approx((former.score * (2 - len(seeds)) + worst * len(seeds)) / 2)
        assert (each.best is spoiled) == (len(seeds) == 1)  # half of it is still better than the rest


def test_an_algorithm_that_always_fails_is_tuned_at_the_worst_of_the_others(tune: Tuner) -> None:
    tune.fail = lambda job: job.algorithm.startswith("gtr")
    ppo, gtr = tune(budget=4).algorithms
    assert gtr.jobs("failed") == 8
    assert {trial.score for trial in gtr.trials} == {min(trial.score or 0 for trial in ppo.trials)}
    assert gtr.best is gtr.trials[0]


def test_a_tuning_with_jobs_left_is_not_complete_and_goes_on(tune: Tuner) -> None:
    tune.leave = {tune.request().suite_of({"gtr": [{"learning_rate": 2.5e-4, "sigma": 0.5}]}, tune.path).algorithms[0]}
    first = tune()
    assert (first.missing, first.complete) == (2, False)
    tune.leave = set()
    second = tune()
    assert (second.missing, second.complete) == (0, True)
    assert second.name == first.name


def test_more_trials_keep_the_earlier_ones(tune: Tuner) -> None:
    few, many = tune(budget=3), tune(budget=6)
    assert few.name == many.name
    for one, other in zip(few.algorithms, many.algorithms, strict=True):
        assert one.trials == other.trials[:3]


def test_an_adaptive_sampler_asks_in_batches_with_equal_budgets(tune: Tuner) -> None:
    tuning = tune(budget=5, sampler="tpe", batch=2)
    assert [len(each.trials) for each in tuning.algorithms] == [5, 5]
    assert len(tune.trained) == 3


def test_a_rerun_gives_the_same_tuning(tune: Tuner) -> None:
    assert tune() == tune()


def test_trials_are_the_jobs_a_run_would_train(tune: Tuner) -> None:
    tune(seeds=(9000,), tune_fraction=1.0)
    own = {job.id for job in tune.template.suite_of([{"id": "ppo"}], name="x", seeds=[9000]).jobs()}
    assert own <= {job.id for job in tune.trained[-1].jobs()}


@pytest.mark.parametrize(("metric", "roles"), [("phase_auc", {"run"}), ("recovery_steps", {"run", "reference"})])
def test_reference_runs_are_trained_where_the_metric_reads_them(tune: Tuner, metric: str, roles: set[str]) -> None:
    text = tune.path.read_text().replace("phases = 4", "phases = 4\nreferences = true")
    tune.path.write_text(text.replace('"lifetime_return"', f'"{metric}"'))
    tune(budget=2)
    assert {job.role for job in tune.trained[-1].jobs()} == roles


def test_a_study_under_a_name_belongs_to_one_request(tune: Tuner) -> None:
    tune(name="mine")
    with pytest.raises(RequestError, match="belongs to another request"):
        tune(name="mine", seeds=(9005, 9006))
