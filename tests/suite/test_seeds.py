from __future__ import annotations

from gtr_bench.suite import Seeds, derive_seeds


def definition(seed: int, algorithm: str = "gtr", **parameters: float) -> dict[str, object]:
    return {"algorithm": {"name": algorithm, "version": 1, "parameters": parameters}, "seed": seed}


def test_the_golden_seeds_have_not_moved() -> None:
    assert derive_seeds(definition(0)) == Seeds(9177068229897011248, 5886687231314858603, 7542545292953044457)


def test_algorithms_meet_the_same_worlds_with_learners_of_their_own() -> None:
    gtr, ppo = derive_seeds(definition(7)), derive_seeds(definition(7, "ppo"))
    assert (gtr.environment, gtr.shift) == (ppo.environment, ppo.shift)
    assert gtr.learner != ppo.learner


def test_settings_of_one_algorithm_share_all_seeds() -> None:
    assert derive_seeds(definition(7, sigma=0.1)) == derive_seeds(definition(7, sigma=2.0))


def test_seeds_are_distinct_and_fit_a_signed_64_bit_integer() -> None:
    derived = [value for seed in range(300) for value in derive_seeds(definition(seed))]
    assert len(set(derived)) == len(derived)
    assert all(0 <= value < 2**63 for value in derived)
    assert max(derived) > 2**62
