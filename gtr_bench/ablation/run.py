"""Train a study's settings and collect what came out.

The settings of a batch are jobs of one suite, so scalar parameters train in cohorts, and a rerun trains only what is
missing. Nothing is pruned: settings of a cohort train in lock-step, so stopping one of them would save next to nothing.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gtr_bench.ablation.model import Axis, Setting, StudyRecords, TrialRecord
from gtr_bench.ablation.sampling import SAMPLER_SEED, rows
from gtr_bench.ablation.space import axis_of
from gtr_bench.ablation.study import OpenStudy
from gtr_bench.ablation.trials import SuiteTemplate, study_tables
from gtr_bench.algorithms.registry import algorithms
from gtr_bench.errors import GtrBenchError, RequestError
from gtr_bench.files import replace_file
from gtr_bench.metrics.registry import metrics
from gtr_bench.names import file_name
from gtr_bench.report.attributes import those_with
from gtr_bench.report.collect import Record, collect
from gtr_bench.report.iterations import Iterations
from gtr_bench.report.mechanism import ESCAPE, kernel_left, most_escape, within_kernel
from gtr_bench.report.scores import Scores, load_evaluations, scores_of
from gtr_bench.report.values import NORMALISED, Unit, score_in, unit_of
from gtr_bench.store.reader import Warn
from gtr_bench.suite.expand import Suite
from gtr_bench.suite.identity import canonical_json
from gtr_bench.suite.plasticity import models_of

__all__ = ["REFERENCE", "Request", "Sampler", "Train", "run_study"]

REFERENCE = "ppo"
REFERENCE_PARAMETERS = ("clip_range", "learning_rate", "entropy_coefficient", "gae_lambda")
"""What the reference varies beside the parameters both have, in this order: its own trust region's width first, then
what Adkins, Bowling and White vary (learning rates, entropy coefficient, lambda)."""
Sampler = Literal["grid", "qmc", "tpe", "random"]
Train = Callable[[Suite], None]
"""Trains what is missing of a suite."""


@dataclass(frozen=True)
class Request:
    """What a user asks of a study."""

    template: SuiteTemplate
    algorithm: str
    parameters: tuple[str, ...]
    ranges: dict[str, str]
    trials: int
    batch: int
    sampler: Sampler
    seeds: tuple[int, ...]
    tune_fraction: float
    reference: bool
    name: str | None = None

    def axes(self) -> list[Axis]:
        """The axes of the subject. Raises RequestError for a parameter or range that does not exist."""
        strangers = set(self.ranges) - set(self.parameters)
        if strangers:
            raise RequestError(f"`--range` names `{min(strangers)}`, which is no `--param`")
        return _axes(self.template, self.algorithm, self.parameters, self.ranges)

    def reference_axes(self) -> list[Axis]:
        """The axes of the algorithm the sensitivity is compared with; none when that is the subject itself.

        As many as the subject's, as T - X grows with what is varied: the parameters both have, over the same ranges,
        and in the places of the others the first of `REFERENCE_PARAMETERS` that are left.
        """
        if not self.reference or self.algorithm == REFERENCE:
            return []
        known = algorithms.get(self.template.registered(REFERENCE)).Parameters.model_fields
        shared = [name for name in self.parameters if name in known]
        own = [name for name in REFERENCE_PARAMETERS if name not in shared][: len(self.parameters) - len(shared)]
        ranges = {name: self.ranges[name] for name in shared if name in self.ranges}
        return _axes(self.template, REFERENCE, (*shared, *own), ranges)

    def settings(self) -> list[Setting]:
        """What is tried where that does not depend on results. Raises RequestError for too many."""
        return rows(self.axes(), self.sampler, self.trials)

    def reference_settings(self, count: int) -> list[Setting]:
        """As many settings of the reference as the subject has, chosen in the same way where that gives so many."""
        axes = self.reference_axes()
        if not axes:
            return []
        if self.sampler == "grid":
            found = rows(axes, "grid", count if len(axes) == 1 else self.trials)
            if len(found) == count:
                return found
        return rows(axes, "random" if self.sampler == "random" else "qmc", count)


def run_study(request: Request, results: Path, train: Train, *, warn: Warn) -> StudyRecords:
    """Ask, train and tell until the study has its trials.

    Args:
        request: the study.
        results: the results folder.
        train: trains a suite's missing jobs; may leave some, which are then counted as missing.
        warn: called with a sentence for each file that was left out.

    Raises:
        RequestError: the study cannot be opened, or belongs to another request.
        SuiteError: a setting the algorithm refuses.
    """
    axes, other_axes = request.axes(), request.reference_axes()
    identity = _identity(request, axes, other_axes)
    name = request.name or _default_name(request, identity)
    folder = results / "studies" / name
    fresh = not folder.exists()
    study = OpenStudy(folder, name, axes, identity)
    trained: list[Suite] = []

    def noted(suite: Suite) -> None:
        train(suite)
        trained.append(suite)

    try:
        if request.sampler == "tpe":
            first = [{axis.name: axis.stated for axis in axes if axis.stated is not None}]
            wanted = min(request.batch, request.trials)
            while True:
                asked = study.adaptive(wanted, first if len(first[0]) == len(axes) else [])
                records = _batch(request, axes, other_axes, asked, folder, results, name, noted, study, warn)
                if wanted >= request.trials:
                    return records
                wanted = min(wanted + request.batch, request.trials)
        settings = request.settings()
        asked = list(zip(study.pre_sampled(settings), settings, strict=True))
        return _batch(request, axes, other_axes, asked, folder, results, name, noted, study, warn)
    except GtrBenchError:
        if fresh and not trained:
            # Refused after all, such as for a device that is not there: we made the folder and still hold its lock.
            shutil.rmtree(folder)
        raise
    finally:
        study.close()


def _batch(
    request: Request,
    axes: Sequence[Axis],
    other_axes: Sequence[Axis],
    asked: Sequence[tuple[int, Setting]],
    folder: Path,
    results: Path,
    name: str,
    train: Train,
    study: OpenStudy,
    warn: Warn,
) -> StudyRecords:
    """Train the settings asked for so far, and as many of the reference's; tell the study what came out."""
    unique = {canonical_json(dict(setting)): setting for _, setting in asked}
    others = request.reference_settings(len(unique))
    suite = _write_suite(request, list(unique.values()), others, folder, name)
    train(suite)
    (found,) = collect([results], str(folder / "suite.toml"), warn=warn)
    scores = scores_of(found, load_evaluations(found.records, warn=warn))
    metric = metrics.get(request.template.metric)
    environments = tuple(world.id for world in suite.worlds)
    unit = unit_of(metric, environments, scores)
    if unit is None:
        raise RequestError(f"`{request.template.metric}` of different sequences cannot be compared without `normalise`")
    if unit == "return" and all(environment in scores.normalise for environment in environments):
        unit = NORMALISED
    iterations = Iterations((ESCAPE,), warn)
    escapes = {job: most_escape(found) for job, found in iterations.of(found.records).items()}
    reader = _Reader(found.records, scores, request.template.metric, unit, environments, escapes)
    subjects = dict(zip(unique, suite.algorithms, strict=False))
    trials = [reader.trial(n, request.algorithm, subjects[key], unique[key]) for n, key in enumerate(unique)]
    labels = suite.algorithms[len(unique) :]
    references = [
        reader.trial(n, REFERENCE, label, setting)
        for n, (label, setting) in enumerate(zip(labels, others, strict=True))
    ]
    by_key = dict(zip(unique, trials, strict=True))
    sign = -1.0 if request.template.direction == "lower" else 1.0
    for number, setting in asked:
        value = objective(by_key[canonical_json(dict(setting))], environments)
        study.tell(number, None if value is None else sign * value)
    registered = request.template.registered(request.algorithm)
    return StudyRecords(
        name=name,
        suite=request.template.suite.name,
        scale=request.template.suite.scale,
        algorithm=request.algorithm,
        reconstruction=bool(those_with("reconstruction", [registered])),
        metric=request.template.metric,
        direction=request.template.direction,
        unit=unit,
        environments=environments,
        seeds=request.seeds,
        sampler=request.sampler,
        sampler_seed=SAMPLER_SEED,
        tune_fraction=request.tune_fraction,
        registered=registered,
        smoke=request.template.suite.smoke,
        axes=tuple(axes),
        trials=tuple(trials),
        reference=REFERENCE if references else None,
        reference_axes=tuple(other_axes),
        reference_trials=tuple(references),
    )


def objective(trial: TrialRecord, environments: Sequence[str]) -> float | None:
    """Mean over environments of the mean over seeds; None when an environment has no value."""
    groups = [list(trial.scores.get(name, {}).values()) for name in environments]
    return sum(sum(group) / len(group) for group in groups) / len(groups) if all(groups) else None


@dataclass(frozen=True)
class _Reader:
    records: Sequence[Record]
    scores: Scores
    metric: str
    unit: Unit
    environments: Sequence[str]
    escapes: Mapping[str, float]

    def trial(self, number: int, algorithm: str, label: str, setting: Setting) -> TrialRecord:
        """What became of one setting."""
        own = [record for record in self.records if record.algorithm == label and record.role == "run"]
        values: dict[str, dict[int, float]] = {name: {} for name in self.environments}
        for record in own:
            score = score_in(self.unit, record, metrics.get(self.metric), self.scores)
            if score is not None and score.defined:
                values[record.sequence][record.seed] = score.value
        return TrialRecord(
            number=number,
            algorithm=algorithm,
            label=label,
            setting=setting,
            scores=values,
            diverged=sum(record.state == "diverged" for record in own),
            failed=sum(record.state == "failed" for record in own),
            missing=sum(record.state == "missing" for record in own),
            jobs=tuple(sorted(record.job for record in own if record.summary)),
            kernel_left=kernel_left(own, self.escapes),
            within_kernel=within_kernel(own),
        )


def _write_suite(
    request: Request, settings: Sequence[Setting], others: Sequence[Setting], folder: Path, name: str
) -> Suite:
    path = folder / "suite.toml"
    subject = ", ".join(f"`{parameter}`" for parameter in request.parameters)
    suite = request.template.suite_of(
        study_tables(request.template, request.algorithm, settings, REFERENCE if others else None, others),
        name=name,
        path=path,
        seeds=request.seeds,
        tune_fraction=request.tune_fraction,
        suite={
            "question": f"How much does {request.algorithm} depend on {subject}?",
        },
    )
    content = suite.text.encode()
    replace_file(path, lambda file: file.write(content))
    return suite


def _axes(template: SuiteTemplate, algorithm: str, names: Sequence[str], ranges: dict[str, str]) -> list[Axis]:
    stated = template.stated(algorithm)
    kind = algorithms.get(template.registered(algorithm))
    add_ons = models_of(template.table(algorithm).get("plasticity", ()))
    return [axis_of(kind.Parameters, name, ranges.get(name), stated, add_ons, algorithm=algorithm) for name in names]


def _identity(request: Request, axes: Sequence[Axis], other_axes: Sequence[Axis]) -> dict[str, object]:
    """What makes two requests the same study; with a sampler whose settings are prefixes, not how many there are."""
    base = request.template.suite_of(
        [request.template.table(request.algorithm)],
        name="identity",
        seeds=request.seeds,
        tune_fraction=request.tune_fraction,
    )
    return {
        "worlds": hashlib.sha256(
            "\n".join(canonical_json(cell.definition) for cell in base.cells).encode()
        ).hexdigest(),
        "algorithm": request.algorithm,
        "axes": [repr(axis) for axis in axes],
        "reference": [repr(axis) for axis in other_axes],
        "seeds": list(request.seeds),
        "metric": request.template.metric,
        "sampler": request.sampler,
        "trials": request.trials if request.sampler == "grid" else None,
    }


def _default_name(request: Request, identity: dict[str, object]) -> str:
    digest = hashlib.sha256(canonical_json(identity).encode()).hexdigest()[:8]
    words = re.sub(r"[^A-Za-z0-9_.-]+", "-", "-".join((request.algorithm, *request.parameters)))[:60]
    return file_name(f"{words}-{digest}")
