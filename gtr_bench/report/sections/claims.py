"""The claims and comparisons of a suite, with what the results decide about them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import ClassVar

from gtr_bench.report.blocks import NUMERIC, Block, Heading, Lines, grid
from gtr_bench.report.claims import ClaimResult, claims_of
from gtr_bench.report.collect import SuiteRecords
from gtr_bench.report.details import Side
from gtr_bench.report.model import SuiteReport
from gtr_bench.report.scores import Scores
from gtr_bench.report.sections.base import Asked, Section
from gtr_bench.report.text import ABSENT, FEW_DIGITS, INTERIM, SMOKE, bracketed, number, p_value

__all__ = ["ClaimsSection", "verdict_text"]

HEADER = ("claim", "verdict", "difference [interval]", "p", "p (Holm)", "n", "seeds needed")
SIDES = (
    *("metric", "environment", "algorithm", "n", "mean", "interquartile mean", "median", "worst quarter"),
    *("failed or diverged", "in the worse heap"),
)
NUMBERS = NUMERIC | {"mean", "interquartile mean", "median", "worst quarter", "in the worse heap"}
WARNED = "!"
WAVES = "the looks keep the error over all claims and comparisons of the suite at this scale"
FAMILY = "p (Holm) is adjusted over all claims and comparisons of the suite at this scale"


class ClaimsSection(Section):
    """A row and a sentence per claim."""

    name: ClassVar[str] = "claims"

    def compute(self, found: SuiteRecords, scores: Scores, asked: Asked) -> tuple[ClaimResult, ...]:
        """Decided on all environments of a claim, whichever are shown."""
        return claims_of(found, scores, asked.course)

    def blocks(self, suite: SuiteReport, data: Sequence[ClaimResult]) -> Iterator[Block]:
        """Nothing where nothing is claimed."""
        if data:
            yield Heading(2, "Claims" + (f" ({SMOKE})" if suite.smoke else ""), lead=True)
            yield grid("", HEADER, [_row(claim) for claim in data])
            sides = dict.fromkeys((claim.metric, side) for claim in data for side in claim.sides)
            if sides:
                rows = [_side(metric, side) for metric, side in sides]
                yield grid("Beside the means", SIDES, rows, detail=True, numeric=NUMBERS)
            yield Lines(tuple(_lines(data)), "note")

    def brief(self, suite: SuiteReport, data: Sequence[ClaimResult]) -> Iterator[Block]:
        """A row per claim, and what its name does not say."""
        if data:
            # Both hold for all claims of a suite.
            states = ["interim"] * data[0].interim + [SMOKE] * suite.smoke
            yield Heading(2, "Claims" + (f" ({', '.join(states)})" if states else ""))
            held = any(claim.p_adjusted is not None for claim in data)
            names = ("claim", "verdict", "difference [interval]", "p (Holm)" if held else "p", "n", "seeds needed")
            rows = [_brief_row(claim, held=held) for claim in data]
            yield grid("", names, rows, optional=("seeds needed", "n", names[3]))
            everywhere = max((claim.environments for claim in data), key=len)
            sentences = tuple(line for claim in data if (line := _sentence(claim, everywhere)))
            if sentences:
                yield Lines(sentences)
            if any(claim.warnings for claim in data):
                yield Lines((f"{WARNED} comes with a warning, which `--explain CLAIM` shows",), "note")


def _row(claim: ClaimResult) -> list[str]:
    """The texts of one claim, in the order of `HEADER`."""
    p, adjusted = p_value(claim.p), p_value(claim.p_adjusted)
    size = bracketed(claim.effect, claim.low, claim.high)
    return [claim.id, verdict_text(claim), size, p, adjusted, str(claim.n), _needed(claim)]


def _needed(claim: ClaimResult) -> str:
    return ABSENT if claim.seeds_needed is None else str(claim.seeds_needed)


def verdict_text(claim: ClaimResult) -> str:
    """The verdict with what keeps it from being one."""
    interim = INTERIM if claim.interim else ""
    verdict = f"{interim}{claim.verdict}{f' ({SMOKE})' if claim.smoke else ''}"
    return verdict + (f" ({claim.changed.partition(':')[0]})" if claim.changed else "")


def _brief_row(claim: ClaimResult, *, held: bool) -> list[str]:
    """The texts of one claim in the short report, whose heading says what keeps all verdicts from being one."""
    size = bracketed(claim.effect, claim.low, claim.high, FEW_DIGITS)
    p = p_value(claim.p_adjusted if held else claim.p)
    verdict = verdict_text(replace(claim, interim=False, smoke=False)) + (f" {WARNED}" if claim.warnings else "")
    return [claim.id, verdict, size, p, str(claim.n), _needed(claim)]


def _sentence(claim: ClaimResult, everywhere: Sequence[str]) -> str:
    """What a claim states, which a comparison's name says already; and why it was not tested, where it was not."""
    stated = f"{claim.better} has a {claim.direction} {claim.metric} than {claim.than}"
    stated += f" by more than {claim.margin:g}" if claim.margin else ""
    if claim.kind == "non_inferiority":
        stated = f"{claim.better} is at most {claim.margin:g} worse than {claim.than} in {claim.metric}"
    stated += " in each environment" if claim.scope == "each" else ""
    if len(claim.environments) < len(everywhere):
        few = len(claim.environments) == 1
        stated += f", in {claim.environments[0] if few else f'{len(claim.environments)} environments'}"
    untested = [claim.reason] if claim.p is None else []
    said = [stated, *untested] if claim.declared == "claim" else untested
    return f"{claim.id}: {'; '.join(said)}" if said else ""


def _side(metric: str, side: Side) -> list[str]:
    """The texts of one side of a claim, in the order of `SIDES`."""
    heap = ABSENT if side.worse_heap is None else str(side.worse_heap)
    failed = f"{side.failed} of {side.jobs} (rate up to {side.failed_at_most:.0%})"
    numbers = [number(each) for each in (side.mean, side.iqm, side.median, side.worst_quarter)]
    return [metric, side.environment, side.algorithm, str(side.n), *numbers, failed, heap]


def _by_environment(claim: ClaimResult) -> str:
    """Each environment's difference, and whether they are equal."""
    parts = [
        f"{each.environment} {number(each.effect)}{' (the other way)' if each.opposite else ''}"
        for each in claim.by_environment
    ]
    test = claim.heterogeneity
    equal = f"; are they equal: {test.test}, p = {p_value(test.p)}" if test else ""
    return f"{claim.id} by environment: {', '.join(parts)}{equal}"


def _lines(claims: Sequence[ClaimResult]) -> list[str]:
    """What was claimed and why the verdict is what it is, then how it was tested, each way once."""
    lines, methods = [], []
    for claim in claims:
        unit = f" (difference: {claim.better} - {claim.than}, {claim.unit})" if claim.effect is not None else ""
        lines.append(f"{claim.id}: {claim.text}. {claim.reason[:1].upper()}{claim.reason[1:]}{unit}")
        lines += [f"{claim.id}: {claim.changed}"] if claim.changed else []
        if len(claim.by_environment) > 1:
            lines.append(_by_environment(claim))
        lines += [f"{claim.id}: {each}" for each in claim.warnings]
        methods += [f"test: {claim.test}"] if claim.test else []
        methods += [f"{100 * claim.level:.4g}% interval: {claim.interval_method}"] if claim.interval_method else []
    family = FAMILY if all(claim.look is None for claim in claims) else WAVES
    return [*lines, "; ".join([*dict.fromkeys(methods), family])]
