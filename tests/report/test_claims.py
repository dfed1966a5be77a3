"""Claims of a suite become verdicts: what is tested, on which values, and why something cannot be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gtr_bench.report.build import build_report
from gtr_bench.report.claims import ClaimResult
from gtr_bench.suite.expand import Job
from gtr_bench.suite.load import parse_suite

from .conftest import SUITE, evaluation_rows, write_job

Fill = Callable[..., Path]

CLAIM = """
[[claim]]
id = "keeps_learning"
better = "gtr"
than = "ppo"
metric = "lifetime_return"
direction = "higher"
"""


def claims(results: Path) -> dict[str, ClaimResult]:
    """The claims of the only suite by id."""
    (suite,) = build_report([results]).suites
    return {each.id: each for each in suite.claims}


def suite_jobs(text: str, scale: str = "laptop") -> list[Job]:
    """The jobs of a suite text."""
    return parse_suite(text, path="swap.toml", scale=scale).jobs()


def lifetimes(jobs: list[Job], sequence: str, algorithm: str, low: float, high: float) -> np.ndarray:
    """Lifetime returns by seed, mapped to [0, 1], from the rows as they were written."""
    values = []
    for job in jobs:
        if (job.sequence, job.algorithm, job.role) == (sequence, algorithm, "run"):
            rows = evaluation_rows(job)
            kept = [
                v for v, p in zip(rows["return_mean"], rows["point"], strict=True) if p not in ("start", "after_shift")
            ]
            values.append((np.mean(kept) - low) / (high - low))
    return np.array(values)


def test_a_claim_over_several_environments_is_decided_on_normalised_values_paired_by_seed(fill: Fill) -> None:
    text = SUITE + CLAIM
    jobs = suite_jobs(text)
    found = claims(fill(jobs, text=text))["keeps_learning"]
    differences = [
        lifetimes(jobs, name, "gtr", *limits) - lifetimes(jobs, name, "ppo", *limits)
        for name, limits in (("cartpole_swap", (0.0, 500.0)), ("acrobot_swap", (-500.0, -60.0)))
    ]
    assert found.verdict == "supported"
    assert found.effect == pytest.approx(np.mean(differences))
    assert found.unit == "return mapped to [0, 1]"
    # ten pairs of one sign: 2 of 2^10 relabellings, twice that by Holm over claim and comparison
    assert (found.p, found.p_adjusted, found.n) == (2 / 1024, 4 / 1024, 5)
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.effect < found.high
    assert len(found.jobs) == 20


def test_a_comparison_is_read_as_a_claim_on_the_primary_metric_in_shares_of_a_phase(
    fill: Fill, jobs: list[Job]
) -> None:
    (found,) = claims(fill(jobs)).values()
    assert (found.id, found.declared, found.metric, found.direction) == (
        "gtr vs ppo",
        "comparison",
        "recovery_steps",
        "lower",
    )
    assert found.verdict == "supported"
    (suite,) = build_report([fill(jobs, name="again")]).suites
    cells = {(each.sequence, each.algorithm): each.value for each in suite.tables[0].cells}
    steps = [cells[name, "gtr"] - cells[name, "ppo"] for name in ("cartpole_swap", "acrobot_swap")]  # type: ignore[operator]
    assert found.effect == pytest.approx(np.mean(steps) / 10_000)
    assert found.unit == "shares of a phase"


def test_a_comparison_that_a_claim_states_already_is_not_tested_twice(fill: Fill) -> None:
    text = SUITE + CLAIM.replace('"lifetime_return"', '"recovery_steps"').replace('"higher"', '"lower"')
    (found,) = claims(fill(suite_jobs(text), text=text)).values()
    assert (found.declared, found.p, found.p_adjusted) == ("claim", 2 / 1024, 2 / 1024)


def test_a_claim_that_is_the_wrong_way_round_is_refuted(fill: Fill) -> None:
    text = SUITE + CLAIM.replace('better = "gtr"', 'better = "ppo"').replace('than = "ppo"', 'than = "gtr"')
    found = claims(fill(suite_jobs(text), text=text))["keeps_learning"]
    assert found.verdict == "refuted"
    assert found.effect is not None
    assert found.effect < 0


def test_sequences_restrict_a_claim_and_one_environment_is_compared_in_its_own_unit(fill: Fill) -> None:
    text = SUITE + CLAIM + 'sequences = ["acrobot_swap"]\n'
    jobs = suite_jobs(text)
    found = claims(fill(jobs, text=text))["keeps_learning"]
    difference = lifetimes(jobs, "acrobot_swap", "gtr", 0, 1) - lifetimes(jobs, "acrobot_swap", "ppo", 0, 1)
    assert found.environments == ("acrobot_swap",)
    assert (found.unit, found.effect) == ("return", pytest.approx(difference.mean()))
    # five pairs of one sign cannot reach 0.05 (protocols 13.2: 2/32)
    assert (found.verdict, found.p) == ("undecided", 2 / 32)
    assert "5 pairs cannot reach 0.05" in found.reason
    assert found.seeds_needed is not None


def test_non_inferiority_is_decided_against_its_margin_on_the_normalised_scale(fill: Fill) -> None:
    text = SUITE + CLAIM + 'sequences = ["cartpole_swap"]\nkind = "non_inferiority"\nmargin = 0.05\n'
    found = claims(fill(suite_jobs(text), text=text))["keeps_learning"]
    assert (found.verdict, found.unit) == ("supported", "return mapped to [0, 1]")
    assert "one-sided" in found.test
    # one-sided, five of five: 1/32, then Holm over the two statements of the suite
    assert found.p == 1 / 32


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("normalise = { min = -500.0, max = -60.0 }\n", ""), "returns are not comparable: `acrobot_swap` without"),
        (("[scale.laptop]\n", '[scale.laptop]\nalgorithms = ["gtr"]\n'), "`ppo` is not part of this scale"),
        (("[scale.laptop]\n", '[scale.laptop]\nsequences = ["cartpole_swap"]\n'), "none of its sequences is part"),
    ],
)
def test_what_cannot_be_evaluated_is_undecided_and_says_why(fill: Fill, change: tuple[str, str], reason: str) -> None:
    text = SUITE.replace(*change) + CLAIM
    if "sequences" in change[1]:
        text += 'sequences = ["acrobot_swap"]\n'
    found = claims(fill(suite_jobs(text), text=text))["keeps_learning"]
    assert found.verdict == "undecided"
    assert reason in found.reason
    assert (found.effect, found.p, found.test, found.n) == (None, None, "", 0)


def test_missing_jobs_are_named_as_the_reason(fill: Fill) -> None:
    text = SUITE + CLAIM
    jobs = suite_jobs(text)
    gone = [job for job in jobs if (job.sequence, job.algorithm, job.role) == ("acrobot_swap", "gtr", "run")]
    results = fill([job for job in jobs if job not in gone], text=text)
    assert claims(results)["keeps_learning"].reason == "`gtr` has no value in `acrobot_swap`: missing jobs"


def test_seeds_that_only_one_side_has_are_not_paired(fill: Fill) -> None:
    text = SUITE + CLAIM
    jobs = suite_jobs(text)
    own = [job for job in jobs if (job.sequence, job.algorithm, job.role) == ("acrobot_swap", "gtr", "run")]
    found = claims(fill([job for job in jobs if job not in own[:2]], text=text))["keeps_learning"]
    assert (found.n, found.p) == (3, 2 / 2**8)


def test_a_diverged_job_counts_the_floor_in_a_claim(fill: Fill) -> None:
    text = SUITE + CLAIM
    jobs = suite_jobs(text)
    own = [job for job in jobs if (job.sequence, job.algorithm, job.role) == ("cartpole_swap", "gtr", "run")]
    whole = claims(fill(jobs, text=text))["keeps_learning"]
    results = fill([job for job in jobs if job != own[0]], text=text, name="diverged")
    write_job(results, own[0], text, status="diverged", stop=0)
    found = claims(results)["keeps_learning"]
    assert found.n == 5
    assert found.effect is not None
    assert whole.effect is not None
    assert found.effect < whole.effect


def test_filters_change_what_is_shown_and_not_what_is_decided(fill: Fill, jobs: list[Job]) -> None:
    results = fill(jobs)
    (whole,) = build_report([results]).suites
    (part,) = build_report([results], environments=["cartpole_swap"], baseline="gtr").suites
    assert part.claims == whole.claims
    assert {cell.sequence for cell in part.tables[0].cells} == {"cartpole_swap"}
    assert "only some environments are shown; claims are decided on all of theirs" in part.notes
