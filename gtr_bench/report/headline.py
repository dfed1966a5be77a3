"""The answer a report begins with: a sentence or two that say what the verdicts say, and never more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from gtr_bench.report.claims import ClaimResult
from gtr_bench.report.model import SuiteReport
from gtr_bench.report.text import joined
from gtr_bench.wording import counted

__all__ = ["headline"]

VERDICTS = ("supported", "refuted", "undecided")
MOST_IN_FULL = 3
"""Statements that are repeated word by word; more are gathered by what they say."""
LONGEST = 320
"""Characters of the statements that are named under a verdict; the table of claims has all of them."""


def headline(suite: SuiteReport) -> str:
    """What the claims and comparisons of a suite came to, or why there is no answer."""
    claims: Sequence[ClaimResult] = suite.sections.get("claims") or ()
    if not claims:
        return _nothing(suite)
    interim = any(claim.interim for claim in claims)
    if suite.smoke or any(claim.smoke for claim in claims):
        missing = ", and jobs are missing that its verdicts need" if interim else ""
        return (
            f"No claim: this scale is too small beside the suite's full one{missing}. Its verdicts claim nothing: "
            f"{_counts(claims)}."
        )
    if interim:
        return f"No answer yet: jobs are missing that the verdicts need. So far: {_counts(claims)}."
    return " ".join([*_verdicts(claims), *_cautions(claims)])


def _nothing(suite: SuiteReport) -> str:
    if suite.brief is None:
        return "No answer: the suite's text cannot be expanded here, so what it claims is not decided."
    if len(suite.algorithms) < 2:
        return "No answer: fewer than two algorithms were run, so nothing is compared."
    return "No answer: the suite states no claim and no comparison, so nothing is tested."


def _counts(claims: Sequence[ClaimResult]) -> str:
    """`2 supported, 0 refuted and 1 undecided of 3 statements`."""
    found = Counter[str](claim.verdict for claim in claims)
    return f"{joined([f'{found[each]} {each}' for each in VERDICTS])} of {counted(len(claims), 'statement')}"


def _verdicts(claims: Sequence[ClaimResult]) -> Iterator[str]:
    """A sentence per verdict that was reached; many undecided statements are counted, not named."""
    few = len(claims) <= MOST_IN_FULL
    if not few:
        yield f"{_counts(claims)}."
    for verdict in VERDICTS:
        own = [claim for claim in claims if claim.verdict == verdict]
        if own and few:
            whether = "whether " if verdict == "undecided" else ""
            yield f"{verdict.capitalize()}: {'; '.join(whether + claim.text for claim in own)}."
        elif own and verdict != "undecided":
            named = [f"{verdict.capitalize()}: {each}." for each in _gathered(own)]
            yield from named if sum(map(len, named)) <= LONGEST else ()


def _gathered(claims: Sequence[ClaimResult]) -> Iterator[str]:
    """What several statements say alike, once, with whom they say it of: `a higher x in e: a and b than c`."""
    groups: dict[str, dict[str, list[str]]] = {}
    for claim in claims:
        groups.setdefault(_said(claim), {}).setdefault(claim.better, []).append(claim.than)
    for said, pairs in groups.items():
        rivals: dict[tuple[str, ...], list[str]] = {}
        for better, than in pairs.items():
            rivals.setdefault(tuple(than), []).append(better)
        yield f"{said}: " + "; ".join(f"{joined(better)} than {joined(than)}" for than, better in rivals.items())


def _said(claim: ClaimResult) -> str:
    """A statement without its two sides: the rest of its text, such as where it holds, stays word by word."""
    if claim.kind == "non_inferiority":
        lead, start = f"at most {claim.margin:g} worse in {claim.metric}", f" in {claim.metric}"
        opening = f"{claim.better} is at most {claim.margin:g} worse than {claim.than}{start}"
    else:
        lead = f"a {claim.direction} {claim.metric}"
        opening = f"{claim.better} has {lead} than {claim.than}"
    return lead + claim.text.removeprefix(opening) if claim.text.startswith(opening) else claim.text


def _cautions(claims: Sequence[ClaimResult]) -> Iterator[str]:
    """What keeps verdicts from being all that they seem, counted: the claims' notes say more."""
    untested = sum(claim.p is None for claim in claims)
    marks = Counter(claim.changed.partition(":")[0] for claim in claims if claim.changed)
    warned = sum(bool(claim.warnings) for claim in claims)
    if untested:
        yield f"{counted(untested, 'statement')} could not be tested."
    for mark, count in sorted(marks.items()):
        yield f"{counted(count, 'statement')}: {mark}."
    if warned:
        yield f"{counted(warned, 'verdict')} with a warning: see the claims."
