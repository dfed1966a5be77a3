"""One torch thread: two on a busy machine are many times slower; and no deadlines, which such a machine misses.

And ways to name Craftax and Procgen where they are not installed.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

os.environ["OMP_NUM_THREADS"] = "1"  # torch reads it when it is imported, which few of the tests need
settings.register_profile("no_deadline", deadline=None)
settings.load_profile("no_deadline")


@pytest.fixture
def craftax_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Suites may name Craftax where it is not: planning asks whether it is there, and for its version."""
    from gtr_bench.environments import craftax_family
    from gtr_bench.suite import sequences

    monkeypatch.setattr(craftax_family, "_installed", lambda: True)
    found = sequences._version
    versions = {"craftax": "1.6.1", "jax": "0.10.2", "jaxlib": "0.10.2"}
    monkeypatch.setattr(sequences, "_version", lambda name: versions[name] if name in versions else found(name))


@pytest.fixture
def procgen_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for Procgen's games, which not every machine can install."""
    from gtr_bench.environments import procgen_family
    from gtr_bench.suite import sequences

    monkeypatch.setattr(procgen_family, "find_spec", lambda name: True)
    found = sequences._version
    monkeypatch.setattr(sequences, "_version", lambda name: "0.10.7" if name == "procgen-mirror" else found(name))
