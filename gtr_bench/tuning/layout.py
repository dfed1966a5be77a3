"""What `gtr-bench tune` prints: a row per algorithm, and every trial that did not end well."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator

from gtr_bench.ablation.wording import setting_text
from gtr_bench.report import text
from gtr_bench.report.blocks import NUMERIC, Block, Heading, Lines, grid
from gtr_bench.tuning.model import AlgorithmTuning, Trial, Tuning
from gtr_bench.tuning.spaces import range_text
from gtr_bench.wording import counted

__all__ = ["FORMAT", "facts", "tuning_blocks", "tuning_json"]

FORMAT = 1
"""Of the JSON; raised when a key changes its meaning or disappears, not for a new key."""
HEADER = ("algorithm", "chosen", "score", "suite's own values", "their score", "trials", "jobs diverged", "jobs failed")
NUMBERS = NUMERIC | {"score", "their score", "trials", "jobs diverged", "jobs failed"}


def tuning_blocks(tuning: Tuning, written: str | None) -> Iterator[Block]:
    """Everything a tuning's table shows, from first to last; `written` is the tuned suite's file."""
    yield Heading(1, f"tuning {tuning.name}: {tuning.suite}, scale {tuning.scale}")
    if tuning.smoke:
        yield Lines((text.SMOKE,), "warning")
    yield Lines(tuple(facts(tuning)))
    yield grid("", HEADER, [_row(tuning, each) for each in tuning.algorithms], numeric=NUMBERS)
    ended = tuple(line for each in tuning.algorithms for trial in each.trials for line in _trouble(each, trial))
    if ended:
        yield Lines(ended, "warning")
    yield Lines(tuple(_notes(tuning, written)), "note")


def facts(tuning: Tuning) -> Iterator[str]:
    """How it was done."""
    unit = f" as {tuning.unit}" if tuning.unit else ""
    yield (
        f"{counted(tuning.budget, 'trial')} per algorithm by {tuning.sampler}, on seeds {text.ranges(tuning.seeds)}; "
        f"{tuning.metric}{unit}, {tuning.direction} is better"
    )
    yield "phases trained: " + ", ".join(
        f"{name} {trained} of {whole}" for name, (trained, whole) in tuning.phases.items()
    )
    for each in tuning.algorithms:
        yield f"{each.algorithm} searched {', '.join(f'{axis.name} in {range_text(axis)}' for axis in each.axes)}"


def tuning_json(tuning: Tuning, written: str | None) -> str:
    """The tuning as JSON: all trials with unrounded scores; `out` is the tuned suite, null where none was written."""
    found = dataclasses.asdict(tuning)
    for each, plain in zip(tuning.algorithms, found["algorithms"], strict=True):
        own = each.suites_own
        plain["ranges"] = {axis.name: range_text(axis) for axis in each.axes}
        plain["suites_own"] = None if own is None else own.number
        plain["best"] = None if each.best is None else each.best.number
        del plain["axes"]
    content = {"format": FORMAT, **found, "missing": tuning.missing, "complete": tuning.complete, "out": written}
    return json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False) + "\n"


def _row(tuning: Tuning, each: AlgorithmTuning) -> list[str]:
    own = each.suites_own
    mark = f" {text.RECONSTRUCTION_MARK}" if each.algorithm in tuning.reconstructions else ""
    return [
        f"{each.algorithm}{mark}",
        text.ABSENT if each.best is None else setting_text(each.best.setting),
        _score(each.best),
        text.ABSENT if own is None else setting_text(own.setting),
        _score(own),
        str(len(each.trials)),
        str(each.jobs("diverged")),
        str(each.jobs("failed")),
    ]


def _score(trial: Trial | None) -> str:
    return text.ABSENT if trial is None or trial.score is None else text.number(trial.score)


def _trouble(each: AlgorithmTuning, trial: Trial) -> Iterator[str]:
    """A trial with jobs that diverged or failed: they count the worst."""
    parts = [f"{count} {state}" for state, count in (("diverged", trial.diverged), ("failed", trial.failed)) if count]
    if parts:
        yield (
            f"{each.algorithm}, trial {trial.number} ({setting_text(trial.setting)}): {' and '.join(parts)} of its "
            "jobs, which count the worst"
        )


def _notes(tuning: Tuning, written: str | None) -> Iterator[str]:
    if tuning.reconstructions:
        yield f"{text.RECONSTRUCTION_MARK} {text.reconstruction_line(tuning.reconstructions.values())}"
    yield "the best of many trials looks better than it is: the tuned suite's own seeds confirm it"
    if tuning.missing:
        yield f"no suite written: {counted(tuning.missing, 'job')} left"
    for each in tuning.algorithms:
        if each.best is None and not tuning.missing:
            yield f"no suite written: no trial of {each.algorithm} has a score"
    if written is not None:
        yield f"written: {written}"
