"""Results made up so that a verdict would lie: too few seeds, failures on one side, rare collapses, nothing to test."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gtr_bench.cli.main import execute
from gtr_bench.compare.build import compare
from gtr_bench.compare.model import CellChange, Comparison, exit_code
from gtr_bench.suite.expand import Job

from .conftest import SUITE, Fill, jobs_of, write_unfinished
from .test_compare import PPO, lower, noisy, only

TEN = SUITE.partition("[[algorithm]]")[0] + "".join(
    f'[[algorithm]]\nid = "ppo-{n}"\nuse = "ppo"\nlearning_rate = {1e-4 * (n + 1)}\n' for n in range(10)
)
OTHER_SEEDS = SUITE.replace("seeds = 8", "seeds = [10, 11, 12, 13, 14, 15, 16, 17]")
OTHERS = jobs_of(OTHER_SEEDS, keep="ppo")


def halved(job: Job, returns: np.ndarray) -> np.ndarray:
    return returns / 2


def told(cell: CellChange) -> str:
    return "; ".join(cell.reasons)


def test_ten_halved_curves_of_five_seeds_cannot_be_decided_and_exit_with_3(fill: Fill) -> None:
    jobs = [job for job in jobs_of(TEN) if job.seed < 5]
    a, b = fill("a", jobs, text=TEN), fill("b", jobs, text=TEN, bend=halved)
    found = compare(a, b)
    assert found.counts == {"cannot decide": 10}
    assert "5 pairs cannot decide at 0.05 among 10 tests: at least 9 are needed" in told(found.cells[0])
    assert (found.regression, found.undecided, exit_code(found), exit_code(found, strict=True)) == (False, True, 3, 1)
    assert execute(["compare", a, b]) == 3
    assert execute(["compare", a, b, "--strict"]) == 1


def test_ten_halved_curves_of_nine_seeds_are_worse(fill: Fill) -> None:
    text = TEN.replace("seeds = 8", "seeds = 9")
    jobs = jobs_of(text)
    assert compare(fill("a", jobs, text=text), fill("b", jobs, text=text, bend=halved)).counts == {"worse": 10}


def one_worse_one_of_few_seeds(fill: Fill) -> Comparison:
    few = [job for job in jobs_of(keep="gtr") if job.seed < 3]
    return compare(fill("a", [*PPO, *few]), fill("b", [*PPO, *few], bend=lower))


def test_a_regression_counts_before_what_cannot_be_decided(fill: Fill) -> None:
    found = one_worse_one_of_few_seeds(fill)
    assert found.counts == {"worse": 1, "cannot decide": 1}
    assert exit_code(found) == 1


def test_strict_says_why_it_fails_and_passes_where_all_was_judged(
    fill: Fill, capsys: pytest.CaptureFixture[str]
) -> None:
    both = jobs_of()
    a, b = fill("a", both), fill("b", PPO, bend=noisy)
    assert execute(["compare", a, b]) == 0
    capsys.readouterr()
    assert execute(["compare", a, b, "--strict"]) == 1
    assert capsys.readouterr().err == (
        "compared 1 cell: 1 no difference found; only in A: 1 cell\n`--strict`: 1 cell only in A\n"
    )
    assert execute(["compare", b, a, "--strict"]) == 0


def test_cells_on_other_worlds_are_not_compared_which_fails_with_strict_alone(fill: Fill) -> None:
    text = SUITE.replace("cycle = 2", "cycle = 3")
    a, b = fill("a", jobs_of()), fill("b", [*jobs_of(text, keep="ppo"), *jobs_of(keep="gtr")], text=text)
    found = compare(a, b)
    assert found.counts == {"not compared": 1, "identical": 1}
    assert (exit_code(found), exit_code(found, strict=True)) == (0, 1)


WITH_STATIONARY = SUITE.replace(
    "\n[[algorithm]]", '\n[[sequence]]\nid = "still"\nenv = "gym:CartPole-v1"\nphases = 1\n\n[[algorithm]]', 1
)


def test_a_cell_without_a_value_of_the_metric_is_not_compared_however_it_changed(fill: Fill) -> None:
    jobs = jobs_of(WITH_STATIONARY, keep="ppo")
    a, b = fill("a", jobs, text=WITH_STATIONARY), fill("b", jobs, text=WITH_STATIONARY, bend=lower)
    cells = {cell.environment: cell for cell in compare(a, b, metric_names=["phase_auc"]).cells}
    assert {name: cell.verdict for name, cell in cells.items()} == {"cartpole": "worse", "still": "not compared"}
    assert "phase_auc: not compared: one phase only" in cells["still"].reasons
    both = compare(a, b, metric_names=["phase_auc", "lifetime_return"])
    assert both.counts == {"worse": 2}
    assert both.unjudged == ("phase_auc not compared in 1 cell",)


def test_a_cell_shown_by_its_curves_alone_cannot_be_decided_where_the_metric_cannot(fill: Fill) -> None:
    names = ["lifetime_return", "phase_auc"]
    jobs = [job for job in PPO if job.seed < 6]
    cell = only(fill("a", jobs), fill("b", jobs, bend=lower), metric_names=names)
    assert cell.curve is not None
    assert cell.curve.p_adjusted == 2 / 64
    assert cell.verdict == "cannot decide"
    assert "the curves differ" in told(cell)


def test_a_cell_whose_curves_cannot_be_decided_is_not_called_without_a_difference(fill: Fill) -> None:
    jobs = [job for job in jobs_of(WITH_STATIONARY, keep="ppo") if job.seed < 6]
    a, b = fill("a", jobs, text=WITH_STATIONARY), fill("b", jobs, text=WITH_STATIONARY, bend=noisy)
    cells = {cell.environment: cell for cell in compare(a, b, metric_names=["phase_auc"]).cells}
    # the metric is tested in one cell, the curves in two
    assert cells["cartpole"].metrics[0].outcome == "no difference found"
    assert cells["cartpole"].verdict == "cannot decide"
    few = "curves: 6 pairs cannot decide at 0.05 among 2 tests: at least 7 are needed"
    assert few in cells["cartpole"].reasons


def test_metrics_that_differ_by_rounding_alone_are_equal(fill: Fill) -> None:
    def moved(job: Job, returns: np.ndarray) -> np.ndarray:
        """The same points in another order, so that their sum is rounded otherwise."""
        return np.concatenate([returns[:1], returns[1:5][::-1], returns[5:6], returns[6:][::-1]])

    cell = only(fill("a", PPO), fill("b", PPO, bend=moved))
    (change,) = cell.metrics
    assert (change.difference, change.outcome, change.p) == (0.0, "no difference found", 1.0)
    assert (change.low, change.high) == (0.0, 0.0)
    assert "lifetime_return: all values are equal" in cell.reasons


def test_few_pairs_that_are_all_equal_show_nothing(fill: Fill) -> None:
    def moved(job: Job, returns: np.ndarray) -> np.ndarray:
        swapped = returns.copy()
        swapped[[1, 2]] = swapped[[2, 1]]
        return swapped

    cell = only(fill("a", PPO[:3]), fill("b", PPO[:3], bend=moved))
    assert cell.metrics[0].outcome == "cannot decide"
    assert cell.verdict == "cannot decide"


def test_a_margin_that_is_shown_to_hold_is_a_verdict_though_few_pairs_differ(fill: Fill) -> None:
    def some(job: Job, returns: np.ndarray) -> np.ndarray:
        return returns - 1 - job.seed / 10 if job.seed < 3 else returns

    a, b = fill("a", PPO), fill("b", PPO, bend=some)
    assert only(a, b).verdict == "cannot decide"
    (change,) = only(a, b, margin=5.0).metrics
    assert change.outcome == "no difference found"
    assert change.reason == "shown not to be worse by more than 5.000, p (Holm) 0.0078"
    assert change.detectable is None
    assert change.low is not None
    assert -5 < change.low <= 0 <= (change.high or 0)


def test_a_worsening_that_could_never_be_shown_to_be_beyond_the_margin_cannot_be_decided(fill: Fill) -> None:
    # gtr is shown to have changed, but not beyond the margin: of ppo's two tests only one has its step to itself
    def bend(job: Job, returns: np.ndarray) -> np.ndarray:
        return returns - 20 - job.seed if job.algorithm == "gtr" else returns - 2 * job.seed + 5

    jobs = [job for job in jobs_of() if job.algorithm == "gtr" or job.seed < 6]
    cells = {each.algorithm: each for each in compare(fill("a", jobs), fill("b", jobs, bend=bend), margin=22.0).cells}
    assert cells["gtr"].verdict == "changed"
    assert cells["ppo"].verdict == "cannot decide"
    assert "lifetime_return: 6 pairs cannot decide at 0.05 among 2 tests: at least 7 are needed" in cells["ppo"].reasons


def test_jobs_that_fail_under_seeds_a_does_not_have_are_a_regression_if_more_fail_than_in_a(fill: Fill) -> None:
    a, b = fill("a", PPO), fill("b", OTHERS[4:], text=OTHER_SEEDS, bend=lambda job, returns: returns + 50)
    write_unfinished(Path(b), OTHERS[:4], reason="error")
    cell = only(a, b)
    # the survivors alone are better
    assert cell.metrics[0].outcome == "better"
    assert cell.verdict == "failed"
    assert cell.reasons[0] == "a larger share failed in B: seeds 10-13"
    assert only(b, a).verdict == "worse"


def test_as_many_failures_under_other_seeds_are_none_that_count(fill: Fill) -> None:
    a, b = fill("a", PPO[1:]), fill("b", OTHERS[1:], text=OTHER_SEEDS)
    write_unfinished(Path(a), PPO[:1], reason="error")
    write_unfinished(Path(b), OTHERS[:1], reason="error")
    assert only(a, b).verdict == "no difference found"


def test_what_failed_diverged_or_has_not_ended_on_one_side_is_told_of_either(fill: Fill) -> None:
    a, b = fill("a", PPO[2:]), fill("b", [*PPO[:1], *PPO[2:7]], bend=noisy)
    write_unfinished(Path(a), PPO[:1], reason="error")
    write_unfinished(Path(b), PPO[7:])
    fill(a, PPO[1:2], status="diverged", diverged_step=2048)
    fill(b, PPO[1:2])
    cell = only(a, b)
    assert cell.interim
    assert set(cell.reasons) >= {
        "failed in A and done in B: seed 0",
        "diverged in A and not in B: seed 1",
        "interim, as jobs have not ended in B: seed 7",
    }
    assert not any(reason.startswith("without a partner") for reason in cell.reasons)


def test_an_unfinished_side_fails_with_strict(fill: Fill) -> None:
    a, b = fill("a", PPO), fill("b", PPO[:7])
    write_unfinished(Path(b), PPO[7:])
    found = compare(a, b)
    assert (exit_code(found), exit_code(found, strict=True)) == (0, 1)
    assert found.unjudged == ("jobs have not ended in 1 cell",)


def test_divergence_without_common_seeds_is_told(fill: Fill) -> None:
    a, b = fill("a", PPO), fill("b", OTHERS[1:], text=OTHER_SEEDS)
    fill(b, OTHERS[:1], text=OTHER_SEEDS, status="diverged", diverged_step=2048)
    assert "diverged in B: seed 10" in only(a, b).reasons


def collapsing(*seeds: int) -> object:
    def bend(job: Job, returns: np.ndarray) -> np.ndarray:
        return noisy(job, returns) - (60 if job.seed in seeds else -20)

    return bend


def test_runs_that_collapse_now_and_then_are_told_beside_the_verdict(fill: Fill) -> None:
    cell = only(fill("a", PPO), fill("b", PPO, bend=collapsing(3, 5)))
    (change,) = cell.metrics
    assert cell.verdict == "no difference found"
    assert change.warning.startswith("the differences B - A lie in two heaps (2 of 8 in the lower one): mean ")
    assert "so the test of means may err more often than it says; worst quarter of the values " in change.warning
    assert any(change.warning in reason for reason in cell.reasons)


def test_seeds_that_collapse_on_both_sides_alike_are_no_reason_to_doubt_the_test(fill: Fill) -> None:
    cell = only(
        fill("a", PPO, bend=lambda job, returns: returns - (60 if job.seed == 3 else 0)),
        fill("b", PPO, bend=lambda job, returns: noisy(job, returns) - (60 if job.seed == 3 else 0)),
    )
    assert cell.metrics[0].warning == ""


def test_collapses_without_common_seeds_and_a_wider_spread_are_told(fill: Fill) -> None:
    a = fill("a", PPO)
    b = fill("b", OTHERS, text=OTHER_SEEDS, bend=lambda job, returns: returns - (200 if job.seed == 12 else -30))
    assert "the values of B lie in two heaps (1 of 8 in the lower one)" in told(only(a, b))
    wide = fill("c", PPO, bend=lambda job, returns: returns + 30 * (job.seed - 3.5))
    assert "the values of B spread 4 times or more as far as the other side's" in told(only(a, wide))


def test_an_identical_algorithm_has_the_same_gap_to_an_oracle_that_changed(fill: Fill) -> None:
    text = SUITE.replace('id = "gtr"', 'id = "oracle"')
    jobs = jobs_of(text)
    a = fill("a", jobs, text=text)
    b = fill("b", jobs, text=text, bend=lambda job, returns: returns + 40 if job.algorithm == "oracle" else returns)
    cells = {cell.algorithm: cell for cell in compare(a, b, metric_names=["oracle_gap"]).cells}
    assert cells["ppo"].verdict == "identical"
    assert cells["ppo"].metrics[0].difference == 0
    assert cells["oracle"].verdict == "better"


def test_values_that_are_missing_are_counted(fill: Fill, monkeypatch: pytest.MonkeyPatch) -> None:
    from gtr_bench.metrics.continual import LifetimeReturn
    from gtr_bench.metrics.run import Companions, Run, Score, undefined

    def gappy(cls: type, run: Run, companions: Companions) -> Score:
        value = float(run.values[~run.fresh].mean())
        return undefined("too low") if value < 60 else Score(value)

    a, b = fill("a", PPO), fill("b", PPO, bend=lambda job, returns: noisy(job, returns) - 40 * (job.seed < 5))
    monkeypatch.setattr(LifetimeReturn, "score", classmethod(gappy))
    cell = only(a, b)
    # three pairs are left, all about equal: the five that fell are no reason to call it so
    assert cell.verdict == "cannot decide"
    assert "5 of 8 pairs left out: too low" in told(cell)
