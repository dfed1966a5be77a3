"""Train every algorithm's trials and choose.

The trials of a round are jobs of one suite, as those of `gtr-bench ablate` are: they train in cohorts, are shared with
`run`, and a rerun trains only what is missing. Each algorithm has an Optuna study of its own.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from gtr_bench.ablation.model import Axis, Setting
from gtr_bench.ablation.run import Train
from gtr_bench.ablation.sampling import MOST_SETTINGS, rows
from gtr_bench.ablation.study import OpenStudy
from gtr_bench.ablation.trials import SuiteTemplate, study_tables
from gtr_bench.errors import GtrBenchError, RequestError
from gtr_bench.files import replace_file
from gtr_bench.metrics.registry import metrics
from gtr_bench.names import file_name
from gtr_bench.report.attributes import those_with
from gtr_bench.report.collect import Record, collect
from gtr_bench.report.scores import Scores, load_evaluations, scores_of
from gtr_bench.report.values import NORMALISED, Unit, score_in, unit_of, worst_in
from gtr_bench.store.reader import Warn
from gtr_bench.suite.expand import Suite
from gtr_bench.suite.identity import canonical_json
from gtr_bench.tuning.model import AlgorithmTuning, Sampler, Trial, Tuning

__all__ = ["Request", "first_round", "run_tuning"]

Asked = Mapping[str, Sequence[tuple[int, Setting]]]
"""Algorithm -> (number of the trial in its study, setting)."""


@dataclass(frozen=True)
class Request:
    """What a user asks of a tuning; `spaces` has the axes of every algorithm."""

    template: SuiteTemplate
    spaces: Mapping[str, tuple[Axis, ...]]
    budget: int
    sampler: Sampler
    batch: int
    seeds: tuple[int, ...]
    tune_fraction: float
    name: str | None = None

    @property
    def study(self) -> str:
        """The name of the study: as asked for, or of what it is about."""
        if self.name is not None:
            return self.name
        digest = hashlib.sha256(canonical_json({name: self.identity(name) for name in self.spaces}).encode())
        return file_name(f"tune-{self.template.suite.name[:60]}-{digest.hexdigest()[:8]}")

    def identity(self, algorithm: str) -> dict[str, object]:
        """What makes two requests the same study of an algorithm; not how many trials there are."""
        base = self.template.suite_of(
            [self.template.table(algorithm)], name="identity", seeds=self.seeds, tune_fraction=self.tune_fraction
        )
        definitions = "\n".join(canonical_json(cell.definition) for cell in base.cells)
        return {
            "tuning": algorithm,
            "worlds": hashlib.sha256(definitions.encode()).hexdigest(),
            "axes": [repr(axis) for axis in self.spaces[algorithm]],
            "seeds": list(self.seeds),
            "metric": self.template.metric,
            "sampler": self.sampler,
        }

    def suite_of(self, settings: Mapping[str, Sequence[Setting]], path: Path) -> Suite:
        """The trials as a suite that will stand at `path`; an algorithm without one is left out."""
        tables = [
            table
            for name in self.spaces
            for table in study_tables(self.template, name, settings.get(name, ()), None, ())
        ]
        question = f"Which values are best for each algorithm of {self.template.suite.name}?"
        return self.template.suite_of(
            tables,
            name=self.study,
            path=path,
            seeds=self.seeds,
            tune_fraction=self.tune_fraction,
            # Every setting would train its own: nothing is trained that no score reads.
            references=metrics.get(self.template.metric).reads_references(),
            suite={"question": question},
        )


def first_round(request: Request) -> dict[str, list[Setting]]:
    """The settings of every algorithm where they do not depend on results, as many for each; for `tpe` a stand-in.

    Raises:
        RequestError: an algorithm has fewer settings than that.
    """
    sampler = "qmc" if request.sampler == "tpe" else request.sampler
    return {name: _distinct(name, axes, sampler, request.budget) for name, axes in request.spaces.items()}


def run_tuning(request: Request, results: Path, train: Train, *, warn: Warn) -> Tuning:
    """Ask, train and tell until every algorithm has its trials.

    Args:
        request: the tuning.
        results: the results folder.
        train: trains a suite's missing jobs; may leave some, which are then counted as missing.
        warn: called with a sentence for each file that was left out.

    Raises:
        RequestError: a study cannot be opened, or belongs to another request.
        SuiteError: a setting that an algorithm refuses.
    """
    folder = results / "studies" / request.study
    fixed = None if request.sampler == "tpe" else first_round(request)
    fresh, trained = not folder.exists(), False
    try:
        with ExitStack() as opened:
            studies = {}
            for name, axes in request.spaces.items():
                study = OpenStudy(folder / file_name(name), request.study, axes, request.identity(name))
                opened.callback(study.close)
                studies[name] = study
            wanted = request.budget if fixed is not None else min(request.batch, request.budget)
            while True:
                asked = {name: _ask(studies[name], request, name, wanted, fixed) for name in request.spaces}
                suite = _write_suite(request, asked, folder)
                train(suite)
                trained = True
                tuning = _judged(request, asked, suite, results, warn)
                _tell(studies, asked, tuning)
                if wanted >= request.budget or tuning.missing:
                    return tuning
                wanted = min(wanted + request.batch, request.budget)
    except GtrBenchError:
        if fresh and not trained and folder.exists():
            shutil.rmtree(folder)  # refused after all, such as for a device that is not there
        raise


def _distinct(name: str, axes: Sequence[Axis], sampler: str, count: int) -> list[Setting]:
    """So many different settings, the suite's own first; those of a smaller number are the first of a larger."""
    drawn = count
    while len(found := rows(axes, sampler, drawn)) < count:
        drawn *= 2
        if drawn > MOST_SETTINGS:
            raise RequestError(
                f"`{name}` has {len(found)} settings to choose from, fewer than `--budget {count}`",
                hint="lower `--budget`, or search more with `--param` and `--range`",
            )
    return found[:count]


def _ask(
    study: OpenStudy, request: Request, name: str, wanted: int, fixed: Mapping[str, Sequence[Setting]] | None
) -> list[tuple[int, Setting]]:
    if fixed is not None:
        return list(zip(study.pre_sampled(fixed[name]), fixed[name], strict=True))
    stated = {axis.name: axis.stated for axis in request.spaces[name] if axis.stated is not None}
    return study.adaptive(wanted, [stated] if len(stated) == len(request.spaces[name]) else [])


def _write_suite(request: Request, asked: Asked, folder: Path) -> Suite:
    """The trials asked for so far; a setting that an adaptive study asked for twice is one algorithm."""
    path = folder / "suite.toml"
    suite = request.suite_of({name: list(_unique(trials).values()) for name, trials in asked.items()}, path)
    content = suite.text.encode()
    replace_file(path, lambda file: file.write(content))
    return suite


def _unique(trials: Sequence[tuple[int, Setting]]) -> dict[str, Setting]:
    return {_key(setting): setting for _, setting in trials}


def _key(setting: Setting) -> str:
    return canonical_json(dict(setting))


def _judged(request: Request, asked: Asked, suite: Suite, results: Path, warn: Warn) -> Tuning:
    (found,) = collect([results], suite.path, warn=warn)
    judge = _Judge.of(found.records, scores_of(found, load_evaluations(found.records, warn=warn)), request.template)
    labels = iter(suite.algorithms)
    tuned = []
    for name, trials in asked.items():
        label_of = {key: next(labels) for key in _unique(trials)}
        judged = tuple(
            judge.trial(number, setting, label_of[_key(setting)]) for number, (_, setting) in enumerate(trials)
        )
        tuned.append(AlgorithmTuning(name, request.spaces[name], judged, judge.best(judged)))
    registered = {name: request.template.registered(name) for name in asked}
    full = {world.id: len(world.environments) for world in request.template.suite.worlds}
    return Tuning(
        name=request.study,
        suite=request.template.suite.name,
        scale=request.template.suite.scale,
        metric=request.template.metric,
        direction=request.template.direction,
        unit=judge.unit,
        budget=request.budget,
        sampler=request.sampler,
        seeds=request.seeds,
        tune_fraction=request.tune_fraction,
        phases={world.id: (len(world.environments), full[world.id]) for world in suite.worlds},
        smoke=request.template.suite.smoke,
        finished=max((str(each.summary["finished"] or "") for each in judge.runs if each.summary), default=""),
        reconstructions={name: kind for name, kind in registered.items() if those_with("reconstruction", [kind])},
        algorithms=tuple(tuned),
    )


def _tell(studies: Mapping[str, OpenStudy], asked: Asked, tuning: Tuning) -> None:
    """Tell what has ended; what has not comes again with the setting it had."""
    sign = -1.0 if tuning.direction == "lower" else 1.0
    for each in tuning.algorithms:
        for (number, _), trial in zip(asked[each.algorithm], each.trials, strict=True):
            if not trial.missing:
                studies[each.algorithm].tell(number, None if trial.score is None else sign * trial.score)


@dataclass(frozen=True)
class _Judge:
    """Scores trials by the jobs they have; `runs` are without references."""

    runs: Sequence[Record]
    scores: Scores
    template: SuiteTemplate
    unit: Unit
    environments: tuple[str, ...]

    @classmethod
    def of(cls, records: Sequence[Record], scores: Scores, template: SuiteTemplate) -> _Judge:
        """In the unit in which the environments compare."""
        environments = tuple(world.id for world in template.suite.worlds)
        unit = unit_of(metrics.get(template.metric), environments, scores)
        if unit is None:
            raise RequestError(f"`{template.metric}` of different sequences cannot be compared without `normalise`")
        if unit == "return" and all(name in scores.normalise for name in environments):
            unit = NORMALISED
        return cls([each for each in records if each.role == "run"], scores, template, unit, environments)

    def trial(self, number: int, setting: Setting, label: str) -> Trial:
        """What became of one setting."""
        own = [record for record in self.runs if record.algorithm == label]
        missing = sum(record.state == "missing" for record in own)
        return Trial(
            number=number,
            setting=setting,
            score=None if missing else self._score(own),
            diverged=sum(bool(record.summary) and self.scores.diverged(record) for record in own),
            failed=sum(record.state == "failed" for record in own),
            missing=missing,
            jobs=tuple(sorted(record.job for record in own if record.summary)),
        )

    def best(self, trials: Sequence[Trial]) -> Trial | None:
        """The trial with the best score; the first of equals."""
        sign = -1.0 if self.template.direction == "lower" else 1.0
        scored = [(sign * each.score, each) for each in trials if each.score is not None]
        return max(scored, key=lambda entry: entry[0], default=(0.0, None))[1]

    def _score(self, records: Sequence[Record]) -> float | None:
        """None where a job has no value and nobody knows a worst one."""
        means = []
        for environment in self.environments:
            values = [self._value(record) for record in records if record.sequence == environment]
            known = [value for value in values if value is not None]
            if not known or len(known) < len(values):
                return None
            means.append(sum(known) / len(known))
        return sum(means) / len(means)

    def _value(self, record: Record) -> float | None:
        """A job's score; of one that failed, or whose score is not defined, the worst."""
        metric, direction = metrics.get(self.template.metric), self.template.direction
        score = score_in(self.unit, record, metric, self.scores, direction)
        if score is None or not score.defined:
            score = worst_in(self.unit, record, metric, self.scores, direction)
        return score.value if score is not None and score.defined else None
