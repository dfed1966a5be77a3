"""TRPO: the critic's fit leaves the policy alone, the KL keeps its bound, and a pole is balanced soon."""

from __future__ import annotations

import pytest
import torch
from pydantic import ValidationError

from gtr_bench.algorithms.trpo import TRPOParameters
from gtr_bench.learn.training import Training
from tests.algorithms.helpers import build, categorical, sample_of
from tests.learn.helpers import CPU, make_definition, train


def test_the_objective_is_the_linear_surrogate_and_the_entropy_bonus() -> None:
    action, advantage = torch.tensor([[0]]), torch.tensor([[2.0]])
    sample = sample_of(categorical(0.6, 0.4), categorical(0.5, 0.5), action, advantage, {})
    plain, penalty = build("trpo").objective(sample)
    assert plain.item() == pytest.approx(1.2 * 2)
    assert penalty is None
    bonus = build("trpo", entropy_coefficient=0.5).objective(sample)[0]
    assert bonus.item() == pytest.approx(2.4 + 0.5 * 0.6730117)


@pytest.mark.parametrize("shared", [False, True])
def test_the_critics_fit_moves_nothing_the_policy_depends_on(shared: bool) -> None:
    network = {"torso": "mlp", "version": 1, "hidden": [8], "activation": "tanh"} | ({"shared": True} if shared else {})
    definition = make_definition("trpo", network=network, max_kl=1e-9, line_search_tries=1, damping=1e6)
    training = Training([definition], CPU)
    model, seen = training.learner.model, torch.randn(1, 50, 4)
    before = model.policy(seen).packed.detach().clone(), model.value(seen).detach().clone()
    training.run(lambda: training.position < 2)
    training.close()
    torch.testing.assert_close(model.policy(seen).packed, before[0], rtol=0, atol=1e-4)
    assert (model.value(seen) - before[1]).abs().max() > 1e-2


def test_the_kl_of_every_iteration_is_within_the_trust_region() -> None:
    rows = train(make_definition("trpo", phases=(2048,), max_kl=0.02)).rows_of(0)[1]
    assert max(rows["exact_kl"]) <= 0.02 * (1 + 1e-3)
    assert min(rows["step_share"]) >= 0
    assert max(rows["step_share"]) == 1


def test_what_the_method_replaces_is_refused() -> None:
    for wrong in ({"target_kl": 0.01}, {"advantage_normalisation": "minibatch"}):
        with pytest.raises(ValidationError):
            TRPOParameters(**wrong)


@pytest.mark.slow
def test_a_pole_is_balanced_within_twenty_thousand_steps() -> None:
    settings = {"phases": (20_480,), "episodes": 20, "evaluate_every": 20_480, "num_envs": 8, "num_steps": 128}
    training = train(*(make_definition("trpo", seed=seed, hidden=(64, 64), epochs=10, **settings) for seed in (0, 1)))
    assert all(training.rows_of(member)[0]["return_mean"][-1] > 300 for member in (0, 1))
