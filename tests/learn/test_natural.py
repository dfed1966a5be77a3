"""Natural-gradient steps: conjugate gradient by hand, the Fisher matrix written out, a verified step, members apart."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from gtr_bench.environments.spaces import ActionSpace, ObservationSpace, Spaces
from gtr_bench.learn.distributions import from_packed
from gtr_bench.learn.experience import Experience
from gtr_bench.learn.natural import conjugate_gradient, natural_step
from gtr_bench.learn.optimizer import Optimizer
from gtr_bench.learn.update import Update
from gtr_bench.networks.model import Model
from tests.algorithms.helpers import build

ACTIONS = [ActionSpace("discrete", (3,)), ActionSpace("continuous", (2,))]
SEARCH: dict[str, Any] = {"damping": 0.1, "iterations": 200, "backtracking": 0.8, "tries": 10}


def test_a_quadratic_worked_by_hand() -> None:
    """F = diag(2, 8), g = (2, 4): x = (1, .5) (algorithms A.4)."""
    matrix = torch.tensor([2.0, 8.0])
    found = conjugate_gradient(lambda vector: matrix * vector, torch.tensor([[2.0, 4.0]]), 2)
    torch.testing.assert_close(found, torch.tensor([[1.0, 0.5]]))
    assert (found * matrix * found).sum().item() == pytest.approx(4)
    torch.testing.assert_close((2 * 0.01 / 4) ** 0.5 * found, torch.tensor([[0.0707107, 0.0353553]]))


@given(st.integers(1, 6), st.integers(1, 4), st.integers(0, 1000))
def test_n_steps_solve_each_members_own_system_of_n_equations(size: int, members: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    root = torch.randn(members, size, size, generator=generator, dtype=torch.float64)
    matrix = root @ root.transpose(1, 2) + torch.eye(size, dtype=torch.float64)
    target = torch.randn(members, size, generator=generator, dtype=torch.float64)
    found = conjugate_gradient(lambda vector: (matrix @ vector.unsqueeze(2)).squeeze(2), target, size)
    torch.testing.assert_close(found, torch.linalg.solve(matrix, target), rtol=1e-4, atol=1e-4)


def test_a_member_that_has_converged_stays_where_it_is() -> None:
    target = torch.tensor([[0.0, 0.0], [2.0, 4.0]])
    found = conjugate_gradient(lambda vector: vector * torch.tensor([2.0, 8.0]), target, 10)
    torch.testing.assert_close(found, torch.tensor([[0.0, 0.0], [1.0, 0.5]]))


def problem(space: ActionSpace, *seeds: int, samples: int = 40) -> tuple[Update, Experience]:
    """A small network and a made-up rollout of its own policy."""
    settings = {"torso": "mlp", "version": 1, "hidden": [4], "activation": "tanh"}
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    model = Model(settings, generators, Spaces(ObservationSpace((3,)), space), -0.3)
    observations = torch.stack([torch.randn(samples, 3, generator=generator) for generator in generators])
    with torch.no_grad():
        behaviour = from_packed(space, model.policy(observations).packed)
    make = behaviour.noise
    noise = torch.stack([make((samples, sum(space.sizes)), generator) for generator in generators])
    actions = behaviour.sample(noise)
    advantages = torch.stack([torch.randn(samples, generator=generator) for generator in generators])
    log_probs = behaviour.log_prob(actions)
    nothing = torch.zeros_like(advantages)
    batch = Experience(observations, actions, behaviour, log_probs, nothing, advantages, nothing, {})
    update = Update(
        model,
        Optimizer("adam", model.data, epsilon=1e-5),
        build("trpo", *[{} for _ in seeds]),
        generators=generators,
        rate=1e-3,
        active=torch.ones(len(seeds), dtype=torch.bool),
    )
    return update, batch


def surrogate(sample: Any) -> Tensor:
    found: Tensor = sample.ratio * sample.advantage
    return found


def kl_and_gain(update: Update, batch: Experience) -> tuple[Tensor, Tensor]:
    with torch.no_grad():
        sample = batch.sample(update.model.policy(batch.observations))
        return batch.behaviour.kl(sample.policy).mean(1), (surrogate(sample) - batch.advantages).mean(1)


@pytest.mark.parametrize("space", ACTIONS, ids=lambda space: space.kind)
def test_the_step_is_the_one_of_the_fisher_matrix_written_out(space: ActionSpace) -> None:
    update, batch = problem(space, 3)
    model, before = update.model, update.model.data.clone()

    def packed(parameters: Tensor) -> Tensor:
        names = {name: model.view(parameters, value) for name, value in model.named_parameters() if value.numel()}
        rest = {name: value for name, value in model.named_parameters() if not value.numel()}
        called = torch.func.functional_call(model, names | rest, (batch.observations,))
        assert isinstance(called, Tensor)
        return called

    model.forward = lambda observations: model.policy(observations).packed  # type: ignore[method-assign]

    def mean_kl(parameters: Tensor) -> Tensor:
        return batch.behaviour.kl(from_packed(space, packed(parameters)), clamp=False).mean()

    def mean_gain(parameters: Tensor) -> Tensor:
        return surrogate(batch.sample(from_packed(space, packed(parameters)))).mean()

    fisher = torch.autograd.functional.hessian(mean_kl, before)[0, :, 0]
    (slope,) = torch.autograd.grad(mean_gain(start := before.clone().requires_grad_()), start)
    direction = torch.linalg.solve(fisher + 0.1 * torch.eye(len(fisher)), slope[0])
    full = (2 * 1e-4 / (direction @ (fisher + 0.1 * torch.eye(len(fisher))) @ direction)).sqrt() * direction

    step = natural_step(update, batch, surrogate, max_kl=1e-4, **SEARCH)
    assert step.share.item() == 1
    torch.testing.assert_close((model.data - before)[0], full, rtol=2e-2, atol=2e-6)


@pytest.mark.parametrize("space", ACTIONS, ids=lambda space: space.kind)
@pytest.mark.parametrize("max_kl", [1e-3, 0.05, 0.5])
def test_a_step_that_is_taken_gains_and_stays_in_the_trust_region(space: ActionSpace, max_kl: float) -> None:
    update, batch = problem(space, 1, 2, 3)
    step = natural_step(update, batch, surrogate, max_kl=max_kl, **SEARCH)
    divergence, gain = kl_and_gain(update, batch)
    assert (step.share > 0).all()
    assert (divergence <= max_kl).all()
    assert (divergence > 0.02 * max_kl).all()
    assert (gain > 0).all()


def test_without_a_better_policy_a_member_stays_where_it_was_and_the_others_go_on() -> None:
    update, batch = problem(ACTIONS[0], 1, 2)
    batch.advantages[0] = 0
    before = update.model.data.clone()
    step = natural_step(update, batch, surrogate, max_kl=0.01, **SEARCH)
    assert step.share.tolist()[0] == 0
    assert torch.equal(update.model.data[0], before[0])
    assert not torch.equal(update.model.data[1], before[1])


def test_inactive_members_do_not_move() -> None:
    update, batch = problem(ACTIONS[0], 1, 2)
    update.active = torch.tensor([True, False])
    before = update.model.data.clone()
    natural_step(update, batch, surrogate, max_kl=0.01, **SEARCH)
    assert torch.equal(update.model.data[1], before[1])
    assert not torch.equal(update.model.data[0], before[0])


@pytest.mark.parametrize("space", ACTIONS, ids=lambda space: space.kind)
def test_each_members_step_is_its_own(space: ActionSpace) -> None:
    together, batch = problem(space, 5, 6, 7)
    sizes = torch.tensor([[1e-3], [1e-2], [1e-1]])
    natural_step(together, batch, surrogate, max_kl=sizes, **SEARCH)
    for member, seed in enumerate((5, 6, 7)):
        alone, own = problem(space, seed)
        natural_step(alone, own, surrogate, max_kl=sizes[member].item(), **SEARCH)
        torch.testing.assert_close(together.model.data[member], alone.model.data[0], rtol=1e-3, atol=2e-5)
