"""Does the parameter need tuning per task? The rule and its sentence."""

from __future__ import annotations

from dataclasses import replace

from gtr_bench.ablation.analysis import analyse
from gtr_bench.ablation.model import StudyRecords, TrialRecord


def swapped(study: StudyRecords) -> StudyRecords:
    """The subject and the reference change places."""
    return replace(
        study,
        algorithm="ppo",
        axes=study.reference_axes,
        trials=study.reference_trials,
        reference="gtr",
        reference_axes=study.axes,
        reference_trials=study.trials,
    )


def seeds_of(trial: TrialRecord, seeds: set[int]) -> TrialRecord:
    return replace(
        trial,
        scores={
            name: {seed: value for seed, value in own.items() if seed in seeds} for name, own in trial.scores.items()
        },
    )


def test_a_wide_plateau_and_less_sensitivity_than_the_reference_need_no_tuning(study: StudyRecords) -> None:
    report = analyse(study)
    assert report.verdict == "no"
    assert report.sentence.startswith(
        "`sigma` needs no more tuning per task here than ppo does: scores stay within 5 % of the best "
        "from 0.1580 to 1.581, 1.00 decades; "
        "gtr's sensitivity of 0 against ppo's "
    )
    assert report.sentence.endswith(
        ": better on both (tuned it scores no lower, and it is no more sensitive); n = 3 seeds"
    )


def test_a_narrow_plateau_and_more_sensitivity_than_the_reference_need_tuning(study: StudyRecords) -> None:
    report = analyse(swapped(study))
    assert report.verdict == "yes"
    assert report.sentence.startswith("`clip_range` needs more tuning per task here than gtr does: ")


def test_a_narrow_plateau_is_never_called_free_of_tuning(study: StudyRecords) -> None:
    """The same study with only the best width and those at the ends: the plateau is one value wide."""
    kept = tuple(trial for trial in study.trials if trial.setting["sigma"] in (0.05, 0.0889, 0.5, 2.81, 5.0))
    report = analyse(replace(study, trials=kept, reference_trials=study.reference_trials[::2]))
    assert len(kept) == len(study.reference_trials[::2])
    assert report.difference is not None
    assert report.difference.high is not None
    assert report.difference.high < 0
    assert report.verdict == "undecided"


def test_one_environment_cannot_tell_whether_tasks_want_different_values(study: StudyRecords) -> None:
    report = analyse(replace(study, environments=("a",)))
    assert report.verdict == "undecided"
    assert "with one environment it cannot be seen whether different tasks want different values" in report.sentence


def test_one_seed_decides_nothing(study: StudyRecords) -> None:
    one = replace(
        study,
        seeds=(0,),
        trials=tuple(seeds_of(trial, {0}) for trial in study.trials),
        reference_trials=tuple(seeds_of(trial, {0}) for trial in study.reference_trials),
    )
    report = analyse(one)
    assert report.difference is None
    assert report.verdict == "undecided"
    assert report.sentence.endswith("n = 1 seed")


def test_unequal_numbers_of_settings_decide_nothing(ragged: StudyRecords) -> None:
    report = analyse(ragged)
    assert report.verdict == "undecided"
    assert report.sentence.endswith("n = 2 to 3 seeds")


def test_without_a_reference_nothing_is_decided(study: StudyRecords) -> None:
    report = analyse(replace(study, reference=None, reference_trials=()))
    assert report.verdict == "undecided"
    assert "there is no reference" in report.sentence


def test_a_smoke_scale_makes_no_claim(study: StudyRecords) -> None:
    report = analyse(replace(study, smoke=True))
    assert report.verdict == "undecided"
    assert report.sentence.startswith("smoke scale: no claim; whether `sigma` needs tuning per task is undecided here")


def test_several_parameters_are_listed_in_one_sentence(plane: StudyRecords) -> None:
    assert "whether `sigma`, `beta` and `anchor` need tuning per task" in analyse(plane).sentence
