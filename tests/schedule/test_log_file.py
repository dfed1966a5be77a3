"""The capped log keeps its limit, its head and its tail."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gtr_bench.schedule import log_file
from gtr_bench.schedule.log_file import CappedLog


@given(st.lists(st.integers(0, 3000), max_size=40), st.integers(1000, 5000))
def test_the_limit_holds_and_head_and_tail_stay(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], limit: int
) -> None:
    path = tmp_path_factory.mktemp("log") / "log.txt"
    log = CappedLog(str(path), limit)
    written = b""
    for number, size in enumerate(sizes):
        chunk = (b"%04d" % number) * (size // 4)
        log.append(chunk)
        written += chunk
        assert path.stat().st_size <= limit
    stored = path.read_bytes() if path.exists() else b""
    if len(written) <= limit - 100:
        assert stored == written
    else:
        assert stored.startswith(written[: limit // 2 - 100])
        assert stored[-limit // 8 :] == written[-limit // 8 :]
        assert stored.count(b"left out here") == 1


def test_a_continued_run_appends_to_the_log_it_finds(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    CappedLog(str(path), 1000).append(b"first\n")
    CappedLog(str(path), 1000).append(b"second\n")
    assert path.read_bytes() == b"first\nsecond\n"


def test_a_limit_without_room_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no room"):
        CappedLog(str(tmp_path / "log.txt"), 10)


def test_as_a_process_it_reads_to_the_end_even_if_the_disk_refuses(tmp_path: Path) -> None:
    command = [sys.executable, "-I", "-S", log_file.__file__]
    good = tmp_path / "log.txt"
    subprocess.run([*command, str(good), "2000"], input=b"x" * 100_000, check=True)
    assert good.stat().st_size <= 2000
    subprocess.run([*command, str(tmp_path / "missing" / "log.txt"), "2000"], input=b"x" * 1_000_000, check=True)
