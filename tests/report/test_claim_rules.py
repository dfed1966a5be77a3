"""What a verdict says beyond its test: failed jobs, unfinished suites, environments that differ, rare failures."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gtr_bench.report.build import build_report
from gtr_bench.report.csv import render_csv
from gtr_bench.report.html import render_html
from gtr_bench.report.json import render_json
from gtr_bench.report.latex import render_latex
from gtr_bench.report.markdown import render_markdown
from gtr_bench.report.terminal import render_terminal
from tests.metrics.helpers import within_band

from .conftest import SUITE
from .invented import claim_on, made_up_suite, suite_text, verdict
from .test_claims import CLAIM, claims, suite_jobs

Fill = Callable[..., Path]
SEEDS = 10


def steady(level: float, seeds: int = SEEDS, spread: float = 0.01) -> dict[int, float | None]:
    """Scores about a level that differ a little, evenly."""
    return {seed: level + spread * (seed / seeds - 0.5) for seed in range(seeds)}


def fail(results: Path, job: str) -> None:
    """Make a job one that failed."""
    folder = results / "jobs" / job
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    failure = {"reason": "error", "message": "it broke", "log": "", "step": 1, "time": 0.0}
    (folder / "failure.json").write_text(json.dumps(failure))


# Failures


def test_failed_jobs_count_as_the_worst_value_and_the_sentence_counts_them() -> None:
    ours = steady(0.9) | dict.fromkeys(range(2))
    found = claim_on({("easy", "gtr"): ours, ("easy", "ppo"): steady(0.5)}, seeds=SEEDS)
    assert found.text == (
        "gtr has a higher lifetime_return than ppo in easy; failed jobs count as the worst value: "
        "2 of 10 of gtr, 0 of 10 of ppo"
    )
    assert found.n == SEEDS
    # eight of about 0.4, and two that count what `normalise` calls 0, below all that was seen
    assert found.effect == pytest.approx(0.8 * 0.4 - 0.2 * 0.5, abs=0.01)
    assert (found.sides[0].failed, found.sides[0].jobs) == (2, 10)


@pytest.mark.parametrize("failures", ["worst", "exclude"])
def test_a_claim_is_supported_only_if_it_holds_with_its_own_failures_at_the_worst(failures: str) -> None:
    """Left out, gtr's failures would make the claim: it is better wherever it did not crash."""
    values = {("easy", "gtr"): steady(0.9) | dict.fromkeys(range(4)), ("easy", "ppo"): steady(0.5)}
    keys = f'failures = "{failures}"'
    found = claim_on(values, seeds=SEEDS, keys=keys)
    assert found.verdict == "undecided"
    assert ("in the case worst for it" in found.reason) == (failures == "exclude")
    assert claim_on(values | {("easy", "gtr"): steady(0.9)}, seeds=SEEDS, keys=keys).verdict == "supported"


def test_failures_of_the_other_side_do_not_make_a_claim() -> None:
    """At the worst value ppo's failures would decide it; without them eight pairs of alternating sign do not."""
    theirs: dict[int, float | None] = {seed: 0.5 + 0.1 * (-1) ** seed for seed in range(20)}
    values = {("easy", "gtr"): dict.fromkeys(range(20), 0.5), ("easy", "ppo"): theirs}
    values["easy", "ppo"] |= dict.fromkeys(range(12))
    found = claim_on(values, seeds=20)
    assert found.effect is not None
    assert found.effect > 0
    assert found.verdict == "undecided"
    assert "in the case worst for it" in found.reason


def test_a_side_that_has_only_failed_jobs_has_no_value() -> None:
    found = claim_on({("easy", "gtr"): dict.fromkeys(range(SEEDS)), ("easy", "ppo"): steady(0.5)}, seeds=SEEDS)
    assert (found.verdict, found.reason) == ("undecided", "`gtr` has no value in `easy`: failed jobs")


@pytest.mark.slow
@pytest.mark.parametrize("failures", ["worst", "exclude"])
def test_crashing_in_the_worst_half_of_seeds_supports_nothing(failures: str) -> None:
    """What is left of 20 seeds would beat an equal algorithm in nearly half of the simulations."""
    generator = np.random.default_rng(71)
    simulations, seeds = 200, 20
    suite = made_up_suite(suite_text(("easy",), seeds, f'failures = "{failures}"'))
    jobs, wrong = suite.jobs(), 0
    for _ in range(simulations):
        ours, theirs = generator.normal(size=(2, seeds))
        kept = ours >= np.median(ours)
        mine = {seed: float(value) if kept[seed] else None for seed, value in enumerate(ours)}
        values = {("easy", "gtr"): mine, ("easy", "ppo"): dict(enumerate(map(float, theirs)))}
        wrong += verdict(suite, jobs, values).verdict == "supported"
    assert within_band(wrong, simulations, 0.05, lower=False)


# Unfinished suites


def test_a_verdict_is_interim_while_a_needed_job_is_missing_and_says_so_in_every_format(fill: Fill) -> None:
    text = SUITE + CLAIM
    jobs = suite_jobs(text)
    (last,) = [job for job in jobs if (job.sequence, job.algorithm, job.seed) == ("acrobot_swap", "gtr", 4)][:1]
    results = fill([job for job in jobs if job != last], text=text)
    report = build_report([results], curves=True)
    found = claims(results)["keeps_learning"]
    assert (found.verdict, found.interim, found.smoke) == ("supported", True, True)
    for render in (render_terminal, render_markdown, render_html, render_latex):
        assert "interim: supported (smoke scale: no claim)" in " ".join(render(report).split())
    assert 'class="verdict interim"' in render_html(report)
    (plain,) = json.loads(render_json(report))["suites"]
    assert {(each["interim"], each["smoke"]) for each in plain["claims"]} == {(True, True)}
    assert render_csv(report)
    fail(results, last.id)
    ended = claims(results)["keeps_learning"]
    assert not ended.interim
    assert "failed jobs count as the worst value: 1 of 10 of gtr, 0 of 10 of ppo" in ended.text


def test_a_missing_job_that_no_claim_needs_makes_nothing_interim() -> None:
    tables = '[[algorithm]]\nid = "other"\nuse = "ppo"\nclip_range = 0.1\n'
    values = {("easy", "gtr"): steady(0.9), ("easy", "ppo"): steady(0.5)}
    assert not claim_on(values, seeds=SEEDS, tables=tables).interim
    assert claim_on(values, seeds=SEEDS + 1, tables=tables).interim


def test_waves_are_interim_only_before_their_first_look(fill: Fill) -> None:
    text = SUITE + CLAIM + "\n[sequential]\nwave = 5\nmax_seeds = 15\n"
    jobs = [job for job in suite_jobs(text) if job.seed < 5]
    assert {each.interim for each in claims(fill(jobs[:-1], text=text)).values()} == {True}
    assert {each.interim for each in claims(fill(jobs, text=text, name="looked")).values()} == {False}


# Several environments


MIXED = {
    ("easy", "gtr"): steady(0.9, spread=0.1),
    ("easy", "ppo"): steady(0.5),
    ("hard", "gtr"): steady(0.4, spread=0.1),
    ("hard", "ppo"): steady(0.5),
}


def test_a_mixed_claim_says_on_average_and_names_the_environment_that_points_the_other_way() -> None:
    found = claim_on(MIXED, seeds=SEEDS)
    assert found.verdict == "supported"
    assert found.text == "gtr has a higher lifetime_return than ppo on average over easy, hard"
    by_name = {each.environment: (round(each.effect, 6), each.opposite) for each in found.by_environment}
    assert by_name == {"easy": (pytest.approx(0.4, abs=0.01), False), "hard": (pytest.approx(-0.1, abs=0.01), True)}
    assert found.heterogeneity is not None
    assert found.heterogeneity.p < 1e-6
    assert found.warnings[0] == "hard points the other way"
    assert found.warnings[1].startswith("the difference is not the same in all environments (Welch's F")


@pytest.mark.parametrize(("keys", "claim"), [('scope = "each"', ""), ("", 'scope = "each"')])
def test_a_claim_about_each_environment_must_hold_in_every_one(keys: str, claim: str) -> None:
    found = claim_on(MIXED, seeds=SEEDS, keys=keys, claim=claim)
    assert found.text == "gtr has a higher lifetime_return than ppo in each of easy, hard"
    assert found.verdict == "refuted"
    # ten pairs of one sign in one environment, twice that for the choice among two
    assert found.p == pytest.approx(2 * 2 / 2**10)
    good = {**MIXED, ("hard", "gtr"): steady(0.6, spread=0.1)}
    held = claim_on(good, seeds=SEEDS, keys=keys, claim=claim)
    assert (held.verdict, held.p) == ("supported", pytest.approx(2 / 2**10))
    assert "each environment by itself" in held.test
    weak = {**MIXED, ("hard", "gtr"): steady(0.53, spread=0.4)}
    assert claim_on(weak, seeds=SEEDS).verdict == "supported"
    found = claim_on(weak, seeds=SEEDS, keys=keys, claim=claim)
    assert found.verdict == "undecided"
    assert found.reason.startswith("the test does not decide in hard: p = ")


def test_waves_decide_a_claim_about_each_environment_by_the_weakest() -> None:
    tables = "[sequential]\nwave = 10\nmax_seeds = 10"
    claim = 'scope = "each"'
    weak = {**MIXED, ("hard", "gtr"): steady(0.53, spread=0.4)}
    good = {**MIXED, ("hard", "gtr"): steady(0.6, spread=0.1)}
    verdicts = [claim_on(each, seeds=SEEDS, claim=claim, tables=tables) for each in (weak, good, MIXED)]
    assert [each.verdict for each in verdicts] == ["undecided", "supported", "refuted"]
    assert {each.look for each in verdicts} == {1}


@pytest.mark.slow
def test_a_claim_about_each_environment_errs_at_most_at_the_level_where_one_of_two_does_not_hold() -> None:
    """The sure gain of the other environment must not help, by neither way of deciding."""
    generator = np.random.default_rng(72)
    simulations, seeds = 150, 8
    for tables in ("", "[sequential]\nwave = 4\nmax_seeds = 8"):
        suite = made_up_suite(suite_text(("easy", "hard"), seeds, 'scope = "each"', tables=tables))
        jobs, wrong = suite.jobs(), 0
        for _ in range(simulations):
            draws = generator.normal(size=(2, 2, seeds)) + np.array([[[5.0], [0.0]], [[0.0], [0.0]]])
            values = {
                (name, label): dict(enumerate(map(float, draws[place, side])))
                for place, name in enumerate(("easy", "hard"))
                for side, label in enumerate(("gtr", "ppo"))
            }
            wrong += verdict(suite, jobs, values).verdict == "supported"
        assert within_band(wrong, simulations, 0.025, lower=False)


# Runs that fail now and then


def rare(seeds: int = SEEDS) -> dict[int, float | None]:
    """Nine in ten are good, one is not."""
    return steady(1.0, seeds) | {3: 0.1}


def test_two_heaps_are_told_beside_the_claim_with_what_the_mean_hides() -> None:
    found = claim_on({("easy", "gtr"): rare(), ("easy", "ppo"): steady(0.9)}, seeds=SEEDS)
    (warning,) = found.warnings
    assert warning.startswith("the scores of gtr in easy lie in two heaps (1 of 10 in the worse one)")
    ours, theirs = found.sides
    assert (ours.worse_heap, theirs.worse_heap) == (1, None)
    assert ours.mean == pytest.approx(0.91, abs=0.01)
    assert ours.iqm == pytest.approx(1.0, abs=0.01)
    # the worst three of ten
    assert ours.worst_quarter == pytest.approx((0.1 + 1.0 + 1.0) / 3, abs=0.01)
    # none of ten failed: 1 - 0.05^(1/10)
    assert (ours.failed, ours.failed_at_most) == (0, pytest.approx(0.2589, abs=1e-4))
    assert "interquartile mean 0.99" in warning


def test_heaps_nearer_than_the_difference_that_is_tested_are_no_warning() -> None:
    values = {("easy", "gtr"): rare(), ("easy", "ppo"): steady(-5.0)}
    assert claim_on(values, seeds=SEEDS).warnings == ()


def test_spreads_that_differ_are_told() -> None:
    found = claim_on({("easy", "gtr"): steady(0.5, spread=0.4), ("easy", "ppo"): steady(0.5)}, seeds=SEEDS)
    assert found.warnings == ("the scores of gtr in easy spread 4 times or more as far as the other side's",)


@pytest.mark.parametrize(
    ("keys", "claim", "words"),
    [
        ("", "", ""),
        ('estimand = "median"', "", ", by the median of the paired differences"),
        ('estimand = "median"', 'estimand = "iqm"', ", by the interquartile mean of the paired differences"),
    ],
)
def test_the_sentence_names_what_is_compared_and_a_claim_overrules_its_suite(keys: str, claim: str, words: str) -> None:
    found = claim_on({("easy", "gtr"): rare(), ("easy", "ppo"): steady(0.9)}, seeds=SEEDS, keys=keys, claim=claim)
    assert found.text == f"gtr has a higher lifetime_return than ppo in easy{words}"
    assert bool(found.warnings) == (found.estimand == "mean")


def test_the_readable_formats_show_environments_warnings_and_sides(fill: Fill) -> None:
    text = SUITE + CLAIM
    results = fill(suite_jobs(text), text=text)
    report = build_report([results])
    for render in (render_terminal, render_markdown, render_html, render_latex):
        shown = " ".join(render(report).split()).replace("\\_", "_")
        assert "keeps_learning by environment: cartpole_swap 0." in shown
        assert "are they equal: Welch" in shown
    for render in (render_markdown, render_html, render_latex):
        assert "worst quarter" in render(report)
    (suite,) = json.loads(render_json(report))["suites"]
    claim = suite["claims"][0]
    assert [each["environment"] for each in claim["by_environment"]] == ["cartpole_swap", "acrobot_swap"]
    assert claim["heterogeneity"]["p"] <= 1
    assert len(claim["sides"]) == 4
