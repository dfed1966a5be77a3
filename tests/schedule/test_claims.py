"""Claims live as long as any process that holds them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gtr_bench.schedule.claims import FlockClaim, FlockClaims, is_held


def test_a_claim_excludes_others_until_released(tmp_path: Path) -> None:
    path = tmp_path / "job" / "lock"
    assert not is_held(path)
    claim = FlockClaim.take(path, "job")
    assert claim is not None
    assert is_held(path)
    assert FlockClaim.take(path, "job") is None
    claim.release()
    claim.release()
    assert not is_held(path)


def test_an_inherited_claim_outlives_the_one_who_took_it_and_ends_with_its_holder(tmp_path: Path) -> None:
    path = tmp_path / "job" / "lock"
    with FlockClaim.take(path, "job") as claim:  # type: ignore[union-attr]
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], pass_fds=[claim.descriptor])
    assert is_held(path)
    child.kill()
    child.wait()
    assert not is_held(path)


def test_claims_on_the_jobs_of_a_folder(tmp_path: Path) -> None:
    claims = FlockClaims(lambda job_id: tmp_path / job_id / "lock")
    claim = claims.take("a")
    assert claim is not None
    assert (claims.held("a"), claims.held("b"), claims.take("a")) == (True, False, None)
    claim.release()
    assert (claims.held("a"), claim.descriptor) == (False, None)
    with pytest.raises(ValueError, match="given back"):
        claim.name_cohort("c")


def test_the_lock_file_names_the_cohort(tmp_path: Path) -> None:
    with FlockClaim.take(tmp_path / "job" / "lock", "job") as claim:  # type: ignore[union-attr]
        claim.name_cohort("a-longer-name")
        claim.name_cohort("short")
    assert (tmp_path / "job" / "lock").read_text() == "short\n"
