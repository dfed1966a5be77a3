"""The recurrent torso: torch's own cell in value, a carry that ends with its episode, one unit or many alike."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gtr_bench.environments.spaces import ActionSpace, ObservationSpace, Spaces
from gtr_bench.networks.model import Model
from gtr_bench.networks.recurrent import StackedGRU
from gtr_bench.networks.torso import Memory

SPACES = Spaces(ObservationSpace((3,)), ActionSpace("discrete", (2,)))


def torso(*seeds: int) -> StackedGRU:
    found = StackedGRU([torch.Generator().manual_seed(seed) for seed in seeds], 3, [6], 4, "tanh")
    for parameter in found.parameters():
        nn.init.normal_(parameter, std=0.5, generator=torch.Generator().manual_seed(parameter.numel()))
    return found


def cell_of(layer: StackedGRU, member: int) -> nn.GRUCell:
    cell = nn.GRUCell(6, 4)
    with torch.no_grad():
        for name, layers in (("ih", layer.gates), ("hh", layer.recurrent)):
            getattr(cell, f"weight_{name}").copy_(torch.cat([gate.weight[member].T for gate in layers]))
            getattr(cell, f"bias_{name}").copy_(torch.cat([gate.bias[member, 0] for gate in layers]))
    return cell


def inputs(members: int, units: int, length: int) -> tuple[Tensor, Memory]:
    torch.manual_seed(0)
    starts = torch.rand(members, units, length) < 0.3
    return torch.randn(members, units * length, 3), Memory(torch.randn(members, units, 4), starts)


@torch.no_grad()
def test_every_step_is_that_of_torchs_cell_and_an_episodes_start_forgets() -> None:
    layer = torso(1, 2)
    observations, memory = inputs(2, 5, 7)
    layers, states = layer.unroll(observations, memory)
    assert layer.encoder is not None
    encoded = layer.encoder(observations).view(2, 5, 7, 6)
    for member in range(2):
        cell, carry = cell_of(layer, member), memory.carry[member]
        for step in range(7):
            carry = carry.where(~memory.starts[member, :, step, None], torch.zeros(()))
            carry = cell(encoded[member, :, step], carry)
            torch.testing.assert_close(states[member, :, step], carry)
    assert torch.equal(layers[-1], states.flatten(1, 2))


@torch.no_grad()
def test_units_with_their_carries_stored_say_what_one_long_unit_says() -> None:
    layer = torso(1)
    observations, memory = inputs(1, 1, 12)
    _, whole = layer.unroll(observations, memory)
    before = torch.cat([memory.carry.unsqueeze(2), whole[:, :, :-1]], 2)
    parts = Memory(before[:, 0, ::4], memory.starts.view(1, 3, 4))
    torch.testing.assert_close(layer.unroll(observations, parts)[1].view(1, 1, 12, 4), whole)


def test_gradients_flow_through_a_unit_and_not_beyond_an_episodes_start() -> None:
    layer = torso(1)
    observations = torch.randn(1, 3, 3, requires_grad=True)
    for starts, reached in (([False] * 3, [True] * 3), ([False, True, False], [False, True, True])):
        memory = Memory(torch.zeros(1, 1, 4), torch.tensor([[starts]]))
        (slope,) = torch.autograd.grad(layer.unroll(observations, memory)[1][:, :, -1].sum(), observations)
        assert slope.any(2)[0].tolist() == reached


@torch.no_grad()
def test_acting_step_by_step_is_evaluating_the_whole() -> None:
    settings = {"torso": "gru", "version": 1, "hidden": [6], "units": 4, "activation": "tanh", "sequence_length": 2}
    model = Model(settings, [torch.Generator().manual_seed(seed) for seed in (1, 2)], SPACES, 0.0)
    assert model.carry_size == 8
    observations, starts = torch.randn(2, 5, 6, 3), torch.rand(2, 5, 6) < 0.3
    carry, chosen = model.first_carry(5), []
    for step in range(6):
        assert carry is not None
        actions, carry = model.act(observations[:, :, step], Memory(carry, starts[:, :, step : step + 1]), None)
        chosen.append(actions)
    memory = Memory(torch.zeros(2, 5, 8), starts)
    whole = model.policy(observations.flatten(1, 2), memory).mode().view(2, 5, 6)
    assert torch.equal(torch.stack(chosen, 2), whole)
    assert 0 < whole.float().mean() < 1
    after = model.carries(observations.flatten(1, 2), memory)
    assert carry is not None
    torch.testing.assert_close(after[:, :, -1, :4], carry[..., :4])
    assert not carry[..., 4:].any(), "the critic's carry is computed after the rollout"
