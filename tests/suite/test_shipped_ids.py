"""The identity of every job of the shipped suites is golden: nothing that is added may move one."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

import gtr_bench.environments.gymnasium_family as gymnasium_family
import gtr_bench.suite.sequences as sequences
from gtr_bench.suite import load_suite, shipped_suites

GOLDEN = Path(__file__).parent / "golden" / "shipped_ids.json"
VERSIONS = {
    "gymnasium": "1.4.0",
    "mujoco": "3.3.0",
    "metaworld": "3.1.1",
    "box2d": "2.3.10",
    "minatar": "1.0.15",
    "ale-py": "0.12.1",
    "dm-control": "1.0.28",
}
VERSIONS |= {"craftax": "1.6.1", "jax": "0.10.2", "jaxlib": "0.10.2", "procgen-mirror": "0.10.7"}


@pytest.fixture(autouse=True)
def the_packages_the_golden_ids_were_made_with(
    monkeypatch: pytest.MonkeyPatch, craftax_is_installed: None, procgen_is_installed: None
) -> None:
    """An id holds the versions of the simulators; Box2D's tasks need not be installed to be named."""
    monkeypatch.setattr(sequences, "_version", VERSIONS.__getitem__)
    if not gymnasium_family.find_spec("Box2D"):
        monkeypatch.setattr(gymnasium_family, "find_spec", lambda name: True)


def fingerprints(name: str) -> dict[str, dict[str, Any]]:
    """By scale: how many jobs there are, the hash of all their ids with labels, and the first id of each algorithm."""
    found = {}
    for scale in load_suite(name).scales:
        jobs = load_suite(name, scale=scale).jobs()
        lines = [f"{job.id} {job.algorithm} {job.sequence} {job.role} {job.seed}" for job in jobs]
        first = {job.algorithm: job.id for job in reversed(jobs)}
        digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
        found[scale] = {"jobs": len(jobs), "sha256": digest, "first": first}
    return found


@pytest.mark.parametrize("name", shipped_suites())
def test_no_id_of_a_shipped_suite_has_moved(name: str) -> None:
    assert fingerprints(name) == json.loads(GOLDEN.read_text())[name]
