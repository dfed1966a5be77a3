"""Which verdict a cell gets, and on what it rests."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gtr_bench.compare.build import compare
from gtr_bench.compare.model import CellChange, CellName
from gtr_bench.compare.render import render_comparison
from gtr_bench.errors import RequestError, UnknownNameError
from gtr_bench.metrics.comparison import sign_flip
from gtr_bench.report.text import number
from gtr_bench.suite.expand import Job
from gtr_bench.suite.identity import job_id

from .conftest import NEW, OLD, SUITE, Fill, jobs_of, write_unfinished

PPO = jobs_of(keep="ppo")
LIFETIME = 8
"""Points of a curve that count for lifetime_return: all but the first of each phase."""


def lower(job: Job, returns: np.ndarray) -> np.ndarray:
    """Worse by 30 to 37, another number for every seed."""
    return returns - 30 - job.seed


def noisy(job: Job, returns: np.ndarray) -> np.ndarray:
    return returns + np.random.default_rng(1000 + job.seed).normal(size=len(returns))


def only(a: str, b: str, **options: object) -> CellChange:
    (cell,) = compare(a, b, **options).cells  # type: ignore[arg-type]
    return cell


def test_the_same_evaluations_are_identical_and_not_tested(fill: Fill) -> None:
    cell = only(fill("a", PPO), fill("b", PPO))
    assert cell.verdict == "identical"
    assert (cell.identical, cell.seeds, cell.curve, cell.reasons) == (8, tuple(range(8)), None, ())
    assert cell.metrics[0].difference == 0
    assert cell.metrics[0].p is None
    assert cell.speed == 1.0


def test_a_worse_metric_is_a_regression_by_the_paired_test(fill: Fill) -> None:
    found = compare(fill("a", PPO), fill("b", PPO, bend=lower, steps_per_second=1500.0))
    (cell,) = found.cells
    assert found.regression
    assert cell.verdict == "worse"
    (change,) = cell.metrics
    assert change.difference == pytest.approx(-33.5)
    assert change.low is not None
    assert change.low < -33.5 < (change.high or 0)
    assert change.p == sign_flip([[-30.0 - seed for seed in range(8)]]).p == 2 / 256
    assert change.p_adjusted == change.p
    assert cell.curve is not None
    assert cell.curve.p == 2 / 256
    assert cell.curve.points == LIFETIME + 2
    assert cell.speed == 1.5


def test_a_better_metric_is_no_regression(fill: Fill) -> None:
    found = compare(fill("a", PPO, bend=lower), fill("b", PPO))
    assert [cell.verdict for cell in found.cells] == ["better"]
    assert not found.regression


def test_the_suite_may_turn_its_primary_metric_round(fill: Fill) -> None:
    text = SUITE.replace(
        'primary_metric = "lifetime_return"', 'primary_metric = "lifetime_return"\nmetric_direction = "lower"'
    )
    cell = only(fill("a", PPO, text=text), fill("b", PPO, text=text, bend=lower))
    assert (cell.verdict, cell.metrics[0].direction) == ("better", "lower")


def test_noise_is_no_difference_found_with_the_one_that_would_have_been(fill: Fill) -> None:
    cell = only(fill("a", PPO), fill("b", PPO, bend=noisy))
    assert cell.verdict == "no difference found"
    (change,) = cell.metrics
    assert change.detectable is not None
    # 8 pairs find 1.16 standard deviations; the mean of 8 points of unit noise has 0.35
    assert change.detectable == pytest.approx(1.16 * 8**-0.5, rel=0.6)
    assert change.low is not None
    assert change.low <= 0 <= (change.high or 0)
    (sentence,) = cell.reasons
    assert sentence == (
        f"lifetime_return: no difference found; a true worsening of {number(change.detectable)} would be found with "
        "power 0.8"
    )


def test_a_curve_may_change_where_its_mean_does_not(fill: Fill) -> None:
    def dented(job: Job, returns: np.ndarray) -> np.ndarray:
        moved = returns.copy()
        moved[2] -= 30 + job.seed
        moved[7] += 30 + job.seed
        return moved

    found = compare(fill("a", PPO), fill("b", PPO, bend=dented))
    (cell,) = found.cells
    assert cell.verdict == "changed"
    assert not found.regression
    assert cell.curve is not None
    assert (cell.curve.step, cell.curve.phase) == (2048, 0)
    assert cell.curve.difference == pytest.approx(-33.5)
    assert any("the curves differ, most at step 2,048 of phase 0" in reason for reason in cell.reasons)


def test_a_regression_counts_only_beyond_the_margin(fill: Fill) -> None:
    a, b = fill("a", PPO), fill("b", PPO, bend=lower)
    assert only(a, b, margin=29.0).verdict == "worse"
    within = only(a, b, margin=33.5)
    assert within.verdict == "changed"
    assert any("not shown to be so by more than the margin" in reason for reason in within.reasons)
    assert only(b, a, margin=50.0).verdict == "better"


def test_a_margin_for_several_metrics_is_refused(fill: Fill) -> None:
    a = fill("a", PPO)
    with pytest.raises(RequestError, match="a margin is in the unit of one metric"):
        compare(a, a, metric_names=["lifetime_return", "phase_auc"], margin=1.0)
    with pytest.raises(UnknownNameError):
        compare(a, a, metric_names=["lifetime"])


def test_five_pairs_cannot_decide_and_it_is_said(fill: Fill) -> None:
    cell = only(fill("a", PPO[:5]), fill("b", PPO[:5], bend=lower))
    assert cell.verdict == "cannot decide"
    (change,) = cell.metrics
    assert change.p == 2 / 32
    assert change.detectable is None
    assert (change.low, change.high) == (-math.inf, math.inf)
    assert "lifetime_return: 5 pairs cannot decide at 0.05: at least 6 are needed" in cell.reasons


def test_identical_pairs_do_not_help_the_others_to_decide(fill: Fill) -> None:
    def some(job: Job, returns: np.ndarray) -> np.ndarray:
        return lower(job, returns) if job.seed < 3 else returns

    cell = only(fill("a", PPO), fill("b", PPO, bend=some))
    assert (cell.verdict, cell.identical) == ("cannot decide", 5)
    few = "lifetime_return: 3 of 8 pairs differ, which cannot decide at 0.05: at least 6 are needed"
    assert few in cell.reasons


def test_holm_runs_over_all_cells_and_metrics_that_are_not_identical(fill: Fill) -> None:
    both = jobs_of()
    found = compare(fill("a", both), fill("b", both, bend=lower), metric_names=["lifetime_return", "phase_auc"])
    assert [change.p_adjusted for cell in found.cells for change in cell.metrics] == [4 * 2 / 256] * 4
    assert [cell.curve.p_adjusted for cell in found.cells if cell.curve] == [2 * 2 / 256] * 2

    def half(job: Job, returns: np.ndarray) -> np.ndarray:
        return lower(job, returns) if job.algorithm == "ppo" else returns

    found = compare("a", fill("c", both, bend=half))
    assert {cell.algorithm: cell.verdict for cell in found.cells} == {"ppo": "worse", "gtr": "identical"}
    assert [change.p_adjusted for cell in found.cells for change in cell.metrics] == [None, 2 / 256]


def test_other_parameters_are_compared_and_told(fill: Fill) -> None:
    text = SUITE.replace('id = "ppo"', 'id = "ppo"\nlearning_rate = 0.1')
    after = jobs_of(text, keep="ppo")
    assert {job.id for job in after}.isdisjoint(job.id for job in PPO)
    cell = only(fill("a", PPO), fill("b", after, text=text, bend=lower))
    assert cell.verdict == "worse"
    assert cell.parameters == ("learning_rate 0.00025 -> 0.1",)
    assert "parameters differ: learning_rate 0.00025 -> 0.1" in cell.reasons


def test_versions_are_told_apart_from_parameters(fill: Fill) -> None:
    definitions = [
        {
            **job.definition,
            "packages": {"gymnasium": "9.9"},
            "algorithm": {**job.definition["algorithm"], "version": 7},
        }
        for job in PPO
    ]
    newer = [replace(job, id=job_id(each), definition=each) for job, each in zip(PPO, definitions, strict=True)]
    cell = only(fill("a", PPO), fill("b", newer))
    assert cell.verdict == "identical"
    assert cell.parameters == ()
    assert cell.versions[0] == f"algorithm.version {PPO[0].definition['algorithm']['version']} -> 7"
    assert cell.versions[1].startswith("gymnasium ")
    assert cell.versions[1].endswith(" -> 9.9")


def test_other_worlds_are_not_compared(fill: Fill) -> None:
    text = SUITE.replace("cycle = 2", "cycle = 3")
    a, b = fill("a", jobs_of()), fill("b", [*jobs_of(text, keep="ppo"), *jobs_of(keep="gtr")], text=text)
    cells = {cell.algorithm: cell for cell in compare(a, b).cells}
    assert cells["gtr"].verdict == "identical"
    assert cells["ppo"].verdict == "not compared"
    assert cells["ppo"].reasons[0] == "the worlds differ, so returns do not compare"
    assert cells["ppo"].metrics[0].p is None
    assert cells["ppo"].curve is None


def test_a_long_list_of_differences_is_cut_in_the_row_only(fill: Fill) -> None:
    names = ("epochs = 3", "gamma = 0.5", "gae_lambda = 0.5", "learning_rate = 0.1", "num_steps = 64", "num_envs = 4")
    changes = "".join(f"\n{line}" for line in (*names, "clip_range = 0.3"))
    text = SUITE.replace('id = "ppo"', f'id = "ppo"{changes}')
    cell = only(fill("a", PPO), fill("b", jobs_of(text, keep="ppo"), text=text))
    assert len(cell.parameters) > 6
    assert cell.reasons[0].endswith(f" and {len(cell.parameters) - 6} more (`--json` lists them)")


def test_without_a_common_seed_the_sides_are_compared_unpaired(fill: Fill) -> None:
    text = SUITE.replace("seeds = 8", "seeds = [10, 11, 12, 13, 14, 15, 16, 17]")
    cell = only(fill("a", PPO), fill("b", jobs_of(text, keep="ppo"), text=text, bend=lower))
    assert not cell.paired
    assert cell.seeds == ()
    assert cell.verdict == "worse"
    assert cell.metrics[0].test.startswith("exact permutation")
    assert cell.curve is not None
    assert cell.curve.test == "exact permutation max-T over points"
    assert "no seed on both sides: 8 and 8 runs compared unpaired" in cell.reasons


def test_seeds_without_a_partner_are_told(fill: Fill) -> None:
    cell = only(fill("a", PPO[:7]), fill("b", [*PPO[:3], *PPO[5:]]))
    assert cell.seeds == (0, 1, 2, 5, 6)
    assert cell.alone == ((3, 4), (7,))
    assert cell.reasons == ("without a partner in B: seeds 3-4", "without a partner in A: seed 7")


def test_cells_on_one_side_are_listed(fill: Fill) -> None:
    found = compare(fill("a", jobs_of()), fill("b", PPO))
    assert found.only_a == (CellName("swap", "laptop", "cartpole", "gtr"),)
    assert found.only_b == ()
    assert [cell.algorithm for cell in found.cells] == ["ppo"]


def test_jobs_that_fail_now_are_a_regression(fill: Fill) -> None:
    a, b = fill("a", PPO), fill("b", PPO[2:])
    write_unfinished(Path(b), PPO[:2], reason="error")
    found = compare(a, b)
    (cell,) = found.cells
    assert found.regression
    assert cell.verdict == "failed"
    assert cell.reasons[0] == "done in A and failed in B: seeds 0-1"
    (gone,) = found.absences
    assert (gone.side, gone.absence.state, gone.absence.seeds) == ("B", "failed", (0, 1))
    assert gone.absence.reason == "error: it raised"
    assert not compare(b, a).regression


def test_all_jobs_failing_is_a_regression_not_nothing_to_compare(fill: Fill) -> None:
    a = fill("a", PPO)
    write_unfinished(Path("b"), PPO, reason="oom")
    cell = only(a, "b")
    assert cell.verdict == "failed"
    assert cell.reasons == ("done in A and failed in B: seeds 0-7", "no finished run in B")


def test_a_job_that_diverges_now_counts_the_worst_return_and_is_told(fill: Fill) -> None:
    a, b = fill("a", PPO), fill("b", PPO[1:])
    fill("b", PPO[:1], status="diverged", diverged_step=2048)
    (cell,) = compare(a, b).cells
    assert "diverged in B and not in A: seed 0" in cell.reasons
    assert cell.identical == 7
    worst = min(
        float(returns.min())
        for returns in (
            np.linspace(20, 120, 10) + 10 * np.random.default_rng(seed).normal(size=10) for seed in range(8)
        )
    )
    zero = np.linspace(20, 120, 10) + 10 * np.random.default_rng(0).normal(size=10)
    # the points of lifetime_return, in both phases
    lost = np.delete(zero - worst, [0, 5])
    assert cell.metrics[0].difference == pytest.approx(-lost.mean() / 8)


def test_floors_are_the_same_on_both_sides(fill: Fill) -> None:
    def sunk(job: Job, returns: np.ndarray) -> np.ndarray:
        return returns - 1000 if job.seed == 7 else returns

    options = {"status": "diverged", "diverged_step": 0}
    a, b = fill("a", PPO[1:]), fill("b", PPO[1:], bend=sunk)
    for side in (a, b):
        fill(side, PPO[:1], **options)
    cell = only(a, b)
    # seed 0 is at the floor of both sides together, so it does not differ although only B holds the worst return
    values = cell.metrics[0]
    assert values.difference == pytest.approx(-1000 / 8)


def test_a_change_that_spoils_runs_and_references_alike_is_measured_by_the_references_of_before(fill: Fill) -> None:
    text = SUITE.replace("phases =", "references = true\nphases =")
    jobs = jobs_of(text, keep="ppo")
    a = fill("a", jobs, text=text)
    b = fill("b", jobs, text=text, bend=lambda job, returns: np.full(len(returns), 5.0 + job.seed / 10))
    cell = only(a, b, metric_names=["recovery_steps"])
    assert cell.verdict == "worse"
    # every recovery of B takes the whole phase; by B's own references it would take none
    assert cell.metrics[0].after == 4096


def test_nothing_in_common_is_refused_with_what_is_there(fill: Fill) -> None:
    with pytest.raises(RequestError, match="nothing to compare: no algorithm on an environment is on both") as caught:
        compare(fill("a", PPO), fill("b", jobs_of(keep="gtr")))
    assert caught.value.exit_code == 2
    assert caught.value.hint == (
        "A (a) holds suite swap, scale laptop: ppo on cartpole (8 finished runs)\n"
        "      B (b) holds suite swap, scale laptop: gtr on cartpole (8 finished runs)"
    )


def test_cells_that_cannot_be_compared_are_nothing_to_compare(fill: Fill) -> None:
    a = fill("a", PPO)
    write_unfinished(Path("b"), PPO)
    with pytest.raises(RequestError, match="nothing to compare: no finished run in B"):
        compare(a, "b")


def test_a_commit_s_jobs_are_found_in_all_results_folders(fill: Fill) -> None:
    folders = [Path(fill("one", PPO, sha=OLD)), Path(fill("two", PPO, sha=NEW, bend=lower))]
    found = compare("0123", "FEDC", results=folders)
    assert [cell.verdict for cell in found.cells] == ["worse"]
    assert (found.a.name, found.b.name) == ("commit 0123456789ab", "commit fedcba987654")
    assert found.b.provenance.git == ("fedcba987654",)


def test_two_commits_in_one_folder_are_told_apart(fill: Fill) -> None:
    text = SUITE.replace('id = "ppo"', 'id = "ppo"\nlearning_rate = 0.1')
    fill("results", PPO, sha=OLD)
    fill("results", jobs_of(text, keep="ppo"), text=text, sha=NEW, bend=lower, finished="2026-02-01T00:00:00+00:00")
    assert only("0123", "fedc").verdict == "worse"


def test_jobs_that_failed_belong_to_the_commit_that_started_them(fill: Fill) -> None:
    fill("one", PPO, sha=OLD)
    write_unfinished(Path("two"), PPO[:2], reason="error", sha=NEW)
    fill("two", PPO[2:], sha=NEW)
    cell = only("0123", "fedc", results=[Path("one"), Path("two")])
    assert (cell.verdict, cell.identical) == ("failed", 6)


@pytest.mark.parametrize(
    ("given", "sentence", "hint"),
    [
        ("abcd", "no job in `results` is of commit `abcd`", "they hold jobs of 0123456789ab (4 jobs), 012345ffffff"),
        ("0123", "2 commits in `results` begin with `0123`", "(2 jobs), no commit (2 jobs); `--results DIR` names"),
        ("resluts", "`resluts` is neither a results folder nor a commit", "did you mean `results`?"),
        ("012", "`012` is neither a results folder nor a commit", "known: `results`"),
        ("nowhere/x", "`nowhere/x` is neither", "a commit is written as 4 to 40 hexadecimal digits"),
    ],
)
def test_a_side_that_cannot_be_found_is_refused_with_what_is_there(
    fill: Fill, given: str, sentence: str, hint: str
) -> None:
    fill("results", PPO[:4], sha=OLD)
    fill("results", PPO[4:6], sha="012345" + "f" * 34)
    fill("results", PPO[6:], sha=None)
    with pytest.raises(RequestError) as caught:
        compare(given, "results")
    assert sentence in caught.value.sentence
    assert hint in str(caught.value.hint)


def test_of_two_definitions_under_one_label_the_newer_counts_and_it_is_told(fill: Fill) -> None:
    text = SUITE.replace('id = "ppo"', 'id = "ppo"\nlearning_rate = 0.1')
    newer = jobs_of(text, keep="ppo")
    a = fill("a", newer, text=text)
    fill("a", PPO, bend=lower, finished="2025-01-01T00:00:00+00:00")
    found = compare(a, fill("b", newer, text=text))
    assert [cell.verdict for cell in found.cells] == ["identical"]
    assert found.a.notes == ("swap: 8 jobs of an earlier definition under the same labels left out",)


def test_seeds_only_an_earlier_definition_has_are_not_mixed_in(fill: Fill) -> None:
    text = SUITE.replace('id = "ppo"', 'id = "ppo"\nlearning_rate = 0.1')
    newer = jobs_of(text, keep="ppo")
    a = fill("a", newer[:3], text=text)
    fill("a", PPO, bend=lower, finished="2025-01-01T00:00:00+00:00")
    cell = only(a, fill("b", newer, text=text))
    assert (cell.verdict, cell.seeds, cell.alone) == ("identical", (0, 1, 2), ((), (3, 4, 5, 6, 7)))


def test_more_tests_need_more_pairs_and_it_is_said(fill: Fill) -> None:
    both = [job for job in jobs_of() if job.seed < 6]
    for cell in compare(fill("a", both), fill("b", both, bend=lower)).cells:
        assert cell.verdict == "cannot decide"
        few = "lifetime_return: 6 pairs cannot decide at 0.05 among 2 tests: at least 7 are needed"
        assert few in cell.reasons


def test_a_metric_without_a_value_in_any_cell_is_nothing_to_compare(fill: Fill) -> None:
    a, b = fill("a", PPO), fill("b", PPO, bend=lower)
    with pytest.raises(RequestError, match=r"nothing to compare: transfer\.cw: not compared: .*reference") as caught:
        compare(a, b, metric_names=["transfer.cw"])
    assert caught.value.exit_code == 2
    with pytest.raises(RequestError, match=r"nothing to compare: transfer\.cw"):
        compare(a, a, metric_names=["transfer.cw"])
    both = compare(a, b, metric_names=["transfer.cw", "lifetime_return"])
    assert [cell.verdict for cell in both.cells] == ["worse"]


def test_what_there_is_is_named_up_to_five_algorithms_a_side(fill: Fill) -> None:
    many = SUITE.partition("[[algorithm]]")[0] + "".join(
        f'[[algorithm]]\nid = "ppo-{n}"\nuse = "ppo"\nlearning_rate = {1e-4 * (n + 1)}\n' for n in range(32)
    )
    a = fill("a", [job for job in jobs_of(many) if job.seed == 0], text=many)
    with pytest.raises(RequestError) as caught:
        compare(a, fill("b", PPO))
    first, second = (caught.value.hint or "").splitlines()
    assert first == (
        "A (a) holds suite swap, scale laptop: ppo-0, ppo-1, ppo-10, ppo-11, ppo-12 on cartpole (32 finished runs); "
        "and 27 more algorithms"
    )
    assert second == "      B (b) holds suite swap, scale laptop: ppo on cartpole (8 finished runs)"


def test_jobs_that_a_study_trained_on_one_side_are_compared_under_the_labels_of_b(fill: Fill) -> None:
    study = SUITE.replace('name = "swap"', 'name = "study"').replace('id = "ppo"', 'id = "ppo_0"\nuse = "ppo"')
    mine = [job for job in jobs_of(study) if job.algorithm == "ppo_0"]
    assert [job.id for job in mine] == [job.id for job in PPO]
    a, b = fill("a", mine, text=study), fill("b", PPO, bend=lower)
    found = compare(a, b)
    assert [(cell.suite, cell.algorithm, cell.verdict) for cell in found.cells] == [("swap", "ppo", "worse")]
    assert (found.only_a, found.only_b) == ((), ())
    turned = compare(b, a)
    assert [(cell.suite, cell.algorithm, cell.verdict) for cell in turned.cells] == [("study", "ppo_0", "better")]


def test_a_suite_that_cannot_be_expanded_here_is_told_and_compared(fill: Fill) -> None:
    text = SUITE.replace('id = "ppo"', 'id = "ppo"\nuse = "not_installed"')
    found = compare(fill("a", PPO, text=text), fill("b", PPO, text=text, bend=lower))
    assert [cell.verdict for cell in found.cells] == ["worse"]
    assert found.a.notes[0].startswith("swap: the suite cannot be expanded here (unknown algorithm `not_installed`)")


@pytest.mark.parametrize("change", ["every = 2048", "every = 1024\ndeterministic = true"])
def test_another_evaluation_is_not_compared(fill: Fill, change: str) -> None:
    text = SUITE.replace("every = 1024", change)
    with pytest.raises(RequestError, match="nothing to compare: the evaluation differs, so returns do not compare"):
        compare(fill("a", PPO), fill("b", jobs_of(text, keep="ppo"), text=text))


def test_more_episodes_are_compared_and_told(fill: Fill) -> None:
    text = SUITE.replace("episodes = 4", "episodes = 40")
    cell = only(fill("a", PPO), fill("b", jobs_of(text, keep="ppo"), text=text, bend=noisy))
    assert cell.verdict == "no difference found"
    assert cell.parameters == ("evaluation.episodes 4 -> 40",)


def test_points_a_diverged_job_lacks_are_left_out_of_the_curve(fill: Fill) -> None:
    a, b = fill("a", PPO), fill("b", PPO[1:], bend=noisy)
    fill("b", PPO[:1], status="diverged", diverged_step=2048, upto=2048)
    cell = only(a, b)
    assert cell.curve is not None
    # a diverged job has no point just after the shift; its other points are at the floor
    assert cell.curve.points == LIFETIME + 1


def test_few_unpaired_seeds_cannot_decide_and_it_is_said(fill: Fill) -> None:
    text = SUITE.replace("seeds = 8", "seeds = [10, 11, 12]")
    cell = only(fill("a", PPO[:3]), fill("b", jobs_of(text, keep="ppo"), text=text, bend=lower))
    assert cell.verdict == "cannot decide"
    assert cell.metrics[0].p == pytest.approx(2 / 20)
    few = "lifetime_return: 3 and 3 unpaired seeds cannot decide at 0.05: at least 4 a side are needed"
    assert few in cell.reasons


def test_drawn_tests_with_and_without_a_margin_of_nothing_agree(fill: Fill) -> None:
    text = SUITE.replace("seeds = 8", "seeds = 16")
    many = jobs_of(text, keep="ppo")
    (change,) = only(fill("a", many, text=text), fill("b", many, text=text, bend=noisy)).metrics
    assert change.test.startswith("sampled")
    assert change.margin_p_adjusted == change.p_adjusted


def test_gtr_is_marked_as_a_reconstruction(fill: Fill) -> None:
    both = jobs_of()
    found = compare(fill("a", both), fill("b", both))
    assert {cell.algorithm: cell.reconstruction for cell in found.cells} == {"ppo": False, "gtr": True}


def at(level: str | None) -> str:
    return json.dumps({"processor": "some", "vector_level": level})


def levels_line(fill: Fill, a: str | None, b: str | None) -> list[str]:
    found = compare(fill("a", PPO, hardware=a), fill("b", PPO, hardware=b))
    return [line for line in render_comparison(found, "terminal").splitlines() if "vector level" in line]


def test_sides_computed_at_different_vector_levels_are_told_in_one_line(fill: Fill) -> None:
    assert levels_line(fill, at("AVX2"), at("AVX512")) == [
        "computed at different vector levels (A: AVX2; B: AVX512): numbers may differ in their last bits, and runs "
        "then part after some iterations"
    ]


@pytest.mark.parametrize("other", [at("AVX2"), at(None), None])
def test_the_same_level_and_one_that_is_unknown_are_no_line(fill: Fill, other: str | None) -> None:
    assert levels_line(fill, at("AVX2"), other) == []


def test_levels_of_jobs_that_are_on_one_side_only_do_not_count(fill: Fill) -> None:
    a = fill("a", PPO, hardware=at("AVX2"))
    fill("a", jobs_of(keep="gtr"), hardware=at("AVX512"))
    found = compare(a, fill("b", PPO, hardware=at("AVX2")))
    assert (found.a.vector_levels, found.b.vector_levels) == (("AVX2",), ("AVX2",))
