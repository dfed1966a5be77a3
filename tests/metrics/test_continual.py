"""The worked examples of protocols 1 and 2, and what happens at the edges."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gtr_bench.metrics.continual import (
    Drop,
    LifetimeReturn,
    OracleGap,
    PhaseAuc,
    PhaseFinal,
    PlasticityRatio,
    RecoverySteps,
    RecoveryStepsMedian,
    drops,
    phase_aucs,
    phase_finals,
    recoveries,
)
from gtr_bench.metrics.continual_world import (
    Forgetting,
    Performance,
    Transfer,
    at_the_end,
    at_the_end_of_their_phase,
    forward_transfers,
)
from gtr_bench.metrics.registry import metrics
from gtr_bench.metrics.run import Companions, Metric, Run

NOTHING = Companions()


def make(
    phases: Sequence[Sequence[float]],
    *,
    every: int = 10,
    worlds: Sequence[str] | None = None,
    fresh: Sequence[float] | None = None,
) -> Run:
    """A run evaluated every `every` steps, and right after each shift (and at the start) where `fresh` gives values."""
    rows: list[tuple[int, int, float, bool]] = []
    start = 0
    for phase, values in enumerate(phases):
        if fresh is not None:
            rows.append((start, phase, fresh[phase], True))
        rows += [(start + every * (i + 1), phase, value, False) for i, value in enumerate(values)]
        start += every * len(values)
    steps, numbers, values_, flags = zip(*rows, strict=True)
    return Run(
        steps=np.array(steps),
        phases=np.array(numbers),
        evaluated_phases=np.array(numbers),
        values=np.array(values_, dtype=np.float64),
        fresh=np.array(flags),
        lengths=tuple(every * len(values) for values in phases),
        worlds=tuple(worlds or (f"world {phase}" for phase in range(len(phases)))),
    )


def both(first: Sequence[float], second: Sequence[float], *, every: int, shift: int) -> Run:
    """Two phases, both worlds evaluated at every point."""
    steps = np.arange(1, len(first) + 1) * every
    phases = (steps > shift).astype(np.int64)
    return Run(
        steps=np.concatenate([steps, steps]),
        phases=np.concatenate([phases, phases]),
        evaluated_phases=np.repeat([0, 1], len(steps)),
        values=np.array([*first, *second], dtype=np.float64),
        fresh=np.zeros(2 * len(steps), dtype=bool),
        lengths=(shift, int(steps[-1]) - shift),
        worlds=("a", "b"),
    )


EXAMPLE = make([[2, 4, 6, 8], [1, 3, 7, 9]])
REFERENCE = make([[2, 5, 7, 8]])
WITH_REFERENCE = Companions(references={1: [REFERENCE]})


def test_the_worked_example_of_phases() -> None:
    assert LifetimeReturn.score(EXAMPLE, NOTHING).value == 5.0
    assert phase_aucs(EXAMPLE).tolist() == [5.0, 5.0]
    assert PhaseAuc.score(EXAMPLE, NOTHING).value == 5.0
    assert phase_finals(EXAMPLE, window=1).tolist() == [8.0, 9.0]
    assert drops(EXAMPLE).tolist() == [7.0]
    assert Drop.score(EXAMPLE, NOTHING).value == 7.0
    assert PlasticityRatio.score(EXAMPLE, WITH_REFERENCE).value == pytest.approx(0.909091, abs=5e-7)
    steps, censored = recoveries(EXAMPLE, np.array([0.8 * phase_finals(REFERENCE, window=1)[0]]))
    assert steps.tolist() == [30.0]
    assert censored.tolist() == [False]


def test_the_worked_example_of_continual_world() -> None:
    run = both([0.5, 1.0, 0.8, 0.6], [0, 0, 0.4, 0.8], every=50, shift=100)
    references = Companions(references={0: [make([[0.4, 0.8]], every=50)], 1: [make([[0.2, 0.6]], every=50)]})
    assert at_the_end(run, window=1).mean() == pytest.approx(0.7)
    lost = at_the_end_of_their_phase(run, window=1) - at_the_end(run, window=1)
    assert lost.tolist() == pytest.approx([0.4, 0.0])
    assert forward_transfers(run, references).tolist() == pytest.approx([0.375, 1 / 3])
    assert Transfer.score(run, references).value == pytest.approx(0.354167, abs=5e-7)


def test_continual_world_means_use_the_last_five_evaluations() -> None:
    run = both([0, 1, 1, 1, 1, 1] + [0, 0.5] * 3, [0] * 6 + [0, 0, 0, 0, 0, 1], every=10, shift=60)
    assert Performance.score(run, NOTHING).value == pytest.approx((0.3 + 0.2) / 2)
    assert Forgetting.score(run, NOTHING).value == pytest.approx((1.0 - 0.3) / 2)


def test_phase_final_is_the_mean_of_the_last_five_points_of_each_phase() -> None:
    assert PhaseFinal.score(make([range(10), [1.0] * 10]), NOTHING).value == pytest.approx((7.0 + 1.0) / 2)


def test_phase_final_says_when_the_end_of_a_phase_is_all_of_it() -> None:
    same = make([range(5), [1.0] * 10])
    assert PhaseFinal.score(same, NOTHING).reason == (
        "with phases of no more than 5 points, these are all points, as in lifetime_return"
    )
    assert PhaseFinal.score(make([range(6), [1.0] * 6]), NOTHING).reason == ""


def test_drops_do_not_cancel_between_a_hard_world_and_an_easy_one() -> None:
    run = make([[8, 8], [2, 2], [8, 8]], fresh=[0, 2, 8])
    assert drops(run).tolist() == [6.0, -6.0]
    assert Drop.score(run, NOTHING).value == 3.0
    assert math.isnan(Drop.score(make([[8, math.nan], [2, 2]], fresh=[0, 2]), NOTHING).value)


def test_points_before_the_first_step_of_a_phase_only_count_for_drop_and_recovery() -> None:
    run = make([[2, 4, 6, 8], [1, 3, 7, 9]], fresh=[0, -3])
    assert LifetimeReturn.score(run, NOTHING) == LifetimeReturn.score(EXAMPLE, NOTHING)
    assert phase_finals(run).tolist() == phase_finals(EXAMPLE).tolist()
    assert drops(run).tolist() == [11.0]


def test_a_policy_that_needs_no_recovery_takes_no_steps() -> None:
    run = make([[8, 8], [8, 8]], fresh=[0, 8])
    assert RecoverySteps.score(run, Companions(references={1: [make([[5, 8]])]})).value == 0.0


def test_a_recovery_that_does_not_happen_counts_as_the_phase_and_as_censored() -> None:
    found = RecoverySteps.score(make([[8, 8], [0, 0], [0, 9]]), Companions({1: [REFERENCE], 2: [REFERENCE]}))
    assert found.value == pytest.approx((20 + 20) / 2)
    assert found.censored == 1


def test_references_are_averaged_over_seeds_before_dividing() -> None:
    run = make([[1.0], [0.5]])
    references = Companions(references={0: [make([[0.0]])], 1: [make([[0.2]]), make([[0.4]])]})
    assert forward_transfers(run, references)[1] == pytest.approx((0.5 - 0.3) / (1 - 0.3))


def test_plasticity_of_a_returning_world_compares_the_last_phase_with_the_first() -> None:
    run = make([[4, 4], [100, 100], [3, 3]], worlds=["a", "b", "a"])
    assert PlasticityRatio.score(run, NOTHING).value == pytest.approx(0.75)


def test_oracle_gap_is_the_oracles_lifetime_return_minus_the_runs() -> None:
    oracle = make([[6, 6, 6, 6], [6, 6, 6, 6]])
    assert OracleGap.score(EXAMPLE, Companions(oracle=oracle)).value == 1.0


def test_a_perfect_reference_has_no_transfer_and_is_said_to_be_left_out() -> None:
    run = make([[0.5], [0.5]])
    found = Transfer.score(run, Companions(references={0: [make([[1.0]])], 1: [make([[0.0]])]}))
    assert found.value == 0.5
    assert "1 of 2 tasks" in found.reason


@pytest.mark.parametrize(
    ("metric", "run"),
    [
        (PhaseAuc, make([[1, 2]])),
        (PlasticityRatio, EXAMPLE),
        (PlasticityRatio, make([[0, 0], [1, 1]], worlds=["a", "a"])),
        (OracleGap, EXAMPLE),
        (Drop, make([[1, 2]])),
        (RecoverySteps, EXAMPLE),
        (RecoverySteps, make([[1, 2]])),
        (Performance, EXAMPLE),
        (Forgetting, EXAMPLE),
        (Transfer, EXAMPLE),
    ],
)
def test_a_metric_that_is_not_defined_says_why(metric: type[Metric], run: Run) -> None:
    found = metric.score(run, NOTHING)
    assert math.isnan(found.value)
    assert not found.defined
    assert found.reason


def test_a_negative_reference_level_asks_for_normalisation() -> None:
    found = RecoverySteps.score(EXAMPLE, Companions(references={1: [make([[-9, -8]])]}))
    assert "normalise" in found.reason


def test_a_diverged_run_counts_the_floor_from_the_divergence_to_the_end_of_every_phase() -> None:
    run = make([[2, 4, 6, 8], [1, math.nan, 7, 9]])
    partial = Run(
        steps=run.steps[:6],
        phases=run.phases[:6],
        evaluated_phases=run.evaluated_phases[:6],
        values=run.values[:6],
        fresh=run.fresh[:6],
        lengths=run.lengths,
        worlds=run.worlds,
    )
    floored = partial.floored(-1.0, marks=[[10, 20, 30], [10, 20, 30]], diverged_step=60)
    assert floored.steps.tolist() == [10, 20, 30, 40, 50, 60, 70, 80]
    assert floored.values.tolist() == [2, 4, 6, 8, 1, -1, -1, -1]
    assert LifetimeReturn.score(floored, NOTHING).value == pytest.approx((21 - 3) / 8)


def test_a_run_that_diverged_before_its_first_evaluation_counts_the_floor_everywhere() -> None:
    nothing = np.array([], dtype=np.int64)
    run = Run(nothing, nothing, nothing, nothing.astype(float), nothing.astype(bool), (30, 25), ("a", "b"))
    floored = run.floored(0.5, marks=[[10, 20], [10]], diverged_step=3)
    assert floored.steps.tolist() == [10, 20, 30, 40, 55]
    assert floored.phases.tolist() == [0, 0, 0, 1, 1]
    assert LifetimeReturn.score(floored, NOTHING).value == 0.5


def test_bounds_and_floors_may_be_each_worlds_own() -> None:
    run = make([[5.0, math.nan], [30.0, 20.0]])
    assert run.floored([1.0, 2.0], [[10], [10]], None).scaled([0.0, 10.0], [10.0, 30.0]).values.tolist() == [
        0.5, 0.1, 1.0, 0.5,
    ]  # fmt: skip


def test_values_that_are_not_finite_count_the_floor_without_a_divergence() -> None:
    assert make([[1.0, math.inf]]).floored(0.0, [[10]], None).values.tolist() == [1.0, 0.0]


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=12), st.floats(-50, 50), st.floats(0.1, 50))
def test_scaling_maps_low_to_zero_and_high_to_one_and_keeps_means(
    values: list[float], low: float, width: float
) -> None:
    run = make([values])
    scaled = LifetimeReturn.score(run.scaled(low, low + width), NOTHING).value
    assert scaled == pytest.approx((LifetimeReturn.score(run, NOTHING).value - low) / width, rel=1e-6, abs=1e-6)


def test_every_registered_metric_describes_itself() -> None:
    for name in metrics.names():
        metric = metrics.get(name)
        assert metric.name == name
        assert metric.direction in {"higher", "lower", "neutral"}
        assert metric.definition
        assert "Source: " in metric.__doc__


def test_the_median_recovery_is_moved_less_by_a_censored_one() -> None:
    run = make([[8, 8], [8, 8], [8, 8], [1, 1]])
    reference = make([[8.0, 8.0]])
    companions = Companions({phase: [reference] for phase in range(4)})
    assert RecoverySteps.score(run, companions).value == pytest.approx((10 + 10 + 20) / 3)
    found = RecoveryStepsMedian.score(run, companions)
    assert (found.value, found.censored) == (10.0, 1)
