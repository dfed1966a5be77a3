"""What is free."""

from __future__ import annotations

from pathlib import Path

from gtr_bench.schedule.resources import available_memory_bytes, free_disk_bytes


def test_free_disk_of_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    assert free_disk_bytes(tmp_path / "a" / "b") > 0


def test_some_memory_is_available() -> None:
    assert available_memory_bytes() > 1 << 20
