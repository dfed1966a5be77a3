"""How times, sizes and numbers are written."""

from __future__ import annotations

import pytest

from gtr_bench.wording import clean, compact, counted, duration, one_line, size


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


def test_control_and_bidi_characters_are_replaced_and_escape_sequences_go_whole() -> None:
    assert clean("a\x1b[31mred\x1b[0m b\x1b]8;;http://x\x07link\x1b]8;;\x07") == "ared blink"
    assert clean("a\u202eb\u2066c\x00d\x9be\rf") == "a\ufffdb\ufffdc\ufffdd\ufffde\ufffdf"
    assert clean("two\r\nlines\tand a tab: \u00e9, \u05d0, \u4e2d") == "two\nlines\tand a tab: \u00e9, \u05d0, \u4e2d"


def test_a_message_is_one_line_of_a_sane_length() -> None:
    assert one_line("a\n  b\tc\x07") == "a b c\ufffd"
    text = one_line("begin " + "x" * 100_000 + " end")
    assert len(text) <= 1000
    assert (text[:6], text[-4:]) == ("begin ", " end")
