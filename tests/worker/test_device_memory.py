"""Card memory is told where a card was used."""

from __future__ import annotations

import pytest
import torch

from gtr_bench.worker.device_memory import peak_device_memory_bytes


def test_nothing_is_told_without_a_card() -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a card")
    assert peak_device_memory_bytes() is None


def test_the_peak_of_the_allocator_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda: 123)
    assert peak_device_memory_bytes() == 123


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a card")
def test_tensors_on_a_card_count() -> None:
    held = torch.zeros(1 << 20, device="cuda")
    assert (peak_device_memory_bytes() or 0) >= held.numel() * held.element_size()
