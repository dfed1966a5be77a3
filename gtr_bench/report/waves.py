"""Which seeds a suite with `[sequential]` has given to whom, replayed look by look from what is stored.

A look is taken when every job it waits for is finished or has failed, and sees the values of the waves so far alone, so
the decisions do not depend on when they are asked for. `gtr-bench run --until-decided` and reports both ask here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from gtr_bench.metrics.decision import Decision
from gtr_bench.metrics.sequential import Look, SequentialTest, Standing, describe
from gtr_bench.report.attributes import oracle_of
from gtr_bench.report.cases import Case, case_of
from gtr_bench.report.collect import Record, SuiteRecords
from gtr_bench.report.scores import Evaluations, as_read, scores_of
from gtr_bench.report.statements import Statement, statements_of
from gtr_bench.suite.bars import BEST, OWN
from gtr_bench.suite.expand import Cell, Suite
from gtr_bench.wording import counted

__all__ = ["Course", "Wave", "course_of", "first_wave", "given", "needed"]

CellLabels: TypeAlias = tuple[str, str, str]
"""algorithm, sequence, role"""


@dataclass(frozen=True)
class Wave:
    """Seeds that are given together, and the cells that get them."""

    number: int
    seeds: tuple[int, ...]
    cells: tuple[Cell, ...] = field(repr=False)


@dataclass(frozen=True)
class Course:
    """What the waves of one suite came to.

    Attributes:
        statements: claims and comparisons, the whole family.
        waves: those that were given; of the last some jobs may be missing still.
        next: the wave to train now, which may be begun already; None when it is over.
        looks: those that were taken, one per wave whose jobs have all ended.
        cases: statement -> its values when it was decided, or at the last look.
        standings: statement -> the look it was decided at (or the last) and how it stood then; without those that no
            seed can help.
        open: ids of the statements that a further wave may decide.
        records: what the waves given expect, in the suite's order.
    """

    statements: tuple[Statement, ...]
    waves: tuple[Wave, ...]
    next: Wave | None
    looks: tuple[Look, ...]
    cases: Mapping[str, Case]
    standings: Mapping[str, tuple[Look, Standing]]
    open: frozenset[str]
    records: tuple[Record, ...]

    def decision(self, statement: str) -> Decision | None:
        """The verdict so far with what it rests on; None where the statement cannot be tested."""
        if statement not in self.standings or self.cases[statement].obstacle:
            return None
        look, standing = self.standings[statement]
        return describe(self.cases[statement].question(), standing, look, final=statement not in self.open)

    def look_of(self, statement: str) -> int:
        """The look its verdict is from, 0 before the first."""
        return self.standings[statement][0].number if statement in self.standings else len(self.looks)


def given(found: SuiteRecords, evaluations: Evaluations) -> tuple[SuiteRecords, Course | None]:
    """The records a report is about: for a suite with waves those that were given, with a note on how many."""
    found = as_read(found, evaluations)
    if found.suite is None or found.suite.sequential is None:
        return found, None
    course = course_of(found, found.suite, evaluations)
    given_to = {
        algorithm: {
            r.seed for r in course.records if r.algorithm == algorithm and r.role == "run" and r.state != "missing"
        }
        for algorithm in found.suite.algorithms
    }
    total = found.suite.sequential.looks
    notes = [
        f"seeds in waves: {len(course.looks)} of {counted(total, 'look')} taken; seeds given: "
        + ", ".join(f"{algorithm} {len(seeds)}" for algorithm, seeds in given_to.items())
    ]
    kept = {record.job for record in course.records}
    beyond = sum(bool(record.summary) and record.job not in kept for record in found.records)
    if beyond:
        notes.append(f"{counted(beyond, 'job')} of waves that were not needed left out")
    return replace(found, records=course.records, notes=(*found.notes, *notes)), course


def first_wave(suite: Suite) -> Wave:
    """The seeds everything gets."""
    return Wave(1, suite.first_seeds, suite.cells)


def course_of(found: SuiteRecords, suite: Suite, evaluations: Evaluations, *, upto: int | None = None) -> Course:
    """Replay the looks of a suite with `[sequential]` as far as its jobs have ended, or `upto` so many of them."""
    assert suite.sequential is not None
    statements = tuple(statements_of(suite))
    test = SequentialTest(suite.sequential.looks)
    waves: list[Wave] = []
    looks: list[Look] = []
    cases: dict[str, Case] = {}
    standings: dict[str, tuple[Look, Standing]] = {}
    open_ = {statement.id for statement in statements}
    kept: list[Record] = []
    wave: Wave | None = first_wave(suite)
    while wave is not None and len(looks) != upto:
        waves.append(wave)
        fresh = _records_of(wave, found.records)
        kept += fresh
        pending = any(record.state == "missing" for record in fresh)
        if pending and looks:
            break
        scores = scores_of(replace(found, records=tuple(kept)), evaluations)
        runs = [record for record in kept if record.role == "run"]
        cases |= {each.id: case_of(each, runs, scores) for each in statements if each.id in open_}
        open_ -= {name for name in open_ if cases[name].hopeless}
        if pending:
            break
        look = test.look([cases[each.id].question() for each in statements if not cases[each.id].hopeless])
        looks.append(look)
        standings |= {each.id: (look, each) for each in look.standings}
        open_ -= {each.id for each in look.standings if each.verdict != "undecided"}
        if len(looks) == look.looks:
            open_ = set()
        wave = _further(suite, wave.number, [each for each in statements if each.id in open_])
    given_jobs = {record.job for record in kept}
    records = tuple(record for record in found.records if record.job in given_jobs)
    return Course(statements, tuple(waves), wave, tuple(looks), cases, standings, frozenset(open_), records)


def _further(suite: Suite, number: int, statements: Sequence[Statement]) -> Wave | None:
    """The wave after wave `number`: what the open statements compare and what their metrics need."""
    if not statements or suite.sequential is None:
        return None
    wanted = {place for statement in statements for place in needed(suite, statement)}
    size = suite.sequential.wave
    return Wave(
        number + 1,
        suite.seeds[size * number : size * (number + 1)],
        tuple(cell for cell in suite.cells if (cell.algorithm, cell.sequence, cell.role) in wanted),
    )


def needed(suite: Suite, statement: Statement) -> Iterable[CellLabels]:
    """What a statement compares, and the references and oracles its metric reads."""
    metric, compared = statement.metric, (statement.better, statement.than)
    referred = {OWN: compared, BEST: suite.algorithms}.get(suite.reference, (suite.reference,))
    referred = referred if metric.reads_references() else ()
    names = ((cell.algorithm, cell.definition["algorithm"]["name"]) for cell in suite.cells if cell.role == "run")
    oracle = oracle_of(names) if "oracle" in metric.needs else None
    for cell in suite.cells:
        # A reference run is labelled with the first of the sequences that share it, and may be another sequence's run.
        alone = cell.role == "reference" or len(cell.definition["sequence"]["phases"]) == 1
        here = cell.role == "run" and cell.sequence in statement.environments
        if (here and cell.algorithm in (*compared, oracle)) or (alone and cell.algorithm in referred):
            yield (cell.algorithm, cell.sequence, cell.role)


def _records_of(wave: Wave, records: Iterable[Record]) -> list[Record]:
    places = {(cell.algorithm, cell.sequence, cell.role) for cell in wave.cells}
    return [
        each for each in records if each.seed in wave.seeds and (each.algorithm, each.sequence, each.role) in places
    ]
