"""One torch thread: two on a busy machine are many times slower; and no deadlines, which such a machine misses."""

from __future__ import annotations

import pytest
import torch
from hypothesis import settings

settings.register_profile("no_deadline", deadline=None)
settings.load_profile("no_deadline")


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    torch.set_num_threads(1)
