"""How numbers and sentences of a report read, the same in every format."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from gtr_bench.report.model import Difference, Interval, Provenance, Report, SuiteReport
from gtr_bench.wording import counted

__all__ = [
    "ABSENT",
    "BOUNDARIES_MARK",
    "FEW_DIGITS",
    "INTERIM",
    "RECONSTRUCTION",
    "RECONSTRUCTION_MARK",
    "SMOKE",
    "UNBOUNDED",
    "boundaries_line",
    "bracketed",
    "difference_text",
    "interval_text",
    "joined",
    "label",
    "made_with",
    "mark_lines",
    "mean_text",
    "number",
    "p_value",
    "provenance_lines",
    "ranges",
    "reconstruction_line",
    "state_lines",
    "suite_lines",
]

RECONSTRUCTION = "this project's reconstruction"
RECONSTRUCTION_MARK = "†"
BOUNDARIES_MARK = "‡"
SMOKE = "smoke scale: no claim"
INTERIM = "interim: "
"""Before the verdict of a suite that has not ended."""
ABSENT = "-"
UNBOUNDED = "unbounded"
DIGITS, FEW_DIGITS = 4, 3
"""Significant digits of numbers, and of those in a short report."""


def number(value: float, digits: int = DIGITS) -> str:
    """So many significant digits, thousands separated, no exponent before a million."""
    if value == 0:
        return "0"
    rounded = round(value, digits - 1 - math.floor(math.log10(abs(value))))
    if abs(rounded) >= 1e6 or abs(rounded) < 1e-4:
        return f"{value:.{digits - 1}e}"
    return f"{rounded:,.{max(0, digits - 1 - math.floor(math.log10(abs(rounded))))}f}"


def p_value(p: float | None) -> str:
    """Two significant digits; a dash where nothing was tested."""
    return ABSENT if p is None else f"{p:.2g}"


def bracketed(value: float | None, low: float | None, high: float | None, digits: int = DIGITS) -> str:
    """`value [low, high]`; only what is there. An infinite end reads `unbounded`, and so does the pair of them."""
    if value is None:
        return ABSENT
    if low is None or high is None:
        return number(value, digits)
    ends = [number(end, digits) if math.isfinite(end) else UNBOUNDED for end in (low, high)]
    return f"{number(value, digits)} [{', '.join(dict.fromkeys(ends) if UNBOUNDED in ends else ends)}]"


def difference_text(difference: Difference | None) -> str:
    """`value [low, high], n = pairs`; a dash for none."""
    if difference is None:
        return ABSENT
    return f"{bracketed(difference.value, difference.low, difference.high)}, n = {difference.n}"


def interval_text(interval: Interval | None, digits: int = DIGITS) -> str:
    """`value [low, high]`; a dash for none."""
    return bracketed(interval.value, interval.low, interval.high, digits) if interval else ABSENT


def mean_text(interval: Interval | None) -> str:
    """The value alone; a dash for none."""
    return number(interval.value) if interval else ABSENT


def label(suite: SuiteReport, algorithm: str) -> str:
    """The algorithm's label, marked where its form is this project's reconstruction, or it is told the boundaries."""
    marks = RECONSTRUCTION_MARK if algorithm in suite.reconstructions else ""
    marks += BOUNDARIES_MARK if algorithm in suite.told_boundaries else ""
    return f"{algorithm} {marks}" if marks else algorithm


def ranges(seeds: tuple[int, ...]) -> str:
    """`0-4, 7` for sorted seeds."""
    parts: list[list[int]] = []
    for seed in sorted(seeds):
        if parts and seed == parts[-1][-1] + 1:
            parts[-1] = [parts[-1][0], seed]
        else:
            parts.append([seed])
    return ", ".join("-".join(str(seed) for seed in part) for part in parts)


def reconstruction_line(names: Iterable[str]) -> str:
    """Whose forms are this project's reconstruction: registered names, one at least."""
    listed = sorted(set(names))
    if len(listed) == 1:
        return f"{listed[0]} is {RECONSTRUCTION} of the published method"
    return f"{joined(listed)} are {RECONSTRUCTION}s of the published methods"


def boundaries_line(labels: Sequence[str]) -> str:
    """Who is told where phases begin: labels, one at least."""
    return f"{joined(labels)} {'is' if len(labels) == 1 else 'are'} told where phases begin"


def joined(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]


def suite_lines(suite: SuiteReport) -> list[str]:
    """What stands over a suite's tables."""
    return [*([suite.question] if suite.question else []), *state_lines(suite)]


def state_lines(suite: SuiteReport) -> list[str]:
    """The same without the question."""
    jobs = "jobs: " + ", ".join(f"{count} {state}" for state, count in suite.jobs.items())
    return [jobs, *suite.notes, *mark_lines(suite)]


def mark_lines(suite: SuiteReport) -> list[str]:
    """What the marks of algorithms mean."""
    lines = []
    if suite.reconstructions:
        lines.append(f"{RECONSTRUCTION_MARK} {reconstruction_line(suite.reconstructed)}")
    if suite.told_boundaries:
        lines.append(f"{BOUNDARIES_MARK} {boundaries_line(suite.told_boundaries)}")
    return lines


def provenance_lines(report: Report) -> list[str]:
    """The footer: how the numbers were made, and what made them."""
    return [report.method, f"{made_with(report.provenance)}; reported by gtr-bench {report.provenance.reported_by}"]


def made_with(source: Provenance) -> str:
    """Which jobs, and by which program, commit, packages and device."""
    made = [
        f"{counted(source.jobs, 'finished job')} (sha256 of their ids {source.jobs_digest})",
        *(
            f"{name} {', '.join(values)}"
            for name, values in (
                ("gtr-bench", source.gtr_bench),
                ("git", source.git),
                ("packages", source.packages_digests),
                ("device", source.devices),
            )
            if values
        ),
    ]
    return "; ".join(made)
