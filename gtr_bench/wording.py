"""How times, sizes, numbers and counts are written wherever the program talks; `report.text` has a report's own."""

from __future__ import annotations

__all__ = ["compact", "counted", "duration", "size"]


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
