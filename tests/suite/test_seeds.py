from __future__ import annotations

from typing import Any

import pytest

from gtr_bench.suite import Seeds, derive_seeds
from gtr_bench.suite.seeds import share_randomness

SWAP = {"kind": "action_permutation", "cycle": 2}


def definition(
    seed: int, algorithm: str = "gtr", *, steps: int = 1000, shift: dict[str, Any] = SWAP, **parameters: float
) -> dict[str, Any]:
    phase = {"environment": "gym:CartPole-v1", "options": {}, "steps": steps, "variant": 0}
    sequence = {"phases": [phase, phase | {"variant": 1}], "shifts": [shift], "max_episode_steps": None}
    described = {"name": algorithm, "version": 1, "parameters": parameters}
    return {"algorithm": described, "sequence": sequence, "seed": seed}


def test_the_golden_seeds_have_not_moved() -> None:
    assert derive_seeds(definition(0)) == Seeds(2371717201689639471, 6163593793778321809, 1141338858612902247)


def test_algorithms_meet_the_same_worlds_with_learners_of_their_own() -> None:
    gtr, ppo = derive_seeds(definition(7)), derive_seeds(definition(7, "ppo"))
    assert (gtr.environment, gtr.shift) == (ppo.environment, ppo.shift)
    assert gtr.learner != ppo.learner


def test_jobs_of_one_seed_on_two_sequences_share_no_seed() -> None:
    one, other = derive_seeds(definition(7)), derive_seeds(definition(7, shift=SWAP | {"cycle": 3}))
    assert not set(one) & set(other)


def test_a_reference_run_meets_the_shifts_of_its_sequence_with_seeds_of_its_own() -> None:
    whole = definition(7)
    alone = whole | {"sequence": whole["sequence"] | {"phases": whole["sequence"]["phases"][1:]}}
    run, reference = derive_seeds(whole), derive_seeds(alone)
    assert run.shift == reference.shift
    assert run.environment != reference.environment
    assert run.learner != reference.learner


def test_settings_of_one_algorithm_share_all_seeds() -> None:
    assert derive_seeds(definition(7, sigma=0.1)) == derive_seeds(definition(7, sigma=2.0))


def test_seeds_are_distinct_and_fit_a_signed_64_bit_integer() -> None:
    derived = [value for seed in range(300) for value in derive_seeds(definition(seed))]
    assert len(set(derived)) == len(derived)
    assert all(0 <= value < 2**63 for value in derived)
    assert max(derived) > 2**62


def on(environment: str = "gym:CartPole-v1", learn: int = 3, **changes: Any) -> dict[str, Any]:
    made = definition(0, **changes) | {"learn": learn}
    phases = [phase | {"environment": environment} for phase in made["sequence"]["phases"]]
    return made | {"sequence": made["sequence"] | {"phases": phases}}


@pytest.mark.parametrize(
    ("worlds", "shared"),
    [
        ([on()], False),
        ([on(), on("gym:Acrobot-v1")], False),
        ([on(), on(shift=SWAP | {"cycle": 3})], False),
        ([on(), on()], True),
        ([on(), on(steps=2000)], True),
        ([on(), on("gym:Acrobot-v1", learn=2)], True),
        ([definition(0), on("gym:Acrobot-v1")], True),
    ],
)
def test_sequences_share_randomness_where_seeds_did_not_depend_on_them_or_their_worlds_are_the_same(
    worlds: list[dict[str, Any]], *, shared: bool
) -> None:
    assert share_randomness({str(place): world for place, world in enumerate(worlds)}) is shared
