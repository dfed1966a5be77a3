"""Which processor computes tanh how, and that results say which it was."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from gtr_bench import processor
from gtr_bench.networks import twin
from gtr_bench.networks.twin import Twin


@pytest.mark.parametrize(
    ("capability", "maker", "level", "fast"),
    [
        ("AVX512", "GenuineIntel", "AVX512", True),
        ("AVX512", "AuthenticAMD", "AVX512 (AuthenticAMD)", False),
        ("AVX512", "", "AVX512 (other maker)", False),
        ("AVX2", "GenuineIntel", "AVX2", False),
        ("DEFAULT", "AuthenticAMD", "DEFAULT", False),
    ],
)
def test_tanh_is_torchs_own_on_intel_with_avx512_alone_and_the_level_tells_the_two_apart(
    monkeypatch: pytest.MonkeyPatch, capability: str, maker: str, level: str, fast: bool
) -> None:
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    monkeypatch.setattr(processor, "processor_fact", lambda name: maker)
    assert processor.vector_level() == level
    assert processor.has_fast_tanh() is fast


def test_both_ways_of_computing_tanh_agree_to_rounding(monkeypatch: pytest.MonkeyPatch) -> None:
    pair = Twin(4, (64, 64), 2, "tanh")
    generator = torch.Generator().manual_seed(0)
    parameters = torch.randn(3, pair.size, generator=generator) * 0.3
    observations = torch.randn(3, 50, 4, generator=generator)

    def outputs(fast: bool) -> Tensor:
        monkeypatch.setattr(twin, "_HAS_FAST_TANH", fast)
        return pair.policy(parameters, observations)

    torch.testing.assert_close(outputs(True), outputs(False), atol=1e-5, rtol=1e-5)
    assert not torch.equal(outputs(True), outputs(False))
