"""The claims and comparisons of a suite, with what the results decide about them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from gtr_bench.report.blocks import Block, Heading, Lines, grid
from gtr_bench.report.claims import ClaimResult, claims_of
from gtr_bench.report.collect import SuiteRecords
from gtr_bench.report.model import SuiteReport
from gtr_bench.report.scores import Scores
from gtr_bench.report.sections.base import Asked, Section
from gtr_bench.report.text import ABSENT, SMOKE, bracketed, p_value

__all__ = ["ClaimsSection"]

HEADER = ("claim", "verdict", "difference [interval]", "p", "p (Holm)", "n", "seeds needed")
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
            yield grid("", HEADER, [_row(suite, claim) for claim in data])
            yield Lines(tuple(_lines(data)), "note")


def _row(suite: SuiteReport, claim: ClaimResult) -> list[str]:
    """The texts of one claim, in the order of `HEADER`."""
    p, adjusted = p_value(claim.p), p_value(claim.p_adjusted)
    needed = ABSENT if claim.seeds_needed is None else str(claim.seeds_needed)
    verdict = f"{claim.verdict} ({SMOKE})" if suite.smoke else claim.verdict
    size = bracketed(claim.effect, claim.low, claim.high)
    return [claim.id, verdict, size, p, adjusted, str(claim.n), needed]


def _lines(claims: Sequence[ClaimResult]) -> list[str]:
    """What was claimed and why the verdict is what it is, then how it was tested, each way once."""
    lines, methods = [], []
    for claim in claims:
        unit = f" (difference: {claim.better} - {claim.than}, {claim.unit})" if claim.effect is not None else ""
        lines.append(f"{claim.id}: {claim.text}. {claim.reason[:1].upper()}{claim.reason[1:]}{unit}")
        methods += [f"test: {claim.test}"] if claim.test else []
        methods += [f"{100 * claim.level:.4g}% interval: {claim.interval_method}"] if claim.interval_method else []
    family = FAMILY if all(claim.look is None for claim in claims) else WAVES
    return [*lines, "; ".join([*dict.fromkeys(methods), family])]
