"""What a cell's difference or a claim's verdict rests on: interval, pairs of seeds and test."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gtr_bench.metrics.run import Metric
from gtr_bench.report.cases import case_of
from gtr_bench.report.claims import claims_of
from gtr_bench.report.collect import SuiteRecords, algorithms_of
from gtr_bench.report.scores import Scores
from gtr_bench.report.statements import statements_of
from gtr_bench.report.tables import TableCell, table_of, tested_pairs
from gtr_bench.report.text import bracketed, number, p_value
from gtr_bench.report.waves import Course
from gtr_bench.suite.bars import DEFAULT_BASELINE

__all__ = ["Behind", "Pair", "aligned", "behind_cell", "behind_claim", "behind_lines", "claim_ids"]

CELL_TEST = "paired sign-flip permutation, two-sided; p (Holm) is adjusted over all pairs of its environment"


@dataclass(frozen=True)
class Pair:
    """One seed's values of both sides, and the first minus the second."""

    environment: str
    seed: int
    value: float
    other: float
    difference: float


@dataclass(frozen=True)
class Behind:
    """A tested difference (`better` - `than`), None and empty where nothing was tested; `value` is a cell's own.

    Attributes:
        better, than: algorithm labels, empty where there is nothing to compare.
        verdict, reason, unit: of a claim, empty for a cell; `warnings` too.
        value, value_low, value_high, n: a cell's mean over seeds with its interval, None for a claim.
        effect, low, high, interval: the difference, its interval, and how that is made.
        pairs: by environment and seed, in the unit of the difference.
    """

    better: str
    than: str
    effect: float | None
    low: float | None
    high: float | None
    interval: str
    test: str
    p: float | None
    p_adjusted: float | None
    pairs: tuple[Pair, ...]
    value: float | None = None
    value_low: float | None = None
    value_high: float | None = None
    n: int | None = None
    verdict: str = ""
    reason: str = ""
    unit: str = ""
    warnings: tuple[str, ...] = ()


def claim_ids(found: SuiteRecords) -> list[str]:
    """The claims and comparisons that can be explained."""
    return [statement.id for statement in statements_of(found.suite)] if found.suite else []


def behind_cell(found: SuiteRecords, scores: Scores, metric: type[Metric], place: tuple[str, str]) -> Behind:
    """Of the cell at `place` (environment, algorithm), beside the default baseline in its environment."""
    environment, algorithm = place
    runs = [each for each in found.records if each.role == "run" and each.sequence == environment]
    algorithms = algorithms_of(found)
    baseline = DEFAULT_BASELINE if DEFAULT_BASELINE in algorithms else None
    table = table_of(runs, scores, metric, algorithms, baseline, found, primary=False)
    cells = {cell.algorithm: cell for cell in table.cells}
    own, rival = cells[algorithm], cells.get(baseline or "")
    alpha = found.suite.alpha if found.suite else 0.05
    tests = tested_pairs([cell for cell in table.cells if cell.n], alpha)
    tested = next((each for each in tests if rival and {each.one, each.other} == {own.id, rival.id}), None)
    difference = own.difference
    return Behind(
        better=algorithm if difference else "",
        than=difference.baseline if difference else "",
        effect=difference.value if difference else None,
        low=difference.low if difference else None,
        high=difference.high if difference else None,
        interval="interval: what the test does not reject, among all pairs of its environment" if difference else "",
        test=CELL_TEST if tested else "",
        p=tested.test.p if tested else None,
        p_adjusted=tested.adjusted if tested else None,
        pairs=tuple(_paired_cells(own, rival)) if difference and rival else (),
        value=own.value,
        value_low=own.low,
        value_high=own.high,
        n=own.n,
    )


def _paired_cells(own: TableCell, rival: TableCell) -> Iterator[Pair]:
    theirs = dict(zip(rival.seeds, rival.values, strict=True))
    for seed, value in zip(own.seeds, own.values, strict=True):
        if seed in theirs:
            yield Pair(own.sequence, seed, value, theirs[seed], value - theirs[seed])


def behind_claim(found: SuiteRecords, scores: Scores, course: Course | None, claim_id: str) -> Behind:
    """Of a claim or comparison by its id, with the values it counts."""
    assert found.suite is not None  # `claim_ids` names none without
    claim = next(each for each in claims_of(found, scores, course) if each.id == claim_id)
    if course is not None:
        case = course.cases[claim_id]
    else:
        statement = next(each for each in statements_of(found.suite) if each.id == claim_id)
        case = case_of(statement, [each for each in found.records if each.role == "run"], scores)
    pairs = case.question().pairs if not case.obstacle else {}
    return Behind(
        better=claim.better,
        than=claim.than,
        effect=claim.effect,
        low=claim.low,
        high=claim.high,
        interval=f"{100 * claim.level:.4g}% interval: {claim.interval_method}" if claim.interval_method else "",
        test=claim.test,
        p=claim.p,
        p_adjusted=claim.p_adjusted,
        pairs=tuple(
            Pair(name, seed, ours[seed], theirs[seed], ours[seed] - theirs[seed])
            for name, (ours, theirs) in pairs.items()
            for seed in sorted(ours.keys() & theirs.keys())
        ),
        verdict=f"{'interim: ' * claim.interim}{claim.verdict}{' (smoke scale: no claim)' * claim.smoke}",
        reason="; ".join(each for each in (claim.reason, claim.changed) if each),
        unit=claim.unit,
        warnings=claim.warnings,
    )


def behind_lines(found: Behind) -> list[str]:
    """For a terminal: what was found, how it was tested, and a row per pair."""
    lines = []
    if found.n is not None:
        own = bracketed(found.value, found.value_low, found.value_high)
        lines.append(f"value: {own}, mean over n = {found.n} seeds with a 95% interval")
    if found.verdict:
        lines.append(f"verdict: {found.verdict}; {found.reason}")
    lines += [f"warning: {each}" for each in found.warnings]
    if found.effect is not None:
        unit = f", {found.unit}" if found.unit else ""
        lines.append(
            f"difference: {bracketed(found.effect, found.low, found.high)} ({found.better} - {found.than}{unit})"
        )
        lines.append(found.interval)
    if found.test:
        lines.append(f"test: {found.test}; p = {p_value(found.p)}, p (Holm) = {p_value(found.p_adjusted)}")
    if found.pairs:
        header = ("environment", "seed", found.better, found.than, "difference")
        rows = [
            (each.environment, str(each.seed), *(number(v) for v in (each.value, each.other, each.difference)))
            for each in found.pairs
        ]
        lines += ["", "pairs", *aligned([header, *rows])]
    return [*lines, ""]


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines whose columns stand below each other."""
    widths = [max(len(text) for text in column) for column in zip(*rows, strict=True)]
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]
