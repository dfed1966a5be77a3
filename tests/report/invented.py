"""Suites whose jobs have made-up scores, from records to verdicts without a file: for rates that need many of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gtr_bench.report.claims import ClaimResult, claims_of
from gtr_bench.report.collect import Record, State, SuiteRecords
from gtr_bench.report.columns import Columns
from gtr_bench.report.scores import scores_of
from gtr_bench.report.waves import course_of
from gtr_bench.suite.expand import Job, Suite
from gtr_bench.suite.load import parse_suite

Values = Mapping[tuple[str, str], Mapping[int, float | None]]
"""(sequence, algorithm) -> seed -> lifetime_return, None of a job that failed; what is not there is missing"""


def suite_text(sequences: tuple[str, ...], seeds: int, keys: str = "", claim: str = "", tables: str = "") -> str:
    """`gtr` has a higher lifetime_return than `ppo`, on sequences of one phase.

    Args:
        keys: lines of `[suite]`.
        claim: further lines of the claim.
        tables: further tables.
    """
    return "\n".join(
        [
            '[suite]\nname = "made_up"\nquestion = "Is it better?"\nprimary_metric = "lifetime_return"',
            f"seeds = {seeds}\n{keys}\n[evaluation]\nevery = 5000",
            *(
                f'[[sequence]]\nid = "{name}"\nenv = "gym:CartPole-v1"\nsteps_per_phase = {10_000 + 5000 * index}\n'
                "normalise = { min = 0.0, max = 1.0 }"
                for index, name in enumerate(sequences)
            ),
            '[[algorithm]]\nid = "ppo"\n[[algorithm]]\nid = "gtr"',
            '[[claim]]\nid = "better"\nbetter = "gtr"\nthan = "ppo"\nmetric = "lifetime_return"\ndirection = "higher"',
            claim,
            tables,
        ]
    )


def made_up_suite(text: str) -> Suite:
    """Its only scale."""
    return parse_suite(text, path="made_up.toml")


def rows_of(value: float) -> Columns:
    """The evaluations of a job with this return at every point."""
    count = 2
    whole = {name: np.zeros(count, dtype=np.int64) for name in ("phase", "evaluated_phase")}
    real = {name: np.full(count, np.nan) for name in ("success_rate", "test_return_mean")}
    return {
        "step": np.arange(1, count + 1) * 5000,
        "return_mean": np.full(count, value),
        **whole,
        **real,
        "fresh": np.zeros(count, dtype=np.bool_),
        "achievements": np.empty((count, 0)),
    }


def verdict(suite: Suite, jobs: list[Job], values: Values) -> ClaimResult:
    """The suite's claim on these values."""
    records, evaluations = [], {}
    for job in jobs:
        own = values.get((job.sequence, job.algorithm), {})
        value = own.get(job.seed)
        state: State = "missing" if job.seed not in own else "failed" if value is None else "complete"
        summary = {"learner": None, "diverged_step": None} if value is not None else {}
        labels = job.id, job.algorithm, job.sequence, job.role, job.seed, job.definition, state
        records.append(Record(*labels, summary=summary))
        if value is not None:
            evaluations[job.id] = rows_of(value)
    found = SuiteRecords(suite.name, suite.scale, suite, tuple(records), ())
    course = None if suite.sequential is None else course_of(found, suite, evaluations)
    (claim,) = claims_of(found, scores_of(found, evaluations), course)
    return claim


def claim_on(values: Values, *, seeds: int, keys: str = "", claim: str = "", tables: str = "") -> ClaimResult:
    """The claim of a suite with the sequences that have values."""
    names = tuple(dict.fromkeys(sequence for sequence, _ in values))
    suite = made_up_suite(suite_text(names, seeds, keys, claim, tables))
    return verdict(suite, suite.jobs(), values)
