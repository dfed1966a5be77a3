"""One bar for all algorithms: an algorithm that learns nothing neither recovers at once nor transfers well."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gtr_bench.metrics.registry import metrics
from gtr_bench.report.build import build_report
from gtr_bench.report.claims import ClaimResult
from gtr_bench.report.collect import collect
from gtr_bench.report.json import render_json
from gtr_bench.report.markdown import render_markdown
from gtr_bench.report.model import SuiteReport
from gtr_bench.report.scores import Scores, load_evaluations, scores_of
from gtr_bench.store.reader import warn_on_stderr

from .made_up import Point, made_up

SUITE = """
[suite]
name = "swap"
question = "Does GTR cross to swapped actions sooner?"
primary_metric = "recovery_steps"
seeds = 8

[training]
num_steps = 64

[evaluation]
every = 1000
episodes = 4

[scale.laptop]
steps_per_phase = 10_000

[[sequence]]
id = "swap"
env = "gym:CartPole-v1"
phases = 3
shift = { kind = "action_permutation", cycle = 2 }
normalise = { min = 0.0, max = 500.0 }
references = true

[[algorithm]]
id = "ppo"

[[algorithm]]
id = "gtr"

[[claim]]
id = "sooner"
better = "gtr"
than = "ppo"
metric = "recovery_steps"
direction = "lower"

[[claim]]
id = "transfers"
better = "gtr"
than = "ppo"
metric = "transfer.cw"
direction = "higher"
"""

Formula = Callable[[Point], tuple[float, float]]


def ruled(reference: str) -> str:
    """The suite with a rule of its own."""
    return SUITE.replace("seeds = 8", f'seeds = 8\nreference = "{reference}"')


def stuck(point: Point) -> tuple[float, float]:
    """`gtr` stays at 30 of 500, in runs and references; its success is 0.10 over 0.05, that of `ppo` 0.80 over 0.80."""
    if point.job.algorithm == "gtr":
        return 30.0, 0.10 if point.job.role == "run" else 0.05
    return 20 + 430 * min(1.0, 2 * point.share) + point.job.seed, 0.80


def reported(results: Path) -> SuiteReport:
    """The only suite, all metrics of bars shown."""
    (suite,) = build_report([results], metric_names=["recovery_steps", "transfer.cw", "lifetime_return"]).suites
    return suite


def claims(results: Path) -> dict[str, ClaimResult]:
    """By id."""
    return {each.id: each for each in reported(results).claims}


def scores_in(results: Path) -> Scores:
    """Of the only suite."""
    (found,) = collect([results], None, warn=warn_on_stderr)
    return scores_of(found, load_evaluations(found.records, warn=warn_on_stderr))


@pytest.mark.parametrize("text", [SUITE, ruled("best"), ruled("ppo")])
def test_an_algorithm_that_learns_nothing_neither_recovers_sooner_nor_transfers_more(tmp_path: Path, text: str) -> None:
    found = claims(made_up(tmp_path, text, stuck))
    assert found["sooner"].verdict == "refuted"
    assert found["transfers"].verdict == "refuted"
    assert found["sooner"].n == found["transfers"].n == 8


def test_the_same_results_support_both_claims_where_each_algorithm_has_a_bar_of_its_own(tmp_path: Path) -> None:
    """What the common bar is there for, and why `own` is said in the heading."""
    results = made_up(tmp_path, ruled("own"), stuck)
    assert {each.verdict for each in claims(results).values()} == {"supported"}
    report = build_report([results], metric_names=["recovery_steps"])
    assert "mean [95% interval], each by its own references" in render_markdown(report)
    assert "each algorithm's own" in render_markdown(report)


@pytest.mark.parametrize(
    ("text", "reference", "sentence"),
    [(SUITE, "ppo", "those of `ppo`"), (ruled("best"), "best", "the algorithm with the highest final level")],
)
def test_a_report_names_whose_references_the_bar_is(tmp_path: Path, text: str, reference: str, sentence: str) -> None:
    results = made_up(tmp_path, text, stuck)
    tables = {each.metric: each for each in reported(results).tables}
    assert {name: table.reference for name, table in tables.items()} == {
        "recovery_steps": reference,
        "transfer.cw": reference,
        "lifetime_return": "",
    }
    report = build_report([results], metric_names=["recovery_steps"])
    assert sentence in render_markdown(report)
    assert f'"reference": "{reference}"' in render_json(report)


def test_the_best_references_are_the_bar_whoever_has_them(tmp_path: Path) -> None:
    def better_references(point: Point) -> tuple[float, float]:
        level = 400.0 if (point.job.algorithm, point.job.role) == ("gtr", "reference") else 200.0
        return level * min(1.0, 2 * point.share), 0.5

    results = made_up(tmp_path, ruled("best"), better_references)
    scores = scores_in(results)
    metric = metrics.get("recovery_steps")
    for record in scores.records:
        if record.role == "run":
            bars = scores.references_of(record, metric)
            assert {each.algorithm for found in bars.values() for each, _ in found} == {"gtr"}
            assert {each.seed for found in bars.values() for each, _ in found} == {record.seed}
            score = scores.score(record, metric)
            assert score is not None
            # 0.8 of 400 is never reached, 0.8 of 200 would be
            assert (score.value, score.censored) == (10_000, 2)


def test_a_bar_that_is_not_positive_makes_every_algorithm_undefined_for_the_same_reason(tmp_path: Path) -> None:
    text = SUITE.replace("normalise = { min = 0.0, max = 500.0 }\n", "")

    def negative_references(point: Point) -> tuple[float, float]:
        return (-5.0 if (point.job.algorithm, point.job.role) == ("ppo", "reference") else 300.0), 0.5

    scores = scores_in(made_up(tmp_path, text, negative_references))
    found = [scores.score(record, metrics.get("recovery_steps")) for record in scores.records if record.role == "run"]
    reasons = {score.reason for score in found if score is not None and not score.defined}
    assert reasons == {"a reference's final level is not positive; give the sequence `normalise`"}
    assert not any(score is not None and score.defined for score in found)


def test_a_bar_of_references_that_learned_nothing_is_not_reached_by_anybody_and_drops_no_pair(tmp_path: Path) -> None:
    def nothing(point: Point) -> tuple[float, float]:
        return (0.0 if (point.job.algorithm, point.job.role) == ("ppo", "reference") else 300.0), 0.5

    scores = scores_in(made_up(tmp_path, SUITE, nothing))
    found = [scores.score(record, metrics.get("recovery_steps")) for record in scores.records if record.role == "run"]
    assert {(score.value, score.censored) for score in found if score is not None} == {(10_000, 2)}


def test_stored_references_of_algorithms_that_are_not_the_bar_are_left_out_with_a_note(tmp_path: Path) -> None:
    """Results of a suite in which every algorithm had its own, read with the suite as it is now."""
    results = made_up(tmp_path / "results", ruled("own"), stuck)
    file = tmp_path / "swap.toml"
    file.write_text(SUITE)
    (suite,) = build_report([results], suite=str(file)).suites
    assert {each.id: each.verdict for each in suite.claims} == {"sooner": "refuted", "transfers": "refuted"}
    assert "16 reference runs of algorithms that are not the bar left out" in suite.notes
    assert not any("earlier version" in note for note in suite.notes)


def test_forgetting_of_cora_is_relative_to_the_largest_return_of_all_algorithms(tmp_path: Path) -> None:
    """`gtr` had 50 of a task at most and loses it all; `ppo` had 500 and loses a fifth."""

    def forgets(point: Point) -> tuple[float, float]:
        most, kept = (50.0, 0.0) if point.job.algorithm == "gtr" else (500.0, 400.0)
        return (most if point.world >= point.phase else kept), 0.5

    text = SUITE.replace("episodes = 4", "episodes = 4\nall_phases = true")
    scores = scores_in(made_up(tmp_path, text, forgets))
    runs = [record for record in scores.records if record.role == "run"]
    found = {each.algorithm: scores.score(each, metrics.get("forgetting.cora")) for each in runs}
    # what phase 1 and phase 2 take of tasks 0 and 1: two of three pairs lose it
    assert {name: score and score.value for name, score in found.items()} == {
        "gtr": pytest.approx(2 / 3 * 50 / 500),
        "ppo": pytest.approx(2 / 3 * 100 / 500),
    }


def test_labels_alone_have_the_bar_of_the_baseline(tmp_path: Path) -> None:
    """A suite that cannot be expanded here is reported from the labels of its jobs."""
    results = made_up(tmp_path, ruled("own"), stuck, stored=SUITE.replace("gym:", "elsewhere:"))
    scores = scores_in(results)
    (found, *_) = [record for record in scores.records if (record.algorithm, record.role) == ("gtr", "run")]
    score = scores.score(found, metrics.get("recovery_steps"))
    assert score is not None
    assert score.censored == 2
