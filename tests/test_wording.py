"""How times, sizes and numbers are written."""

from __future__ import annotations

import pytest

from gtr_bench.wording import compact, counted, duration, size


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "unknown"), (0.4, "0 s"), (59.6, "1 min 0 s"), (3600, "1 h 0 min"), (100_000, "1 d 3 h"), (-1, "0 s")],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


def test_sizes_and_numbers() -> None:
    assert [size(n) for n in (5, 1500, 12_000_000, 3_400_000_000, 10**13)] == [
        "5 B",
        "1.5 kB",
        "12 MB",
        "3.4 GB",
        "10.0 TB",
    ]
    assert [compact(n) for n in (None, 0.12345, 12_345.6)] == ["-", "0.123", "12,346"]


def test_counts_agree_with_their_noun() -> None:
    assert [counted(n, "job") for n in (0, 1, 1200)] == ["0 jobs", "1 job", "1,200 jobs"]
