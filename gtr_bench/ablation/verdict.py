"""The sentence a study ends in: does the parameter need more tuning per task than the reference's?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gtr_bench.ablation.model import ResponseCurve, StudyRecords, TrialRecord, TuningVerdict
from gtr_bench.ablation.sensitivities import Compared
from gtr_bench.metrics.sensitivity import Plateau, Region, Sensitivity
from gtr_bench.report.text import SMOKE, number, p_value
from gtr_bench.wording import counted

__all__ = ["FEWEST_DECADES", "RULE", "Judgement", "judge", "region_text"]

FEWEST_DECADES = 0.5
"""A plateau this wide needs no tuning (protocols 15.1, kernel_ablation)."""
FEWEST_SEEDS = 8
"""With fewer only differences beyond half of all that scores differ by are found (docs/statistics.md)."""
_MEANING: dict[Region, str] = {
    "better on both": "tuned it scores no lower, and it is no more sensitive",
    "pays off": "it is more sensitive, and gains more than that",
    "cheaper": "tuned it scores lower, but by less than the sensitivity it saves",
    "worse": "with one setting for all tasks it scores lower",
}
RULE = (
    "no more tuning per task: the interval of the difference of sensitivities does not exceed 0, and no plateau is "
    f"known to be narrower than {FEWEST_DECADES:g} decades (where no value can be told from another, its width is "
    "unknown); more tuning: the interval lies above 0, and the plateau is known to be narrower or the extra "
    "sensitivity costs more than it gains; anything else is undecided. The interval decides: its error rates are in "
    "docs/statistics.md"
)


@dataclass(frozen=True)
class Judgement:
    """`headline`: YES, NO or UNDECIDED and why, in at most 15 words; `sentence`: the same with its numbers."""

    verdict: TuningVerdict
    headline: str
    sentence: str


def judge(
    records: StudyRecords, curve: ResponseCurve, usable: Sequence[TrialRecord], others: int, found: Compared
) -> Judgement:
    """The verdict by `RULE`; undecided at a smoke scale.

    Args:
        records: the study.
        curve: the response over all environments to the first parameter.
        usable: the settings with a score in every environment; others: how many of the reference have one.
        found: the sensitivities.
    """
    quoted = [f"`{axis.name}`" for axis in records.axes]
    names = " and ".join(part for part in (", ".join(quoted[:-1]), quoted[-1]) if part)
    if found.subject is None:
        sentence = f"no setting of {names} has a score in every environment yet"
        return Judgement("undecided", "UNDECIDED: no setting has a score in every environment yet", sentence)
    verdict, why = _decided(records, curve, (len(usable), others), found)
    verb = "need" if len(quoted) > 1 else "needs"
    need = {
        "no": f"{names} {verb} no more tuning per task here than {records.reference} does",
        "yes": f"{names} {verb} more tuning per task here than {records.reference} does",
        "undecided": f"whether {names} {verb} tuning per task is undecided here",
    }[verdict]
    smoke = f"{SMOKE}; " if records.smoke else ""
    parts = "; ".join(_parts(records, curve, (len(usable), others), found, found.subject))
    sentence = f"{smoke}{need}: {parts}; n = {_seeds(records, usable)}"
    return Judgement(verdict, f"{verdict.upper()}: {why}", sentence)


def _decided(
    records: StudyRecords, curve: ResponseCurve, counts: tuple[int, int], found: Compared
) -> tuple[TuningVerdict, str]:
    """The verdict, and why in at most 15 words; `counts` are the settings with all scores on either side."""
    ours, theirs, difference = records.algorithm, records.reference, found.difference
    n = difference.n if difference else 0
    if records.smoke:
        return "undecided", "this scale is too small beside the suite's full one for a claim"
    if len(records.environments) == 1:
        return "undecided", "one environment cannot show whether different tasks want different values"
    if found.reference is None or theirs is None:
        return "undecided", "there is no reference whose sensitivity it could be compared with"
    if counts[0] != counts[1]:
        # Sensitivity grows with the number of settings, so unequal numbers decide nothing.
        return "undecided", f"scores are missing: {counts[0]} settings of {ours}, {counts[1]} of {theirs}"
    if difference is None or difference.low is None or difference.high is None:
        return "undecided", "fewer than two seeds have all scores"
    flat = _plateau(records, curve)
    narrow = flat is not None and flat.told and flat.width < FEWEST_DECADES
    one = len(records.axes) == len(records.reference_axes) == 1
    subject = f"{records.axes[0].name} needs" if one else f"{ours} needs"
    rival = f"{theirs}'s {records.reference_axes[0].name}" if one else theirs
    if difference.high <= 0 and not narrow:
        return "no", f"{subject} no more tuning per task than {rival}, shown with {counted(n, 'seed')}"
    if difference.low > 0 and (narrow or found.where == "worse"):
        return "yes", f"{subject} more tuning per task than {rival}, shown with {counted(n, 'seed')}"
    if difference.high <= 0:
        return "undecided", f"less sensitive than {theirs}, but its plateau is under {FEWEST_DECADES:g} decades wide"
    if difference.low > 0:
        return "undecided", f"more sensitive than {theirs}, but tuned it gains more than that"
    few = f", and fewer than {FEWEST_SEEDS} hardly ever can" if n < FEWEST_SEEDS else ""
    return "undecided", f"{counted(n, 'seed')} cannot tell its sensitivity from {theirs}'s{few}"


def _plateau(records: StudyRecords, curve: ResponseCurve) -> Plateau | None:
    return curve.plateau if len(records.axes) == 1 and curve.axis.logarithmic else None


def _parts(
    records: StudyRecords, curve: ResponseCurve, counts: tuple[int, int], found: Compared, subject: Sensitivity
) -> Iterator[str]:
    """The numbers behind the verdict."""
    if found.reference is not None:
        yield _varied(records, *counts)
    flat = _plateau(records, curve)
    if flat is not None and not flat.told:
        yield (
            f"no value can be told from another (p = {p_value(flat.p)}), so the plateau is all that was tried, "
            f"{number(flat.low)} to {number(flat.high)}, and its true width is unknown"
        )
    elif flat is not None:
        top = curve.best(records.direction)
        # As `plateau` measures it: a share of a best score that is not positive, or a lowest one, would mean nothing.
        relative = records.direction == "higher" and top is not None and top.estimate.value > 0
        share = "the best" if relative else "their range from the best"
        yield (
            f"scores stay within 5 % of {share} from {number(flat.low)} to {number(flat.high)}, "
            f"{flat.width:.2f} decades{_edges(flat)}"
        )
    if len(records.environments) == 1:
        yield "with one environment it cannot be seen whether different tasks want different values"
    elif found.reference is None:
        yield "there is no reference whose sensitivity it could be compared with"
    else:
        interval, difference = "", found.difference
        if difference is not None and difference.low is not None and difference.high is not None:
            interval = f" (difference {number(difference.value)} [{number(difference.low)}, {number(difference.high)}])"
        place = f": {region_text(found.where)}" if found.where is not None else ""
        yield (
            f"{records.algorithm}'s sensitivity of {number(subject.value)} against {records.reference}'s "
            f"{number(found.reference.value)}{interval}{place}"
        )


def _varied(records: StudyRecords, own: int, others: int) -> str:
    """Which parameters vary on which side: a reader must see where they are not the same."""
    ours, theirs = (" and ".join(axis.name for axis in axes) for axes in (records.axes, records.reference_axes))
    counts = f"{own} settings each" if own == others else f"{own} and {others} settings"
    unequal = "" if len(records.axes) == len(records.reference_axes) else ", unequally many parameters"
    adaptive = f", {records.algorithm}'s alone chosen by results" if records.sampler == "tpe" else ""
    return f"{records.algorithm} varied {ours}, {records.reference} {theirs} ({counts}{unequal}{adaptive})"


def region_text(where: Region) -> str:
    """A region of the sensitivity-performance plane and what it means (protocols 14.1, point 4)."""
    return f"{where} ({_MEANING[where]})"


def _seeds(records: StudyRecords, usable: Sequence[TrialRecord]) -> str:
    """How many seeds are behind a score: `5 seeds`, `3 to 5 seeds` where jobs are missing."""
    counts = [len(trial.scores[name]) for trial in usable for name in records.environments]
    fewest = min(counts)
    return counted(fewest, "seed") if fewest == max(counts) else f"{fewest} to {max(counts)} seeds"


def _edges(flat: Plateau) -> str:
    if flat.touches_low_edge or flat.touches_high_edge:
        return " (up to the edge of what was searched, so perhaps wider)"
    return ""
