"""ReDo: which units are dormant, what becomes of them, and that nothing else moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from gtr_bench.environments.spaces import ActionSpace, ObservationSpace, Spaces
from gtr_bench.learn.experience import Experience
from gtr_bench.learn.optimizer import Optimizer
from gtr_bench.learn.streams import Streams
from gtr_bench.networks.model import Model
from gtr_bench.networks.stacked import Stacked
from gtr_bench.plasticity.redo import ReDo
from tests.learn.helpers import make_definition, train

SPACES = Spaces(ObservationSpace((3,)), ActionSpace("discrete", (2,)))


def model_of(
    members: int = 1, hidden: Sequence[int] = (4, 5), seeds: Sequence[int] | None = None, **more: Any
) -> Model:
    """Fully connected layers of which every unit answers observations above 0."""
    generators = [torch.Generator().manual_seed(seed) for seed in seeds or range(members)]
    settings = {"torso": "mlp", "version": 1, "hidden": list(hidden), "activation": "relu", **more}
    model = Model(settings, generators, SPACES, 0.0)
    wake(model)
    return model


def wake(model: Model) -> None:
    with torch.no_grad():
        for layer in (*model.actor.units(), *model.critic.units()):
            layer.incoming.weight.abs_()
            layer.incoming.bias.fill_(0.5)


def experience(observations: Tensor) -> Experience:
    """A rollout of which nothing but the observations is looked at."""
    return SimpleNamespace(seen=observations, memory=None)  # type: ignore[return-value]


def redo(members: int = 1, threshold: Any = 0.025, period: int = 1) -> ReDo:
    return ReDo(SimpleNamespace(threshold=threshold, period=period), members)


def rollout(model: Model, size: int = 16, spread: Sequence[int] = (3,)) -> Tensor:
    one = torch.randn(size, *spread, generator=torch.Generator().manual_seed(7)).abs()
    return one.expand(model.members, *one.shape).contiguous()


def optimizer_of(model: Model) -> Optimizer:
    found = Optimizer("adam", model.data, epsilon=1e-5)
    found.step(torch.ones_like(model.data), 0.0)
    return found


def kill(layer: Stacked, member: int, unit: int) -> None:
    """A unit of a fully connected layer that no observation above 0 wakes."""
    with torch.no_grad():
        layer.weight[member, :, unit] = -1.0
        layer.bias[member, :, unit] = -0.5


def act(add_on: ReDo, model: Model, observations: Tensor, seeds: Sequence[int] = (0,)) -> tuple[Tensor, Optimizer]:
    """One iteration's end; the shares recycled, and the optimizer afterwards."""
    add_on.attach(model, Streams(seeds)["add_on.redo"])
    optimizer = optimizer_of(model)
    return add_on.after_iteration(model, optimizer, experience(observations))["redo_recycled"], optimizer


@pytest.mark.parametrize(
    ("threshold", "dormant"), [(-0.01, []), (0.0, [0]), (0.025, [0]), (0.1, [0, 3]), (1.0, [0, 3])]
)
def test_scores_are_the_mean_activity_over_the_layers_mean(threshold: float, dormant: list[int]) -> None:
    """Mean |activation| (0, 2, 2, 0.04): scores (0, 1.980, 1.980, 0.0396) (algorithms C.2)."""
    model = model_of(hidden=(4,))
    layer = model.actor.units()[0].incoming
    with torch.no_grad():
        layer.weight.zero_()
        layer.bias.copy_(torch.tensor([-1.0, 2.0, 2.0, 0.04]).view(1, 1, 4))
        critic = model.critic.units()[0].incoming
        critic.weight.zero_()
        critic.bias.fill_(1.0)  # all of them alike: score 1
    recycled, _ = act(redo(threshold=threshold), model, rollout(model))
    changed = layer.weight.abs().sum(1)[0] > 0
    assert changed.nonzero().flatten().tolist() == dormant
    assert recycled.item() == pytest.approx((len(dormant) + 4 * (threshold >= 1)) / 8)


def test_a_dead_unit_is_recycled_without_changing_what_the_network_computes() -> None:
    model = model_of()
    observations = rollout(model)
    first, second = model.actor.units()
    kill(first.incoming, 0, 2)
    kill(second.incoming, 0, 4)
    before, data = model.evaluate(observations), model.data.clone()
    recycled, optimizer = act(redo(), model, observations)
    after = model.evaluate(observations)
    assert torch.equal(before.policy.packed, after.policy.packed)
    assert torch.equal(before.value, after.value)
    assert recycled.item() == pytest.approx(2 / 18)
    # the new unit has weights, and only its own entries were touched and forgotten
    assert (first.incoming.weight[0, :, 2] != -1).all()
    touched = torch.zeros_like(model.data, dtype=torch.bool)
    model.view(touched, first.incoming.weight)[:, :, 2] = True
    model.view(touched, first.incoming.bias)[:, :, 2] = True
    model.view(touched, second.incoming.weight)[:, 2] = True
    model.view(touched, second.incoming.weight)[:, :, 4] = True
    model.view(touched, second.incoming.bias)[:, :, 4] = True
    model.view(touched, model.policy_head.weight)[:, 4] = True
    assert not (model.data != data)[~touched].any()
    assert torch.equal(optimizer.state()["first"] == 0, touched)
    assert torch.equal(optimizer.state()["second"] == 0, touched)
    # a weight between two recycled units is cut
    assert second.incoming.weight[0, 2, 4] == 0
    assert second.incoming.bias[0, 0, 4] == 0


def test_incoming_weights_are_drawn_as_at_the_start() -> None:
    model = model_of(hidden=(3,))
    kill(model.actor.units()[0].incoming, 0, 1)
    act(redo(), model, rollout(model), seeds=(5,))
    drawn = model.actor.units()[0].incoming.fresh(Streams([5])["add_on.redo"])
    assert torch.equal(model.actor.units()[0].incoming.weight[0, :, 1], drawn[0, :, 1])
    # orthogonal with gain sqrt(2): three units of three inputs have this length each
    assert drawn[0, :, 1].norm().item() == pytest.approx(2**0.5)


def test_every_head_that_reads_a_shared_trunk_is_cut() -> None:
    model = model_of(hidden=(4,), shared=True)
    kill(model.actor.units()[0].incoming, 0, 3)
    act(redo(), model, rollout(model))
    for head in (model.policy_head, model.value_head):
        assert not head.weight[0, 3].any()
        assert head.weight[0, :3].all()


def test_a_network_whose_units_are_all_awake_is_left_alone() -> None:
    model = model_of(hidden=(4,))
    before = model.data.clone()
    recycled, optimizer = act(redo(), model, rollout(model))
    assert torch.equal(model.data, before)
    assert not recycled.any()
    assert optimizer.state()["first"].all()


def test_a_members_draws_depend_on_nothing_but_its_own_units() -> None:
    def recycled(others: Sequence[int]) -> Tensor:
        """Member 0's parameters after two looks, beside members whose dead units are `others`."""
        seeds = range(1 + len(others))
        model = model_of(seeds=seeds)
        add_on = redo(model.members)
        add_on.attach(model, Streams(seeds)["add_on.redo"])
        for unit in (2, 1):
            kill(model.actor.units()[0].incoming, 0, unit)
            for member, other in enumerate(others, 1):
                kill(model.critic.units()[unit % 2].incoming, member, other)
            add_on.after_iteration(model, optimizer_of(model), experience(rollout(model)))
        return model.data[0].clone()

    alone = recycled([])
    assert torch.equal(recycled([0, 3]), alone)
    assert torch.equal(recycled([2]), alone)


def test_members_have_thresholds_of_their_own() -> None:
    model = model_of(2)
    for member in (0, 1):
        kill(model.actor.units()[0].incoming, member, 0)
    recycled, _ = act(redo(2, torch.tensor([[-1.0], [0.0]])), model, rollout(model), seeds=(0, 1))
    assert recycled[0] == 0
    assert recycled[1] > 0


def test_it_looks_once_a_period() -> None:
    model = model_of()
    add_on = redo(period=3)
    add_on.attach(model, Streams([0])["add_on.redo"])
    logged = [bool(add_on.after_iteration(model, optimizer_of(model), experience(rollout(model)))) for _ in range(7)]
    assert logged == [False, False, True, False, False, True, False]
    assert redo(period=0).after_iteration(model, optimizer_of(model), experience(rollout(model))) == {}


def test_channels_of_convolutions_are_units() -> None:
    generators = [torch.Generator().manual_seed(seed) for seed in (0, 1)]
    spaces = SPACES._replace(observation=ObservationSpace((1, 4, 4)))
    shape = {"channels": [3, 2], "kernel": 2, "hidden": [4], "activation": "relu"}
    model = Model({"torso": "conv", "version": 1, "shared": True, **shape}, generators, spaces, 0.0)
    wake(model)
    images = rollout(model, 6, (1, 4, 4))
    first, second, last = (layer.incoming for layer in model.actor.units())
    with torch.no_grad():
        for layer, channel in ((first, 2), (second, 0)):  # one channel of one member in each convolution
            layer.weight[1, channel] = layer.bias[1, channel] = -1.0
    before, values = model.data.clone(), model.value(images)
    recycled, _ = act(redo(2, 0.0), model, images, seeds=(0, 1))
    assert torch.equal(model.data[0], before[0])
    torch.testing.assert_close(model.value(images), values, rtol=0, atol=0)
    assert recycled.tolist() == [0, pytest.approx(2 / 9)]
    assert not second.weight[1, :, 2].any()
    assert second.weight[1, :, :2].all()
    # the next layer reads each of a channel's four places
    assert not last.weight[1, :4].any()
    assert last.weight[1, 4:].all()


WIDE: Mapping[str, Any] = {
    "activation": "relu", "hidden": (64, 64), "learning_rate": 0.03, "max_grad_norm": 0.0, "num_steps": 64,
    "phases": (128 * 64,),
}  # fmt: skip


@pytest.mark.slow
def test_it_keeps_units_awake_where_large_steps_put_them_to_sleep() -> None:
    def dormant(seed: int, **more: Any) -> float:
        """Mean share over the last look of the diagnostics."""
        rows = train(make_definition(seed=seed, **WIDE, **more)).rows_of(0)[1]
        return [value for value in rows["dormant_fraction"] if value is not None][-1]

    none = [dormant(seed) for seed in range(3)]
    with_redo = [dormant(seed, plasticity={"redo": {"period": 1}}) for seed in range(3)]
    assert min(none) > 0.2
    assert all(kept < lost for kept, lost in zip(with_redo, none, strict=True))
    assert sum(with_redo) < 0.5 * sum(none)
