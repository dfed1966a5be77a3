"""How numbers and sentences of a report read, the same in every format."""

from __future__ import annotations

import math

from gtr_bench.report.model import (
    Absence,
    Aggregate,
    ClaimResult,
    Difference,
    Interval,
    Mechanism,
    MechanismRow,
    MetricTable,
    Profile,
    Provenance,
    Relaxation,
    Report,
    SuiteReport,
    TableCell,
)
from gtr_bench.wording import counted

__all__ = [
    "ABSENCE_HEADER",
    "ABSENT",
    "CLAIM_HEADER",
    "NUMERIC",
    "RECONSTRUCTION",
    "RECONSTRUCTION_MARK",
    "RELAXATION_HEADER",
    "SMOKE",
    "VALUE_COLUMN",
    "absence_row",
    "aggregate_header",
    "aggregate_row",
    "bracketed",
    "cell_row",
    "claim_lines",
    "claim_row",
    "diagnostic_header",
    "diagnostic_row",
    "header",
    "label",
    "made_with",
    "mechanism_header",
    "mechanism_lines",
    "mechanism_rows",
    "number",
    "p_value",
    "profile_header",
    "profile_row",
    "provenance_lines",
    "ranges",
    "relaxation_row",
    "suite_lines",
    "table_lines",
    "table_title",
]

RECONSTRUCTION = "this project's reconstruction"
RECONSTRUCTION_MARK = "†"
SMOKE = "smoke scale: no claim"
ABSENT = "-"
WAVES = "the looks keep the error over all claims and comparisons of the suite at this scale"
FOLLOWS = (
    "escape_follows_return: rank correlation within phases of an iteration's escape_fraction and the change of "
    "training_return around it (4 iterations after minus 4 before), beyond that of unmatched seeds; no proof of cause"
)
FAMILY = "p (Holm) is adjusted over all claims and comparisons of the suite at this scale"

PROFILE_STEP = 10
BEST_MARK = "*"
TIED_MARK = "="

CLAIM_HEADER = ("claim", "verdict", "difference [interval]", "p", "p (Holm)", "n", "seeds needed")
RELAXATION_HEADER = ("environment", "algorithm", "escape_follows_return [95% interval]", "n")
ABSENCE_HEADER = ("environment", "algorithm", "role", "state", "jobs", "seeds", "reason")

VALUE_COLUMN = 2
"""Where `cell_row` has the value that is set in bold when the test says it is the best."""

# Column -> the diagnostic whose mean over seeds it shows, and in which window.
_MEANS = {
    "path_length": ("path_length", "after"),
    "escape_fraction": ("escape_fraction", "after"),
    "KL before": ("exact_kl", "before"),
    "KL after": ("exact_kl", "after"),
}

_COUNTS = ("diverged", "undefined", "failed", "missing", "censored")

NUMERIC = frozenset({*_COUNTS, "n", "environments", "p", "p (Holm)", "seeds needed", "jobs", "before", *_MEANS})
"""Columns whose entries are numbers alone, set flush right."""


def number(value: float) -> str:
    """Four significant digits, thousands separated, no exponent before a million."""
    if value == 0:
        return "0"
    digits = 3 - math.floor(math.log10(abs(value)))
    rounded = round(value, digits)
    if abs(rounded) >= 1e6 or abs(rounded) < 1e-4:
        return f"{value:.3e}"
    return f"{rounded:,.{max(0, 3 - math.floor(math.log10(abs(rounded))))}f}"


def p_value(p: float | None) -> str:
    """Two significant digits; a dash where nothing was tested."""
    return ABSENT if p is None else f"{p:.2g}"


def bracketed(value: float | None, low: float | None, high: float | None) -> str:
    """`value [low, high]`; only what is there."""
    if value is None:
        return ABSENT
    return number(value) if low is None or high is None else f"{number(value)} [{number(low)}, {number(high)}]"


def label(suite: SuiteReport, algorithm: str) -> str:
    """The algorithm's label, marked where its form is this project's reconstruction."""
    return f"{algorithm} {RECONSTRUCTION_MARK}" if algorithm in suite.reconstructions else algorithm


def table_title(table: MetricTable) -> str:
    """The metric, whether it is the suite's primary one, and which way is better."""
    better = "" if table.direction == "neutral" else f", {table.direction} is better"
    return f"{table.metric} ({'primary metric' if table.primary else 'metric'}{better})"


def _counts(table: MetricTable) -> list[str]:
    """Counts worth a column: those that are not zero everywhere; the line over the tables has them all."""
    return [name for name in _COUNTS if any(getattr(cell, name) for cell in table.cells)]


def header(suite: SuiteReport, table: MetricTable) -> list[str]:
    """Column names of a metric's table."""
    names = ["environment", "algorithm", "mean [95% interval]", "n", *_counts(table)]
    return [*names, f"minus {suite.baseline}, paired"] if suite.baseline else names


def cell_row(suite: SuiteReport, table: MetricTable, cell: TableCell) -> list[str]:
    """The texts of one row, in the order of `header`."""
    mark = f" {BEST_MARK}" if cell.best else f" {TIED_MARK}" if cell.tied else ""
    value = bracketed(cell.value, cell.low, cell.high) + mark
    row = [cell.sequence, label(suite, cell.algorithm), value, str(cell.n)]
    row += [str(getattr(cell, name)) for name in _counts(table)]
    if suite.baseline:
        row.append(_difference(cell.difference))
    return row


def _difference(difference: Difference | None) -> str:
    if difference is None:
        return ABSENT
    return f"{bracketed(difference.value, difference.low, difference.high)}, n = {difference.n}"


def _of(interval: Interval | None) -> str:
    return bracketed(interval.value, interval.low, interval.high) if interval else ABSENT


def _mean_of(interval: Interval | None) -> str:
    return number(interval.value) if interval else ABSENT


def aggregate_header(suite: SuiteReport, table: MetricTable) -> list[str]:
    """Column names over all environments."""
    names = ["algorithm", "mean [95% interval]", "median", "IQM"]
    names += ["optimality gap"] if _has(table, "optimality_gap") else []
    names += [f"P(better than {suite.baseline})"] if _has(table, "improvement") else []
    return [*names, "environments", "n"]


def aggregate_row(suite: SuiteReport, table: MetricTable, row: Aggregate) -> list[str]:
    """The texts of one aggregate, in the order of `aggregate_header`."""
    shown = [row.mean, row.median, row.iqm]
    shown += [row.optimality_gap] if _has(table, "optimality_gap") else []
    shown += [row.improvement] if _has(table, "improvement") else []
    return [label(suite, row.algorithm), *(_of(each) for each in shown), str(row.environments), str(row.n)]


def _has(table: MetricTable, name: str) -> bool:
    return any(getattr(row, name) is not None for row in table.aggregates)


def profile_header(table: MetricTable) -> list[str]:
    """Column names of the thresholds shown: every tenth of those computed."""
    shown = table.profiles[0].thresholds[::PROFILE_STEP]
    return ["algorithm", *(f"> {threshold:g}" for threshold in shown)]


def profile_row(suite: SuiteReport, profile: Profile) -> list[str]:
    """Shares of runs above the thresholds of `profile_header`, with their bands."""
    shown = zip(profile.shares, profile.low, profile.high, strict=True)
    return [label(suite, profile.algorithm), *(bracketed(*each) for each in list(shown)[::PROFILE_STEP])]


def claim_row(suite: SuiteReport, claim: ClaimResult) -> list[str]:
    """The texts of one claim, in the order of `CLAIM_HEADER`."""
    p, adjusted = p_value(claim.p), p_value(claim.p_adjusted)
    needed = ABSENT if claim.seeds_needed is None else str(claim.seeds_needed)
    verdict = f"{claim.verdict} ({SMOKE})" if suite.smoke else claim.verdict
    size = bracketed(claim.effect, claim.low, claim.high)
    return [claim.id, verdict, size, p, adjusted, str(claim.n), needed]


def claim_lines(suite: SuiteReport) -> list[str]:
    """What was claimed and why the verdict is what it is, then how it was tested, each way once."""
    lines, methods = [], []
    for claim in suite.claims:
        unit = f" (difference: {claim.better} - {claim.than}, {claim.unit})" if claim.effect is not None else ""
        lines.append(f"{claim.id}: {claim.text}. {claim.reason[:1].upper()}{claim.reason[1:]}{unit}")
        methods += [f"test: {claim.test}"] if claim.test else []
        methods += [f"{claim.level:.0%} interval: {claim.interval_method}"] if claim.interval_method else []
    family = FAMILY if all(claim.look is None for claim in suite.claims) else WAVES
    return [*lines, "; ".join([*dict.fromkeys(methods), family])]


def mechanism_header(suite: SuiteReport) -> list[str]:
    """Column names of the diagnostics around shifts, the most telling ones."""
    names = ["environment", "algorithm", "before", "after [95% interval]"]
    names += [f"after, minus {suite.baseline}"] if suite.baseline else []
    return [*names, *_MEANS]


def mechanism_rows(suite: SuiteReport, found: Mechanism) -> list[list[str]]:
    """One row per environment and algorithm, in the order of `mechanism_header`."""
    by_place: dict[tuple[str, str], dict[str, MechanismRow]] = {}
    for row in found.rows:
        by_place.setdefault((row.environment, row.algorithm), {})[row.quantity] = row
    listed = []
    for (environment, algorithm), rows in by_place.items():
        path = rows.get("path_efficiency")
        texts = [environment, label(suite, algorithm), _mean_of(path.before if path else None)]
        texts.append(_of(path.after if path else None))
        texts += [_difference(path.difference if path else None)] if suite.baseline else []
        for quantity, window in _MEANS.values():
            texts.append(_mean_of(getattr(rows[quantity], window) if quantity in rows else None))
        listed.append(texts)
    return listed


def diagnostic_header(suite: SuiteReport) -> list[str]:
    """Column names of all diagnostics with their intervals."""
    names = ["environment", "algorithm", "quantity", "before [95% interval]", "after [95% interval]"]
    return [*names, f"after, minus {suite.baseline}, paired"] if suite.baseline else names


def diagnostic_row(suite: SuiteReport, row: MechanismRow) -> list[str]:
    """The texts of one diagnostic, in the order of `diagnostic_header`."""
    texts = [row.environment, label(suite, row.algorithm), row.quantity, _of(row.before), _of(row.after)]
    return [*texts, _difference(row.difference)] if suite.baseline else texts


def relaxation_row(suite: SuiteReport, row: Relaxation) -> list[str]:
    """The texts of one row, in the order of `RELAXATION_HEADER`."""
    return [row.environment, label(suite, row.algorithm), _of(row.association), str(row.association.n)]


def mechanism_lines(found: Mechanism) -> list[str]:
    """What stands under the diagnostics."""
    return [
        f"before: the last {found.window} iterations of the phase before a shift; after: the first {found.window} of "
        "the phase after it; mean over shifts, then over seeds, with 95% intervals over seeds",
        "path_efficiency: distance between the policies at the window's ends over the length of the path between "
        "them; 1 = every update went the same way. Shorter paths are straighter by themselves: compare path_length",
        "path_length, escape_fraction: after; KL: exact_kl, the exact divergence of one update; means over seeds",
        *([FOLLOWS] if found.relaxation else []),
        *found.notes,
    ]


def absence_row(suite: SuiteReport, absence: Absence) -> list[str]:
    """The texts of one entry, in the order of `ABSENCE_HEADER`."""
    return [
        *(absence.environment, label(suite, absence.algorithm), absence.role, absence.state, str(len(absence.jobs))),
        ranges(absence.seeds),
        absence.reason,
    ]


def ranges(seeds: tuple[int, ...]) -> str:
    """`0-4, 7` for sorted seeds."""
    parts: list[list[int]] = []
    for seed in sorted(seeds):
        if parts and seed == parts[-1][-1] + 1:
            parts[-1] = [parts[-1][0], seed]
        else:
            parts.append([seed])
    return ", ".join("-".join(str(seed) for seed in part) for part in parts)


def table_lines(table: MetricTable) -> list[str]:
    """What stands under a metric's table."""
    lines = [f"{table.metric}: {table.definition}"]
    if any(cell.best or cell.tied for cell in table.cells):
        lines.append(
            f"{BEST_MARK} (bold): better than every other algorithm of its environment by the test; "
            f"{TIED_MARK}: not separated from the best mean by it"
        )
    return [*lines, *table.notes]


def suite_lines(suite: SuiteReport) -> list[str]:
    """What stands over a suite's tables."""
    lines = [suite.question] if suite.question else []
    lines.append("jobs: " + ", ".join(f"{count} {state}" for state, count in suite.jobs.items()))
    lines += suite.notes
    if suite.reconstructions:
        lines.append(f"{RECONSTRUCTION_MARK} gtr is {RECONSTRUCTION} of the published method")
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
