"""How times, sizes, numbers and counts are written wherever the program talks; `report.text` has a report's own.

And what is done to words of others, of a suite's question or an exception, before a terminal or a file gets them.
"""

from __future__ import annotations

import re

__all__ = ["MOST_CHARACTERS", "clean", "compact", "counted", "duration", "one_line", "size"]

MOST_CHARACTERS = 1000
"""Of a message: an exception may carry a whole array."""

# A terminal's own sequences go as a whole: colours and movements, titles and links, single escapes.
_SEQUENCE = re.compile("\x1b(?:\\[[0-?]*[ -/]*[@-~]|\\][^\x07\x1b]*(?:\x07|\x1b\\\\)?)")
# C0 but tab and line feed, DEL, C1, line and paragraph separators, and what turns the direction of text (Unicode
# Bidirectional Algorithm, https://www.unicode.org/reports/tr9/, explicit formatting characters).
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def clean(text: str) -> str:
    """The text without a terminal's sequences, other control characters as `\N{REPLACEMENT CHARACTER}`; lines stay."""
    if not _CONTROLS.search(text):
        return text
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", _SEQUENCE.sub("", text.replace("\r\n", "\n")))


def one_line(text: str, most: int = MOST_CHARACTERS) -> str:
    """A message of others as one clean line of at most `most` characters; the middle of a longer one is left out."""
    line = " ".join(clean(text).split())
    if len(line) <= most:
        return line
    half = (most - 5) // 2
    return f"{line[:half]} ... {line[-half:]}"


def duration(seconds: float | None) -> str:
    """`7 s`, `12 min 5 s`, `3 h 20 min`, `2 d 4 h`; `unknown` for None."""
    if seconds is None:
        return "unknown"
    whole = max(0, round(seconds))
    for unit, name, smaller, smaller_name in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= unit:
            return f"{whole // unit} {name} {whole % unit // smaller} {smaller_name}"
    return f"{whole} s"


def size(bytes_: int) -> str:
    """`120 kB`, `3.4 GB`; powers of 1,000."""
    value = float(bytes_)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 10 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def compact(value: float | None) -> str:
    """`-` for None; whole numbers with thousands separators, smaller ones with three digits."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def counted(count: int, noun: str) -> str:
    """`1 job`, `2 jobs`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
