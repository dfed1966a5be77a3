"""From evaluation rows to one score per job and metric."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeAlias

import numpy as np

from gtr_bench.learners.registry import learner
from gtr_bench.metrics.run import Companions, Metric, Run, Score
from gtr_bench.report.attributes import oracle_of
from gtr_bench.report.collect import Record, SuiteRecords
from gtr_bench.report.columns import Columns, by_job, matrix_of, numpy_of
from gtr_bench.store.reader import Warn, read
from gtr_bench.suite.identity import canonical_json

__all__ = ["Evaluations", "Scores", "load_evaluations", "scores_of", "worlds_of"]

FIRST_KIND = "policy"
"""Of jobs from a time when there was no other and nobody noted it."""
_FRESH = ("start", "after_shift")
_NUMBERS = ("step", "phase", "evaluated_phase", "return_mean", "success_rate", "test_return_mean")
Evaluations: TypeAlias = Mapping[str, Columns]
EvaluatedQuantity: TypeAlias = Literal["return", "success_rate"]


def load_evaluations(records: Sequence[Record], *, warn: Warn) -> Evaluations:
    """Job -> column -> values sorted by step, of the finished records; one pass over their files."""
    folders = {record.job: record.folder for record in records if record.summary and record.folder is not None}
    wanted = ("job", "point", "achievements", *_NUMBERS)
    table = read(folders.values(), "evaluations", wanted, warn=warn).combine_chunks()
    points = table["point"].combine_chunks().dictionary_encode()
    columns = {name: numpy_of(table[name]) for name in _NUMBERS}
    columns["achievements"] = matrix_of(table["achievements"])
    fresh = [code for code, point in enumerate(points.dictionary.to_pylist()) if point in _FRESH]
    columns["fresh"] = np.isin(numpy_of(points.indices), fresh)
    return by_job(table, columns, ("step", "phase"))


def worlds_of(definition: Mapping[str, Any]) -> tuple[str, ...]:
    """An identity of each phase's world: its environment, options, variant and shifts, not its length.

    Where a shift drifts, the variant it drifts from is part of the world.
    """
    sequence = definition["sequence"]
    phases, shifts = sequence["phases"], sequence["shifts"]
    rest = {"shifts": shifts, "max_episode_steps": sequence["max_episode_steps"]}
    drifts = any(shift.get("mode") == "drift" for shift in shifts)
    origins = [phases[max(0, index - 1)]["variant"] if drifts else None for index in range(len(phases))]
    return tuple(
        canonical_json({**{key: value for key, value in phase.items() if key != "steps"}, **rest, "from": origin})
        for phase, origin in zip(phases, origins, strict=True)
    )


@dataclass
class Scores:
    """Scores of the finished jobs of one suite at one scale.

    Attributes:
        records: all expected jobs.
        evaluations: rows of the finished ones.
        normalise: sequence -> environment -> the returns that count as 0 and as 1, where the suite says so.
        worst: sequence -> the worst finite return seen there in other results; floors must not differ between them.
    """

    records: Sequence[Record]
    evaluations: Evaluations
    normalise: Mapping[str, Mapping[str, tuple[float, float]]]
    worst: Mapping[str, float] = field(default_factory=dict)

    def score(self, record: Record, metric: type[Metric], *, normalised: bool = False) -> Score | None:
        """The score of a finished job, None for any other; `normalised` maps returns to [0, 1] first."""
        if not record.summary:
            return None
        scaled = metric.values == "return" and (normalised or metric.ratio)
        key = (record.job, record.sequence, metric, scaled)
        if key not in self._scores:
            run = self.run(record, metric.values, scaled=scaled)
            self._scores[key] = metric.score(run, self._companions(record, metric, scaled=scaled))
        return self._scores[key]

    def diverged(self, record: Record) -> bool:
        """Whether a finished job counts as diverged: it says so, or one of its evaluations is not finite."""
        rows = self.evaluations.get(record.job, _NO_ROWS)
        return record.state == "diverged" or not bool(np.all(np.isfinite(rows["return_mean"])))

    def run(
        self, record: Record, values: EvaluatedQuantity, *, scaled: bool = False, sequence: str | None = None
    ) -> Run:
        """The evaluations of a finished job, with the domain's floor where it diverged.

        `sequence` gives floor and normalisation, the record's own by default: sequences may share a reference run.
        """
        name = sequence or record.sequence
        key = (record.job, values, scaled, name)
        if key not in self._runs:
            run = self._raw(record, values)
            limits = self._limits(record, name)
            if self.diverged(record):
                # Where a job does not say when it diverged, the first evaluation that is not finite does.
                run = run.floored(
                    self._floors[values].get(name, math.nan) if limits is None or values != "return" else limits[0],
                    learner(record.summary["learner"] or FIRST_KIND).marks(record.definition),
                    self._diverged_step(record),
                )
            self._runs[key] = run.scaled(*limits) if scaled and limits else run
        return self._runs[key]

    def _limits(self, record: Record, sequence: str) -> tuple[list[float], list[float]] | None:
        """The returns that count as 0 and as 1 in each phase of a record.

        An environment the sequence does not know, which happens between results of two versions of a suite, has the
        bounds all others share, else none (NaN).
        """
        known = self.normalise.get(sequence)
        if known is None:
            return None
        shared = set(known.values())
        fallback = next(iter(shared)) if len(shared) == 1 else (math.nan, math.nan)
        phases = record.definition["sequence"]["phases"]
        low, high = zip(*(known.get(phase["environment"], fallback) for phase in phases), strict=True)
        return list(low), list(high)

    def _raw(self, record: Record, values: EvaluatedQuantity) -> Run:
        rows = self.evaluations.get(record.job, _NO_ROWS)
        return Run(
            steps=rows["step"],
            phases=rows["phase"],
            evaluated_phases=rows["evaluated_phase"],
            values=rows["return_mean" if values == "return" else "success_rate"].astype(np.float64),
            fresh=rows["fresh"],
            lengths=tuple(int(phase["steps"]) for phase in record.definition["sequence"]["phases"]),
            worlds=self._worlds(record),
            tests=rows["test_return_mean"].astype(np.float64),
            achievements=_known(rows["achievements"]),
        )

    def _diverged_step(self, record: Record) -> int:
        stated = record.summary["diverged_step"]
        if stated is not None:
            return int(stated)
        rows = self.evaluations.get(record.job, _NO_ROWS)
        broken = rows["step"][~np.isfinite(rows["return_mean"])]
        return int(broken.min(initial=rows["step"].max(initial=-1) + 1))

    def _companions(self, record: Record, metric: type[Metric], *, scaled: bool) -> Companions:
        references: dict[int, list[Run]] = {}
        keys = self._reference_keys(record)
        if len(keys) > 1 and (metric.ratio or "references" in metric.needs):
            for phase, key in enumerate(keys):
                # the values of a shift are drawn from the seed, so another seed's reference is another world's
                alike = [
                    each
                    for each in self._references.get(key, [])
                    if each.seed == record.seed or not record.definition["sequence"]["shifts"]
                ]
                references[phase] = [
                    self.run(each, metric.values, scaled=scaled, sequence=record.sequence) for each in alike
                ]
        oracle = self._oracles.get((record.sequence, record.seed)) if "oracle" in metric.needs else None
        return Companions(references, self.run(oracle, metric.values, scaled=scaled) if oracle else None)

    def _worlds(self, record: Record) -> tuple[str, ...]:
        if record.job not in self._known_worlds:
            self._known_worlds[record.job] = worlds_of(record.definition)
        return self._known_worlds[record.job]

    @cached_property
    def _known_worlds(self) -> dict[str, tuple[str, ...]]:
        return {}

    @cached_property
    def _scores(self) -> dict[tuple[str, str, type[Metric], bool], Score]:
        return {}

    @cached_property
    def _runs(self) -> dict[tuple[str, EvaluatedQuantity, bool, str], Run]:
        return {}

    @cached_property
    def _floors(self) -> dict[EvaluatedQuantity, dict[str, float]]:
        """Sequence -> what a diverged run counts where nothing is normalised: the worst finite return seen there.

        A success rate counts 0, where the environment has one at all.
        """
        returns = dict(self.worst)
        rates: dict[str, float] = {}
        for record in self.records:
            rows = self.evaluations.get(record.job, _NO_ROWS)
            finite = rows["return_mean"][np.isfinite(rows["return_mean"])]
            if len(finite):
                returns[record.sequence] = min(float(finite.min()), returns.get(record.sequence, math.inf))
            if np.any(np.isfinite(rows["success_rate"])):
                rates[record.sequence] = 0.0
        return {"return": returns, "success_rate": rates}

    @cached_property
    def _oracles(self) -> dict[tuple[str, int], Record]:
        label = oracle_of((each.algorithm, each.algorithm_name) for each in self.records if each.role == "run")
        return {
            (record.sequence, record.seed): record
            for record in self.records
            if record.algorithm == label and record.role == "run" and record.summary
        }

    @cached_property
    def _references(self) -> dict[tuple[str, str, int], list[Record]]:
        """(algorithm, world, steps) -> runs of one phase; whatever role they have, they were trained from scratch."""
        found: dict[tuple[str, str, int], list[Record]] = {}
        for record in self.records:
            if record.summary and len(record.definition["sequence"]["phases"]) == 1:
                found.setdefault(self._reference_keys(record)[0], []).append(record)
        return found

    def _reference_keys(self, record: Record) -> list[tuple[str, str, int]]:
        phases = record.definition["sequence"]["phases"]
        return [
            (record.algorithm, world, int(phase["steps"]))
            for world, phase in zip(self._worlds(record), phases, strict=True)
        ]


def scores_of(found: SuiteRecords, evaluations: Evaluations) -> Scores:
    """The scores of one suite, with the normalisation its text gives."""
    worlds = found.suite.worlds if found.suite else ()
    return Scores(found.records, evaluations, {world.id: world.normalise for world in worlds if world.normalise})


_NO_ROWS: Columns = {
    **{name: np.array([], dtype=np.int64) for name in ("step", "phase", "evaluated_phase")},
    **{name: np.array([], dtype=np.float64) for name in ("return_mean", "success_rate", "test_return_mean")},
    "fresh": np.array([], dtype=np.bool_),
    "achievements": np.empty((0, 0)),
}


def _known(rates: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The columns of `[P, K]` in which the job has any number: other jobs may know other achievements."""
    return rates[:, ~np.isnan(rates).all(0)]
