"""Verdicts: who decides, in which direction, and how often wrongly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gtr_bench.metrics.decision import Question, decide, verdicts
from gtr_bench.metrics.power import detectable, pessimistic_std, seeds_needed
from tests.metrics.helpers import within_band


def question(differences: list[float], **changes: object) -> Question:
    ours = {seed: 10 + value for seed, value in enumerate(differences)}
    base = Question("q", {"world": (ours, dict.fromkeys(ours, 10.0))}, "higher")
    return replace(base, **changes)  # type: ignore[arg-type]


UP = [1.0, 2.0, 1.5, 1.2, 0.8, 1.1]


def test_six_equal_signs_support_and_refute_by_direction() -> None:
    (found,) = decide([question(UP)])
    assert (found.verdict, found.p, found.n) == ("supported", 2 / 64, 6)
    assert found.effect == pytest.approx(np.mean(UP))
    assert found.standardised == pytest.approx(np.mean(UP) / np.std(UP, ddof=1))
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.effect < found.high
    assert decide([question(UP, direction="lower")])[0].verdict == "refuted"


def test_five_pairs_cannot_decide_and_say_so() -> None:
    (found,) = decide([question(UP[:5])])
    assert found.verdict == "undecided"
    assert "5 pairs cannot reach 0.05: at least 6" in found.reason
    assert found.seeds_needed is not None
    assert found.seeds_needed >= 6


def test_an_undecided_claim_says_which_difference_its_pairs_would_find() -> None:
    differences = [1.0, -1.0, 0.5, -0.5, 0.2, -0.3, 0.4, -0.6]
    (found,) = decide([question(differences)])
    size = pessimistic_std(float(np.std(differences, ddof=1)), 8) * detectable(8, design="paired")
    assert found.reason.endswith(f"; with 8 pairs a true difference of {size:.3g} would be found with power 0.8")
    assert seeds_needed(detectable(8, design="paired") + 1e-9, design="paired") == 8
    (within,) = decide([question(differences, margin=0.1)])
    assert within.reason.endswith(f"of {size:.3g} from the margin would be found with power 0.8")
    (same,) = decide([question([0.0] * 6)])
    assert same.reason.endswith("above 0.05")


@pytest.mark.parametrize("n", range(6, 40))
def test_an_undecided_claim_has_a_reason_with_any_number_of_pairs(n: int) -> None:
    (found,) = decide([question([1.0 if place % 2 else -1.1 for place in range(n)])])
    assert found.verdict == "undecided"
    assert f"with {n} pairs a true difference of" in found.reason


def test_holm_over_the_family_can_undo_a_verdict() -> None:
    assert [each.verdict for each in decide([question(UP), question(UP[::-1])])] == ["undecided"] * 2


def test_a_margin_must_be_beaten_and_falling_short_of_it_refutes() -> None:
    assert decide([question(UP, margin=0.5)])[0].verdict == "supported"
    assert decide([question(UP, margin=5.0)])[0].verdict == "refuted"


def test_non_inferiority_is_one_sided_and_refuted_beyond_the_margin() -> None:
    slightly_worse = [-0.01, 0.02, -0.02, 0.01, -0.015]
    (found,) = decide([question(slightly_worse, kind="non_inferiority", margin=0.1)])
    assert (found.verdict, found.p) == ("supported", 1 / 32)
    assert found.level == pytest.approx(0.9)
    assert decide([question([-1, -2, -1, -2, -1.5], kind="non_inferiority", margin=0.1)])[0].verdict == "refuted"


def apart(ours: list[float], theirs: list[float]) -> dict[str, tuple[dict[int, float], dict[int, float]]]:
    """One environment without a shared seed."""
    return {"world": (dict(enumerate(ours)), {100 + seed: value for seed, value in enumerate(theirs)})}


def test_unshared_seeds_are_compared_unpaired_and_the_test_says_so() -> None:
    (found,) = decide([Question("q", apart([5.0, 6, 7, 6, 5], [1.0, 2, 3, 2, 1]), "higher")])
    assert found.test.startswith("Welch")
    assert (found.verdict, found.n) == ("supported", 5)


def test_few_unshared_seeds_are_permuted_where_welchs_test_errs_too_often() -> None:
    (found,) = decide([Question("q", apart([5.0, 6, 7], [1.0, 2, 3]), "higher")])
    assert (found.verdict, found.p, found.test) == ("undecided", 2 / 20, "exact permutation, two-sided")
    assert found.reason == "the test does not decide: p = 0.1 after Holm, above 0.05"


def test_ragged_seeds_use_the_shared_ones() -> None:
    ours = {seed: 1.0 + seed for seed in range(8)}
    theirs = {seed: float(seed) for seed in range(2, 12)}
    assert decide([Question("q", {"world": (ours, theirs)}, "higher")])[0].n == 6


@pytest.mark.parametrize("pairs", [{}, {"world": ({0: 1.0}, {0: 2.0})}])
def test_too_little_data_is_undecided_without_a_test(
    pairs: dict[str, tuple[dict[int, float], dict[int, float]]],
) -> None:
    (found,) = decide([Question("q", pairs, "higher")])
    assert (found.verdict, found.p, found.test) == ("undecided", None, "")


def test_constant_unpaired_values_are_undecided() -> None:
    (found,) = decide([Question("q", {"w": ({0: 1.0, 1: 1.0}, {2: 1.0, 3: 1.0})}, "higher")])
    assert found.verdict == "undecided"


def test_equal_pairs_are_undecided_with_p_one() -> None:
    (found,) = decide([question([0.0] * 6)])
    assert (found.verdict, found.p, found.seeds_needed) == ("undecided", 1.0, None)


def test_true_nulls_of_a_family_are_decided_at_most_at_the_level() -> None:
    generator = np.random.default_rng(7)
    wrong = 0
    for _ in range(400):
        family = [question(list(generator.normal(size=8))) for _ in range(3)]
        wrong += any(each != "undecided" for each in verdicts(family))
    assert within_band(wrong, 400, 0.05, lower=False)


def test_at_the_margin_non_inferiority_is_granted_at_its_level() -> None:
    generator = np.random.default_rng(8)
    asked = {"kind": "non_inferiority", "margin": 0.5}
    granted = sum(
        verdicts([question(list(generator.normal(-0.5, 1.0, size=8)), **asked)]) == ["supported"] for _ in range(400)
    )
    assert within_band(granted, 400, 12 / 256)
