"""Which settings of a study never left GTR's kernel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gtr_bench.ablation.model import ResponseCurve, StudyRecords, TrialRecord, Value
from gtr_bench.ablation.wording import setting_text
from gtr_bench.metrics.sensitivity import Plateau
from gtr_bench.report.mechanism import ESCAPE, LEAST_ESCAPE, never_left
from gtr_bench.wording import counted

__all__ = ["kernel_lines"]


def kernel_lines(records: StudyRecords, usable: Sequence[TrialRecord], curve: ResponseCurve) -> Iterator[str]:
    """Where no run left the kernel, so that what is said of GTR's width is true of what it is within."""
    unleft = [trial for trial in usable if trial.kernel_left is False]
    if not unleft:
        return
    share = f"({ESCAPE} below {100 * LEAST_ESCAPE:g} % in every iteration of every run)"
    if len(unleft) == len(usable):
        yield f"in all {counted(len(usable), 'setting')} {_sentence(unleft)} {share}"
        return
    flat, name = curve.plateau, curve.axis.name
    inside = [t for t in usable if flat and curve.axis.places(t.setting[name]) and _between(flat, t.setting[name])]
    if inside and all(trial.kernel_left is False for trial in inside):
        yield f"on the whole plateau {_sentence(inside)} {share}"
    numeric = len(records.axes) == 1 and curve.axis.numeric
    listed = sorted(unleft, key=lambda t: float(t.setting[name])) if numeric else unleft
    settings = "; ".join(setting_text(trial.setting) for trial in listed)
    yield f"{counted(len(unleft), 'setting')} in which {_sentence(unleft)} {share}: {settings}"


def _sentence(trials: Sequence[TrialRecord]) -> str:
    return never_left(trial.within_kernel for trial in trials)


def _between(flat: Plateau, value: Value) -> bool:
    return flat.low <= float(value) <= flat.high
