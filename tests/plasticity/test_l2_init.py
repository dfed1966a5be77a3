"""L2 Init: the penalty by hand, its two limits, and where it pulls."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from gtr_bench.environments.spaces import ActionSpace, ObservationSpace, Spaces
from gtr_bench.learn.training import Training
from gtr_bench.networks.model import Model
from gtr_bench.plasticity.l2_init import L2Init
from tests.learn.helpers import CARTPOLE_SHIFT, CPU, make_definition, train


def attached(strength: Any, members: int = 2) -> tuple[L2Init, Model]:
    generators = [torch.Generator().manual_seed(seed) for seed in range(members)]
    settings = {"torso": "mlp", "version": 1, "hidden": [4], "activation": "relu"}
    model = Model(settings, generators, Spaces(ObservationSpace((3,)), ActionSpace("continuous", (2,))), 0.0)
    add_on = L2Init(SimpleNamespace(strength=strength), members)
    add_on.attach(model, generators)
    return add_on, model


def penalty(add_on: L2Init, model: Model) -> torch.Tensor:
    found = add_on.penalty(model, None)  # type: ignore[arg-type]
    assert found is not None
    return found


def test_the_penalty_is_the_squared_distance_from_the_start_times_lambda() -> None:
    add_on, model = attached(0.5)
    model.data[1, 0] += 3.0
    model.log_std.data[1, 0, 1] += 4.0  # the log standard deviation counts too
    assert penalty(add_on, model).tolist() == [[0.0], [pytest.approx(0.5 * 25)]]
    assert add_on.after_iteration(model, None, None)["l2_init_distance"].tolist() == [0.0, pytest.approx(5.0)]  # type: ignore[arg-type]


def test_its_gradient_pulls_every_parameter_by_two_lambda() -> None:
    add_on, model = attached(torch.tensor([[0.1], [2.0]]))
    offset = torch.randn(model.data.shape, generator=torch.Generator().manual_seed(0))
    model.data.add_(offset)
    gradient = model.gradient(penalty(add_on, model).sum())
    torch.testing.assert_close(gradient, 2 * torch.tensor([[0.1], [2.0]]) * offset, rtol=1e-4, atol=1e-5)


def test_without_another_gradient_the_distance_shrinks_geometrically() -> None:
    """theta_t - theta_0 = (1 - 2 lr lambda)^t (theta_start - theta_0) (algorithms C.7)."""
    add_on, model = attached(0.5)
    start = model.data.clone()
    model.data.add_(1.0)
    for _ in range(10):
        model.data.sub_(0.1 * model.gradient(penalty(add_on, model).sum()))
    torch.testing.assert_close(model.data - start, torch.full_like(start, 0.9**10), rtol=1e-4, atol=1e-5)


def test_a_strength_of_zero_adds_nothing() -> None:
    add_on, model = attached(0.0)
    assert add_on.penalty(model, None) is None  # type: ignore[arg-type]


def test_a_huge_strength_pins_the_parameters_to_where_they_began() -> None:
    def walked(**more: Any) -> float:
        definition = make_definition(phases=(2048,), learning_rate=1e-3, **more)
        training = Training([definition], CPU)
        start = training.learner.model.data.clone()
        training.run(lambda: True)
        training.close()
        return float((training.learner.model.data - start).abs().max())

    assert walked(plasticity={"l2_init": {"strength": 1e6}}) < 4e-3  # Adam's own step is 1e-3
    assert walked() > 5e-2


def test_a_learner_that_starts_anew_is_pulled_to_its_new_start() -> None:
    training = train(
        make_definition(
            "oracle", phases=(512, 128), shifts=CARTPOLE_SHIFT, plasticity={"l2_init": {}}, learning_rate=5e-3
        )
    )
    distance = training.rows_of(0)[1]["l2_init_distance"]
    assert distance[3] > 2 * distance[0]
    assert distance[4] < distance[3] / 2
