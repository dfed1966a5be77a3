"""Compare two sets of results: match their cells, test all of them, and say which changed.

Nothing here depends on the time, the machine or the order of files, so equal results give equal comparisons.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from gtr_bench.compare.cells import Matched, cells_of, match, names_of, scores_of_both, suite_of_both
from gtr_bench.compare.model import CellName, Comparison, Side, SideAbsence
from gtr_bench.compare.sides import Loaded, load_sides
from gtr_bench.compare.verdict import decide
from gtr_bench.errors import RequestError
from gtr_bench.metrics.registry import metrics
from gtr_bench.report.absences import absences_of
from gtr_bench.report.build import provenance_of
from gtr_bench.report.collect import Record
from gtr_bench.report.vector_level import levels_of
from gtr_bench.store.reader import Warn, warn_on_stderr
from gtr_bench.wording import counted

__all__ = ["DEFAULT_METRIC", "compare"]

DEFAULT_METRIC = "lifetime_return"
_A: Literal["A"] = "A"
_B: Literal["B"] = "B"
_MOST_NAMED = 5
"""of anything, where there is nothing to compare"""


def compare(
    a: str,
    b: str,
    *,
    results: Sequence[Path] = (Path("results"),),
    metric_names: Sequence[str] = (),
    alpha: float = 0.05,
    margin: float = 0.0,
    warn: Warn = warn_on_stderr,
) -> Comparison:
    """What changed from `a` to `b`.

    Args:
        a, b: before and after: a results folder, else the first digits of a commit.
        results: the folders in which the jobs of a commit are looked for.
        metric_names: the metrics compared; `lifetime_return` by default.
        alpha: level, for all metrics of all cells together, and again for all curves together.
        margin: a worsening counts from here on; in the unit of the metric, of which there must be one then.
        warn: called with a sentence for each file that was left out.

    Raises:
        RequestError: an unknown metric, a margin for several, a side that cannot be found, or nothing to compare.
        ResultsError: a file was written by a newer program.
    """
    chosen = {name: metrics.get(name) for name in dict.fromkeys(metric_names or (DEFAULT_METRIC,))}
    if margin and len(chosen) > 1:
        raise RequestError(
            "a margin is in the unit of one metric, and several are compared",
            hint="give one `--metric` with `--margin`",
        )
    before, after = load_sides(a, b, results, warn=warn)
    matched: list[Matched] = []
    absences: list[SideAbsence] = []
    for key in sorted(before.suites.keys() & after.suites.keys()):
        suite, scores = suite_of_both(before, after, key), scores_of_both(before, after, key)
        ours, theirs = cells_of(before, key), cells_of(after, key)
        both = [place for place in ours if place in theirs]
        matched += [match(CellName(*key, *place), ours[place], theirs[place], scores, suite) for place in both]
        for letter, here, own in (_A, ours, scores[0]), (_B, theirs, scores[1]):
            runs = [record for place in both for record in here[place]]
            absences += [SideAbsence(letter, *key, absence) for absence in absences_of(runs, own)]
    cells = decide(matched, list(chosen.values()), alpha, margin)
    if not any(cell.verdict == "failed" or any(change.n for change in cell.metrics) for cell in cells):
        raise _nothing(before, after, [reason for cell in cells for reason in cell.reasons])
    shared = {each.name for each in matched}
    only_a, only_b = (tuple(name for name in names_of(side) if name not in shared) for side in (before, after))
    return Comparison(
        a=_side(before, [record for each in matched for record in each.before]),
        b=_side(after, [record for each in matched for record in each.after]),
        alpha=alpha,
        margin=margin,
        metrics=tuple(chosen),
        cells=cells,
        only_a=only_a,
        only_b=only_b,
        absences=tuple(absences),
        method=_method(alpha, margin),
        reconstructed=tuple(sorted({name for each in matched for name in each.reconstructed})),
    )


def _side(side: Loaded, compared: Sequence[Record]) -> Side:
    notes = tuple(note for found in side.suites.values() for note in found.notes)
    return Side(side.name, provenance_of(side.records), notes, tuple(levels_of(compared)))


def _method(alpha: float, margin: float) -> str:
    beyond = f" by more than {margin:g}" if margin else ""
    return (
        f"worse: the metric is worse{beyond} by the sign-flip test of pairs of equal seeds (without common seeds by "
        f"permutation), at {alpha:g} after Holm over all cells and metrics; curves: the largest |mean difference| / "
        f"standard error over the evaluation points, signs of whole curves flipped, at {alpha:g} after Holm over all "
        "cells; identical cells are not tested; interval: the differences the test does not reject at the step of "
        "Holm's procedure that decides; cannot decide: whatever the differences were, so few seeds could not show one "
        "at that step"
    )


def _nothing(a: Loaded, b: Loaded, reasons: Sequence[str]) -> RequestError:
    """No cell is on both sides, or none can be compared."""
    if reasons:
        listed = _first_few(list(dict.fromkeys(reasons)), "reason", separator="; ")
        return RequestError(f"nothing to compare: {listed}", hint=_holds(a, b))
    return RequestError("nothing to compare: no algorithm on an environment is on both sides", hint=_holds(a, b))


def _holds(a: Loaded, b: Loaded) -> str:
    """What each side has, suite by suite, until five algorithms are named."""
    texts = []
    for letter, side in (_A, a), (_B, b):
        parts, left, more = [], _MOST_NAMED, 0
        for key in side.suites:
            places = cells_of(side, key)
            done = sum(bool(record.summary) for records in places.values() for record in records)
            environments = list(dict.fromkeys(environment for environment, _ in places))
            algorithms = list(dict.fromkeys(algorithm for _, algorithm in places))
            more += len(algorithms[left:])
            if left:
                parts.append(
                    f"suite {key[0]}, scale {key[1] or 'unknown'}: {', '.join(algorithms[:left])} on "
                    f"{_first_few(environments, 'environment')} ({counted(done, 'finished run')})"
                )
            left -= len(algorithms[:left])
        rest = [f"and {counted(more, 'more algorithm')}"] if more else []
        texts.append(f"{letter} ({side.name}) holds {'; '.join(parts + rest)}")
    return "\n      ".join(texts)


def _first_few(names: Sequence[str], noun: str, separator: str = ", ") -> str:
    """The first names, and how many more there are: a study has dozens of settings."""
    more = len(names) - _MOST_NAMED
    return separator.join(names[:_MOST_NAMED]) + (f" and {counted(more, f'more {noun}')}" if more > 0 else "")
