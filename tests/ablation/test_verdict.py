"""Does the parameter need tuning per task? The rule and its sentence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gtr_bench.ablation.analysis import analyse
from gtr_bench.ablation.model import StudyRecords, TrialRecord

from .conftest import CLIP


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


def test_a_wide_plateau_and_less_sensitivity_than_the_reference_need_no_tuning(seeded: StudyRecords) -> None:
    report = analyse(seeded)
    assert report.verdict == "no"
    assert report.headline == "NO: sigma needs no more tuning per task than ppo's clip_range, shown with 20 seeds"
    assert report.sentence.startswith(
        "`sigma` needs no more tuning per task here than ppo does: gtr varied sigma, ppo clip_range (9 settings each); "
        "scores stay within 5 % of the best from 0.1580 to 1.581, 1.00 decades; "
        "gtr's sensitivity of 0 against ppo's "
    )
    assert report.sentence.endswith(
        ": better on both (tuned it scores no lower, and it is no more sensitive); n = 20 seeds"
    )


def test_a_narrow_plateau_and_more_sensitivity_than_the_reference_need_tuning(seeded: StudyRecords) -> None:
    report = analyse(swapped(seeded))
    assert report.verdict == "yes"
    assert report.headline == "YES: clip_range needs more tuning per task than gtr's sigma, shown with 20 seeds"
    assert report.sentence.startswith("`clip_range` needs more tuning per task here than gtr does: ")


def narrowed(study: StudyRecords) -> StudyRecords:
    """Only the best width and those at the ends: the plateau is one value wide."""
    kept = tuple(trial for trial in study.trials if trial.setting["sigma"] in (0.05, 0.0889, 0.5, 2.81, 5.0))
    assert len(kept) == len(study.reference_trials[::2])
    return replace(study, trials=kept, reference_trials=study.reference_trials[::2])


def test_a_narrow_plateau_is_never_called_free_of_tuning(seeded: StudyRecords) -> None:
    report = analyse(narrowed(seeded))
    assert report.difference is not None
    assert report.difference.high is not None
    assert report.difference.high < 0
    assert report.verdict == "undecided"
    assert report.headline == "UNDECIDED: less sensitive than ppo, but its plateau is under 0.5 decades wide"


def test_no_is_not_withheld_for_a_width_that_is_luck(seeded: StudyRecords) -> None:
    """No width can be told from another, and the best stands alone by luck: its plateau used to be 0.00 wide."""
    generator = np.random.default_rng(3)

    def lucky(trial: TrialRecord) -> TrialRecord:
        own = {seed: 0.3 + 0.2 * generator.normal() for seed in seeded.seeds}
        return replace(trial, scores=dict.fromkeys(trial.scores, own))

    flat = analyse(replace(seeded, trials=tuple(lucky(trial) for trial in seeded.trials))).curves[0].plateau
    assert flat is not None
    assert (flat.low, flat.high, flat.told) == (0.05, 5.0, False)
    study = narrowed(seeded)
    even = tuple(
        replace(trial, scores=dict.fromkeys(trial.scores, dict.fromkeys(seeded.seeds, 0.7))) for trial in study.trials
    )
    report = analyse(replace(study, trials=even))
    assert report.verdict == "no"
    assert "so the plateau is all that was tried, 0.05000 to 5.000, and its true width is unknown" in report.sentence


@pytest.mark.parametrize("seeds", [3, 5])
def test_a_few_seeds_that_agree_to_the_digit_decide_nothing(seeded: StudyRecords, seeds: int) -> None:
    """A run that collapses once in twenty has not done so in most samples of five seeds."""
    few = set(range(seeds))
    report = analyse(
        replace(
            seeded,
            seeds=tuple(few),
            trials=tuple(seeds_of(trial, few) for trial in seeded.trials),
            reference_trials=tuple(seeds_of(trial, few) for trial in seeded.reference_trials),
        )
    )
    assert report.headline == (
        f"UNDECIDED: {seeds} seeds cannot tell its sensitivity from ppo's, and fewer than 8 hardly ever can"
    )


@pytest.mark.slow
def test_the_headline_says_why_in_fifteen_words_at_most(
    seeded: StudyRecords, study: StudyRecords, ragged: StudyRecords, plane: StudyRecords
) -> None:
    empty = replace(study, trials=tuple(replace(t, scores={}) for t in study.trials), reference_trials=())
    several = replace(
        seeded, axes=(*seeded.axes, CLIP), reference_axes=(*seeded.reference_axes, CLIP),
        trials=tuple(replace(t, setting={**t.setting, "clip_range": 0.1 + 0.01 * t.number}) for t in seeded.trials),
        reference_trials=tuple(replace(t, setting={**t.setting, "sigma": 0.1}) for t in seeded.reference_trials),
    )  # fmt: skip
    studies = [
        *(seeded, swapped(seeded), narrowed(seeded), study, ragged, plane, empty, several, swapped(several)),
        *(replace(study, environments=("a",)), replace(study, reference=None, reference_trials=())),
        *(replace(study, smoke=True), replace(study, seeds=(7,))),
    ]
    for each in studies:
        answer, _, why = analyse(each).headline.partition(": ")
        assert answer in ("YES", "NO", "UNDECIDED")
        assert 3 <= len(why.split()) <= 15


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


def test_where_the_sides_do_not_vary_the_same_parameters_the_sentence_says_so(study: StudyRecords) -> None:
    report = analyse(replace(study, reference_axes=(*study.reference_axes, replace(CLIP, name="learning_rate"))))
    assert "gtr varied sigma, ppo clip_range and learning_rate (9 settings each, unequally many parameters)" in (
        report.sentence
    )


def test_settings_that_were_chosen_by_results_on_one_side_are_said_to_be(study: StudyRecords) -> None:
    assert "(9 settings each, gtr's alone chosen by results)" in analyse(replace(study, sampler="tpe")).sentence


def test_several_parameters_are_listed_in_one_sentence(plane: StudyRecords) -> None:
    assert "whether `sigma`, `beta` and `anchor` need tuning per task" in analyse(plane).sentence
