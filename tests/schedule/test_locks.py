"""Claims live as long as any process that holds them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from gtr_bench.schedule.locks import Claim, is_held


def test_a_claim_excludes_others_until_released(tmp_path: Path) -> None:
    path = tmp_path / "job" / "lock"
    assert not is_held(path)
    claim = Claim.take(path, "job")
    assert claim is not None
    assert is_held(path)
    assert Claim.take(path, "job") is None
    claim.release()
    claim.release()
    assert not is_held(path)


def test_an_inherited_claim_outlives_the_one_who_took_it_and_ends_with_its_holder(tmp_path: Path) -> None:
    path = tmp_path / "job" / "lock"
    with Claim.take(path, "job") as claim:  # type: ignore[union-attr]
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], pass_fds=[claim.descriptor])
    assert is_held(path)
    child.kill()
    child.wait()
    assert not is_held(path)


def test_the_lock_file_names_the_cohort(tmp_path: Path) -> None:
    with Claim.take(tmp_path / "job" / "lock", "job") as claim:  # type: ignore[union-attr]
        claim.name_cohort("a-longer-name")
        claim.name_cohort("short")
    assert (tmp_path / "job" / "lock").read_text() == "short\n"
