"""The stacked optimizer is torch.optim's, per member; clipping is torch's, per member."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from gtr_bench.learn.optimizer import Optimizer, clip_gradient

MEMBERS, SIZE = 3, 11


def gradients(steps: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(MEMBERS, SIZE, generator=generator) * 10.0 ** (step % 3 - 1) for step in range(steps)]


def start() -> torch.Tensor:
    return torch.randn(MEMBERS, SIZE, generator=torch.Generator().manual_seed(1))


def reference(kind: str, member: int, learning_rate: float) -> tuple[torch.Tensor, torch.optim.Optimizer]:
    parameter = torch.nn.Parameter(start()[member].clone())
    if kind == "adam":
        return parameter, torch.optim.Adam([parameter], lr=learning_rate, betas=(0.8, 0.99), eps=1e-5)
    return parameter, torch.optim.RMSprop([parameter], lr=learning_rate, alpha=0.99, eps=1e-5)


def ours(kind: str, data: torch.Tensor) -> Optimizer:
    return Optimizer(kind, data, epsilon=1e-5, beta1=0.8, beta2=0.99)


@pytest.mark.parametrize("kind", ["adam", "rmsprop"])
@pytest.mark.parametrize("rates", [0.01, [0.01, 0.1, 0.003]], ids=["one rate", "a rate per member"])
def test_steps_are_torchs(kind: str, rates: Any) -> None:
    data = start()
    optimizer = ours(kind, data)
    rate = rates if isinstance(rates, float) else torch.tensor(rates).unsqueeze(1)
    alone = [reference(kind, member, rates if isinstance(rates, float) else rates[member]) for member in range(MEMBERS)]
    for gradient in gradients(20):
        optimizer.step(gradient.clone(), rate)
        for member, (parameter, single) in enumerate(alone):
            parameter.grad = gradient[member].clone()
            single.step()
            torch.testing.assert_close(data[member], parameter.detach(), rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("kind", ["adam", "rmsprop"])
def test_masked_members_keep_everything_and_continue_as_if_nothing_had_happened(kind: str) -> None:
    data = start()
    optimizer = ours(kind, data)
    alone = [reference(kind, member, 0.01) for member in range(MEMBERS)]
    masks = [[True] * 3, [True, False, True], [False, False, True], [True] * 3, [True, True, False]]
    for gradient, mask in zip(gradients(5), masks, strict=True):
        before = data.clone()
        poisoned = torch.where(torch.tensor(mask).unsqueeze(1), gradient, torch.nan)
        optimizer.step(poisoned, 0.01, torch.tensor(mask))
        for member, (parameter, single) in enumerate(alone):
            if not mask[member]:
                assert torch.equal(data[member], before[member])
                continue
            parameter.grad = gradient[member].clone()
            single.step()
            torch.testing.assert_close(data[member], parameter.detach(), rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("kind", ["adam", "rmsprop"])
@pytest.mark.parametrize("rates", [0.01, [0.01, 0.1, 0.003]], ids=["one rate", "a rate per member"])
def test_a_member_moves_bit_for_bit_alike_when_another_one_stops(kind: str, rates: Any) -> None:
    rate = rates if isinstance(rates, float) else torch.tensor(rates).unsqueeze(1)
    everyone, fewer = start(), start()
    both = ours(kind, everyone), ours(kind, fewer)
    for step, gradient in enumerate(gradients(50)):
        both[0].step(gradient.clone(), rate)
        both[1].step(gradient.clone(), rate, torch.tensor([True, step < 7, True]))
        assert torch.equal(everyone[[0, 2]], fewer[[0, 2]])


@pytest.mark.parametrize("kind", ["adam", "rmsprop"])
def test_a_copy_of_the_state_continues_alike_and_reset_forgets_it(kind: str) -> None:
    first, second = start(), start()
    both = ours(kind, first), ours(kind, second)
    for gradient in gradients(3):
        both[0].step(gradient, 0.01, torch.tensor([True, False, True]))
    second.copy_(first)
    both[1].load_state(both[0].state())
    for each in both:
        each.step(gradients(1)[0], 0.01)
    assert torch.equal(first, second)

    both[1].reset()
    fresh = second.clone()
    new = ours(kind, fresh)
    for each in (both[1], new):
        each.step(gradients(1)[0], 0.01)
    assert torch.equal(second, fresh)


def test_adam_is_torchs_fused_one_bit_for_bit_whoever_else_is_there() -> None:
    data = start()
    optimizer = ours("adam", data)
    for gradient in gradients(20):
        optimizer.step(gradient.clone(), 0.01)
    for member in range(MEMBERS):
        parameter = torch.nn.Parameter(start()[member].clone())
        single = torch.optim.Adam([parameter], lr=0.01, betas=(0.8, 0.99), eps=1e-5, fused=True)
        for gradient in gradients(20):
            parameter.grad = gradient[member].clone()
            single.step()
        assert torch.equal(data[member], parameter)


def test_nobody_active_changes_nothing() -> None:
    data = start()
    optimizer = ours("adam", data)
    optimizer.step(gradients(1)[0], 0.01, torch.zeros(MEMBERS, dtype=torch.bool))
    assert torch.equal(data, start())
    assert not optimizer.state()["steps"].any()


@pytest.mark.parametrize("size", [11, 9248, 70_000])
def test_clipping_is_bit_equal_in_every_cohort(size: int) -> None:
    everyone = torch.randn(64, size, generator=torch.Generator().manual_seed(0))
    together = everyone.clone()
    norms = clip_gradient(together, 0.5)
    for count in (1, 2, 5, 20):
        for first in (0, 3, 64 - count):
            fewer = everyone[first : first + count].clone()
            assert torch.equal(clip_gradient(fewer, 0.5), norms[first : first + count])
            assert torch.equal(fewer, together[first : first + count])


@pytest.mark.parametrize("max_norm", [0.5, 1e3])
def test_clipping_is_torchs_for_each_member(max_norm: float) -> None:
    gradient = gradients(3)[2]
    expected = gradient.clone()
    norms = []
    for member in range(MEMBERS):
        parameter = torch.nn.Parameter(torch.zeros(SIZE))
        parameter.grad = expected[member]
        norms.append(torch.nn.utils.clip_grad_norm_([parameter], max_norm))
    found = clip_gradient(gradient, max_norm)
    torch.testing.assert_close(found, torch.stack(norms))
    torch.testing.assert_close(gradient, expected)


def test_without_a_limit_gradients_are_only_measured() -> None:
    gradient = gradients(1)[0]
    before = gradient.clone()
    torch.testing.assert_close(clip_gradient(gradient, 0.0), before.norm(dim=1))
    assert torch.equal(gradient, before)


def test_forgotten_moments_begin_at_zero_and_nobody_elses_change() -> None:
    data, plain = start(), start()
    optimizer, other = ours("adam", data), ours("adam", plain)
    for gradient in gradients(5):
        optimizer.step(gradient.clone(), 0.01)
        other.step(gradient.clone(), 0.01)
    mask = torch.zeros(MEMBERS, SIZE, dtype=torch.bool)
    mask[1, 2:4] = True
    optimizer.forget(mask)
    before = data.clone()
    optimizer.step(torch.ones_like(data), 0.01)
    other.step(torch.ones_like(data), 0.01)
    assert torch.equal(data[~mask], plain[~mask])
    # by hand: moments (1 - beta) g after the sixth step, whose count the bias correction keeps
    first, second = (1 - 0.8) / (1 - 0.8**6), (1 - 0.99) / (1 - 0.99**6)
    expected = 0.01 * first / (second**0.5 + 1e-5)
    torch.testing.assert_close((before - data)[mask], torch.full((2,), expected), rtol=1e-4, atol=1e-7)


def test_forgetting_survives_a_checkpoint() -> None:
    def ended(stop: bool) -> torch.Tensor:
        data = start()
        optimizer = ours("adam", data)
        for step, gradient in enumerate(gradients(6)):
            if step == 3:
                optimizer.forget(start() > 0)
                if stop:
                    state = {name: torch.as_tensor(value).clone() for name, value in optimizer.state().items()}
                    optimizer = ours("adam", data)
                    optimizer.load_state(state)
            optimizer.step(gradient, 0.01)
        return data

    assert torch.equal(ended(True), ended(False))
