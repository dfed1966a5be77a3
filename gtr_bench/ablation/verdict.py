"""The sentence a study ends in: does the parameter need more tuning per task than the reference's?"""

from __future__ import annotations

from collections.abc import Sequence

from gtr_bench.ablation.model import ResponseCurve, StudyRecords, TrialRecord, TuningVerdict
from gtr_bench.metrics.interval import Estimate
from gtr_bench.metrics.sensitivity import Plateau, Region, Sensitivity
from gtr_bench.report.text import SMOKE, number
from gtr_bench.wording import counted

__all__ = ["FEWEST_DECADES", "RULE", "judge", "region_text"]

FEWEST_DECADES = 0.5
"""A plateau this wide needs no tuning (protocols 15.1, kernel_ablation)."""
_MEANING: dict[Region, str] = {
    "better on both": "tuned it scores no lower, and it is no more sensitive",
    "pays off": "it is more sensitive, and gains more than that",
    "cheaper": "tuned it scores lower, but by less than the sensitivity it saves",
    "worse": "with one setting for all tasks it scores lower",
}
RULE = (
    f"no more tuning per task: the plateau, where one is measured, is at least {FEWEST_DECADES:g} decades wide, and "
    "the interval of the difference of sensitivities does not exceed 0; more tuning: it lies above 0, and the plateau "
    "is narrower or the extra sensitivity costs more than it gains; anything else is undecided. The interval decides, "
    "and is wrong in at most 2.5 % of studies on either side; the plateau is described without one"
)


def judge(
    records: StudyRecords,
    curve: ResponseCurve,
    usable: Sequence[TrialRecord],
    others: int,
    subject: Sensitivity | None,
    reference: Sensitivity | None,
    where: Region | None,
    difference: Estimate | None,
) -> tuple[TuningVerdict, str]:
    """The verdict by `RULE`, and the sentence with its numbers; undecided at a smoke scale.

    Args:
        records: the study.
        curve: the response over all environments to the first parameter.
        usable: the settings with a score in every environment; others: how many of the reference have one.
        subject, reference, where: sensitivities, and the region of the plane.
        difference: of the sensitivities, with its interval; None where there are too few seeds.
    """
    quoted = [f"`{axis.name}`" for axis in records.axes]
    names = " and ".join(part for part in (", ".join(quoted[:-1]), quoted[-1]) if part)
    if subject is None:
        return "undecided", f"no setting of {names} has a score in every environment yet"
    parts = []
    flat = curve.plateau if len(records.axes) == 1 and curve.axis.logarithmic else None
    if flat is not None:
        top = curve.best(records.direction)
        # As `plateau` measures it: a share of a best score that is not positive, or a lowest one, would mean nothing.
        relative = records.direction == "higher" and top is not None and top.estimate.value > 0
        share = "the best" if relative else "their range from the best"
        parts.append(
            f"scores stay within 5 % of {share} from {number(flat.low)} to {number(flat.high)}, "
            f"{flat.width:.2f} decades{_edges(flat)}"
        )
    wide = None if flat is None else flat.width >= FEWEST_DECADES
    more: bool | None = None
    if len(records.environments) == 1:
        parts.append("with one environment it cannot be seen whether different tasks want different values")
    elif reference is not None:
        interval = ""
        if difference is not None and difference.low is not None and difference.high is not None:
            # Sensitivity grows with the number of settings, so unequal numbers decide nothing.
            if len(usable) == others:
                more = True if difference.low > 0 else False if difference.high <= 0 else None
            interval = f" (difference {number(difference.value)} [{number(difference.low)}, {number(difference.high)}])"
        parts.append(
            f"{records.algorithm}'s sensitivity of {number(subject.value)} against {records.reference}'s "
            f"{number(reference.value)}{interval}" + (f": {region_text(where)}" if where is not None else "")
        )
    else:
        parts.append("there is no reference whose sensitivity it could be compared with")
    verdict = "undecided" if records.smoke else _needs_tuning(wide, more, where)
    verb = "need" if len(quoted) > 1 else "needs"
    need = {
        "no": f"{names} {verb} no more tuning per task here than {records.reference} does",
        "yes": f"{names} {verb} more tuning per task here than {records.reference} does",
        "undecided": f"whether {names} {verb} tuning per task is undecided here",
    }[verdict]
    smoke = f"{SMOKE}; " if records.smoke else ""
    return verdict, f"{smoke}{need}: {'; '.join(parts)}; n = {_seeds(records, usable)}"


def region_text(where: Region) -> str:
    """A region of the sensitivity-performance plane and what it means (protocols 14.1, point 4)."""
    return f"{where} ({_MEANING[where]})"


def _seeds(records: StudyRecords, usable: Sequence[TrialRecord]) -> str:
    """How many seeds are behind a score: `5 seeds`, `3 to 5 seeds` where jobs are missing."""
    counts = [len(trial.scores[name]) for trial in usable for name in records.environments]
    fewest = min(counts)
    return counted(fewest, "seed") if fewest == max(counts) else f"{fewest} to {max(counts)} seeds"


def _needs_tuning(wide: bool | None, more: bool | None, where: Region | None) -> TuningVerdict:
    """The rule of `RULE`.

    Args:
        wide: whether the plateau is at least `FEWEST_DECADES` wide; None where there is none to measure.
        more: whether the sensitivity exceeds the reference's by the interval; None where that covers 0 or is not known.
        where: the region of the plane.
    """
    if more is False and wide is not False:
        return "no"
    if more is True and (where == "worse" or wide is False):
        return "yes"
    return "undecided"


def _edges(flat: Plateau) -> str:
    if flat.touches_low_edge or flat.touches_high_edge:
        return " (up to the edge of what was searched, so perhaps wider)"
    return ""
