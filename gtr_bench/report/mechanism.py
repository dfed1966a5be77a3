"""Does a return gain come with the mechanism the paper names, a policy that moves more directly after a shift?

For every shift two windows of `WINDOW` iterations are compared: the last ones of the phase before, and the first ones
of the phase after. `path_efficiency` and `path_length` are themselves taken over such a window, so one row of a file
says it all; `escape_fraction` and `exact_kl` are averaged over the window. Source: gtr.md 6, protocols 15.1 (end).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from gtr_bench.metrics.decision import Decision, Question, decide
from gtr_bench.metrics.interval import student
from gtr_bench.report.collect import Record
from gtr_bench.report.columns import Columns
from gtr_bench.report.iterations import Iterations
from gtr_bench.report.model import Difference, Interval
from gtr_bench.report.text import bracketed, p_value
from gtr_bench.report.values import SeedValues, joint, pairs
from gtr_bench.suite.bars import rival_of

__all__ = [
    "ESCAPE",
    "LEAST_ESCAPE",
    "QUANTITIES",
    "WINDOW",
    "Mechanism",
    "MechanismRow",
    "Windows",
    "kernel_left",
    "mechanism_of",
    "most_escape",
    "never_left",
    "shifted",
    "shifts",
    "windows",
    "within_kernel",
]

WINDOW = 16
"""Iterations before and after a shift: the window of `path_efficiency` (gtr.md 6)."""
_BACK = np.arange(WINDOW, 0, -1)

ESCAPE = "escape_fraction"
QUANTITIES = ("path_efficiency", "path_length", ESCAPE, "exact_kl")
LEAST_ESCAPE = 0.01
"""A run in which fewer samples than this are beyond the kernel in every iteration did not test what GTR does there."""
NEVER_LEFT = "the kernel was never left"
_WITHIN = {
    "saturating": "a plain KL penalty",
    "gated_divergence": "a plain KL penalty",
    "gated_surrogate": "its surrogate alone",
    "gated_spo": "SPO",
}
"""What each of GTR's forms is within its kernel: the limit of a wide one (gtr.md 4)."""

_OVER_A_WINDOW = frozenset({"path_efficiency", "path_length"})

Windows: TypeAlias = Mapping[str, tuple[float, float]]
"""quantity -> a job's mean over its shifts before and after them; NaN where not defined."""


@dataclass(frozen=True)
class MechanismRow:
    """One diagnostic of one algorithm in one environment, in a window before and a window after every shift.

    Seeds are the unit; a seed's value is the mean over its shifts. `difference`: `after`, minus the baseline's, paired.
    """

    environment: str
    algorithm: str
    quantity: str
    before: Interval | None
    after: Interval | None
    difference: Difference | None
    jobs: tuple[str, ...]


@dataclass(frozen=True)
class Mechanism:
    """Does a return gain come with the mechanism the paper names? `sentences` answer, one per algorithm asked about."""

    window: int
    rows: tuple[MechanismRow, ...]
    sentences: tuple[str, ...]
    notes: tuple[str, ...]


def shifted(runs: Sequence[Record]) -> list[Record]:
    """The finished ones that have met a shift."""
    return [each for each in runs if each.summary and len(each.definition["sequence"]["phases"]) > 1]


def shifts(phases: NDArray[np.int64]) -> list[tuple[int, int]]:
    """(row before which the window before it ends, row after the window after it) of every shift that counts.

    A shift counts if both its phases are long enough; `phases` [n] are those of a job's iterations, sorted.
    """
    count = int(phases.max(initial=-1)) + 1
    starts, ends = (np.searchsorted(phases, np.arange(count), side=side) for side in ("left", "right"))
    long = [phase for phase in range(1, count) if np.all((ends - starts)[phase - 1 : phase + 1] >= WINDOW)]
    return [(int(ends[phase - 1]), int(starts[phase]) + WINDOW) for phase in long]


def windows(rows: Columns) -> Windows:
    """The windows of one job's iterations, sorted by `iteration`."""
    found = shifts(rows["phase"])
    before, after = [ends for ends, _ in found], [ends for _, ends in found]
    values = np.stack([rows[name] for name in QUANTITIES])
    return dict(zip(QUANTITIES, zip(_mean(values, before), _mean(values, after), strict=True), strict=True))


def _mean(values: NDArray[np.float32], ends: Sequence[int]) -> list[float]:
    """Mean over the windows that end before the rows `ends`, of every quantity: values are [quantities, rows]."""
    if not ends:
        return [np.nan] * len(QUANTITIES)
    # The files hold single precision; sums are taken in double.
    places = np.asarray(ends)
    seen = values[:, places[:, np.newaxis] - _BACK].mean(axis=2, dtype=np.float64)
    averaged = np.ascontiguousarray(seen.T).mean(axis=0)
    last = values[:, places - 1].mean(axis=1, dtype=np.float64)
    return [float(last[i] if name in _OVER_A_WINDOW else averaged[i]) for i, name in enumerate(QUANTITIES)]


def most_escape(rows: Columns) -> float:
    """The largest `escape_fraction` of a job's iterations; NaN where it logs none."""
    values = rows[ESCAPE]
    return float(np.fmax.reduce(values, initial=np.nan)) if len(values) else np.nan


def kernel_left(records: Sequence[Record], escapes: Mapping[str, float]) -> bool | None:
    """Whether the kernel was left in any iteration of any finished run.

    Args:
        records: runs; those without a kernel (`kernel = "none"` is the plain penalty) say nothing.
        escapes: `most_escape` by job.

    Returns:
        None where nothing is known: no run with a kernel has ended and logged `escape_fraction`.
    """
    found = [
        escapes.get(record.job, np.nan)
        for record in records
        if record.summary and record.definition["algorithm"]["parameters"].get("kernel", "none") != "none"
    ]
    known = [each for each in found if np.isfinite(each)]
    return max(known) >= LEAST_ESCAPE if known else None


def never_left(within: Iterable[str]) -> str:
    """That some runs never left the kernel, and where they agree on it, what GTR then was (`within_kernel`)."""
    names = set(within)
    (name,) = names if len(names) == 1 else ("",)
    return f"{NEVER_LEFT}: GTR acted as {name}" if name else NEVER_LEFT


def within_kernel(records: Sequence[Record]) -> str:
    """What these runs of GTR are while they do not leave the kernel; empty where they differ or nobody knows."""
    forms = {record.definition["algorithm"]["parameters"].get("form", "saturating") for record in records}
    names = {_WITHIN.get(form, "") for form in forms}
    return names.pop() if len(names) == 1 else ""


def _never_left(runs: Sequence[Record], algorithms: Sequence[str], escapes: Mapping[str, float]) -> list[str]:
    """A sentence per algorithm none of whose runs left the kernel."""
    sentences = []
    for label in algorithms:
        own = [record for record in runs if record.algorithm == label]
        if kernel_left(own, escapes) is False:
            count = sum(np.isfinite(escapes.get(record.job, np.nan)) for record in own)
            what = never_left([within_kernel(own)])
            sentences.append(
                f"{label}: {what} ({ESCAPE} below {100 * LEAST_ESCAPE:g} % in every iteration of "
                f"{'its run' if count == 1 else 'both runs' if count == 2 else f'all {count} runs'})"
            )
    return sentences


def mechanism_of(
    runs: Sequence[Record],
    iterations: Iterations,
    algorithms: Sequence[str],
    subjects: Sequence[str],
    baseline: str | None,
    returns: SeedValues | None,
    alpha: float,
) -> Mechanism | None:
    """The diagnostics around shifts and the sentence on them; None where no finished job has met a shift.

    Args:
        runs: records of one suite, references excluded.
        iterations: with the columns `QUANTITIES`.
        algorithms: labels in the order they are shown.
        subjects: the labels the sentence is about (GTR's).
        baseline: what they are compared with, a label or `suite.bars.PREVIOUS`.
        returns: `lifetime_return` in a unit in which the environments compare; None where there is none.
        alpha: level of the tests.

    Raises:
        ResultsError: a file was written by a newer program.
    """
    measured = shifted(runs)
    if not measured:
        return None
    read = iterations.of(measured)
    found = {job: windows(rows) for job, rows in read.items()}
    unleft = _never_left(measured, algorithms, {job: most_escape(rows) for job, rows in read.items()})
    environments = list(dict.fromkeys(record.sequence for record in measured))
    after = {name: _values(measured, found, name, place=1) for name in QUANTITIES}
    before = {name: _values(measured, found, name, place=0) for name in QUANTITIES}
    rivals = {label: rival_of(baseline, label, algorithms) for label in algorithms}
    rows = tuple(
        row
        for environment in environments
        for quantity in QUANTITIES
        for algorithm in algorithms
        if (
            row := _row(
                environment, algorithm, quantity, before[quantity], after[quantity], rivals[algorithm], measured
            )
        )
    )
    if not rows:
        return Mechanism(WINDOW, (), tuple(unleft), (f"no phase has the {WINDOW} iterations a window needs",))
    path = after["path_efficiency"]
    asked = {label: rival for label in subjects if (rival := rivals.get(label)) is not None}
    sentences = _sentences(asked, environments, returns, path, alpha, together=joint(measured))
    short = len({record.job for record in measured}) - sum(np.isfinite(each["exact_kl"][1]) for each in found.values())
    notes = [f"{short} jobs without two phases of {WINDOW} iterations left out"] if short else []
    return Mechanism(WINDOW, rows, (*sentences, *unleft), tuple(notes))


def _values(records: Sequence[Record], found: Mapping[str, Windows], quantity: str, *, place: int) -> SeedValues:
    values: dict[str, dict[str, dict[int, float]]] = {}
    for record in records:
        value = found[record.job][quantity][place] if record.job in found else np.nan
        if np.isfinite(value):
            values.setdefault(record.sequence, {}).setdefault(record.algorithm, {})[record.seed] = value
    return values


def _row(
    environment: str,
    algorithm: str,
    quantity: str,
    before: SeedValues,
    after: SeedValues,
    baseline: str | None,
    records: Sequence[Record],
) -> MechanismRow | None:
    here, earlier = after.get(environment, {}), before.get(environment, {})
    own = here.get(algorithm, {})
    if not own:
        return None
    theirs = here.get(baseline or "", {})
    differences = [value - theirs[seed] for seed, value in own.items() if seed in theirs]
    change = _interval(differences)
    return MechanismRow(
        environment,
        algorithm,
        quantity,
        _interval(list(earlier.get(algorithm, {}).values())),
        _interval(list(own.values())),
        Difference(baseline or "", change.value, change.low, change.high, change.n) if change else None,
        tuple(r.job for r in records if (r.sequence, r.algorithm) == (environment, algorithm) and r.seed in own),
    )


def _interval(values: Sequence[float]) -> Interval | None:
    if not values:
        return None
    # Hundreds of intervals, none of which decides anything.
    found = student(values)
    return Interval(found.value, found.low, found.high, found.n)


def _sentences(
    subjects: Mapping[str, str],
    environments: Sequence[str],
    returns: SeedValues | None,
    path: SeedValues,
    alpha: float,
    *,
    together: bool = False,
) -> list[str]:
    """The stated rule: a gain counts as explained only if return and path_efficiency are both higher, by the test.

    `subjects`: label -> what it is compared with; `together`: seeds share randomness between environments.
    """
    questions = [
        Question(
            f"{quantity} {label}", pairs(values, label, rival, environments), "higher", alpha=alpha, joint=together
        )
        for label, rival in subjects.items()
        for quantity, values in (("return", returns), ("path", path))
        if values is not None and all({label, rival} <= set(values.get(name, {})) for name in environments)
    ]
    found = {each.id: each for each in decide(questions)}
    return [
        _sentence(label, rival, found.get(f"return {label}"), found.get(f"path {label}"))
        for label, rival in subjects.items()
    ]


def _sentence(label: str, baseline: str, gain: Decision | None, path: Decision | None) -> str:
    if gain is None or path is None:
        absent = "lifetime_return" if gain is None else "path_efficiency"
        return f"{label}: nothing can be said, {absent} is not defined in every environment for it and {baseline}"
    ours = f"lifetime_return {_size(gain)}, path_efficiency after shifts {_size(path)}; {label} - {baseline}"
    if gain.verdict != "supported":
        lost = "its return is lower" if gain.verdict == "refuted" else "no gain in return is shown"
        return f"{label}: {lost}, so there is no gain for the mechanism to explain ({ours})"
    if path.verdict == "supported":
        return f"{label}: the gain in return comes with the mechanism the paper names, higher path_efficiency ({ours})"
    lower = "lower" if path.verdict == "refuted" else "not shown to be higher"
    return f"{label}: the return is higher, but path_efficiency is {lower}: the mechanism is unsupported ({ours})"


def _size(decision: Decision) -> str:
    """`0.03 [0.01, 0.05], p = 0.01` with Holm's p; what a decision does not have is left out."""
    effect = bracketed(decision.effect, decision.low, decision.high) if decision.effect is not None else "undefined"
    return effect + ("" if decision.p_adjusted is None else f", p = {p_value(decision.p_adjusted)}")
