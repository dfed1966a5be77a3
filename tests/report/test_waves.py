"""Suites that give their seeds in waves: which jobs count when, and that decisions do not depend on what came later."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from gtr_bench.report.build import build_report
from gtr_bench.report.collect import collect_suite
from gtr_bench.report.explain import explain
from gtr_bench.report.model import SuiteReport
from gtr_bench.report.scores import load_evaluations
from gtr_bench.report.waves import Course, course_of
from gtr_bench.store.reader import warn_on_stderr
from gtr_bench.suite.expand import Job, Suite
from gtr_bench.suite.load import parse_suite

from .conftest import LEVELS, RATES, SUITE, write_job

Fill = Callable[..., Path]

WAVES = """
[suite]
name = "waves"
question = "Which one is better?"
primary_metric = "lifetime_return"
comparisons = [["gtr", "ppo"], ["twin", "ppo"]]

[training]
num_steps = 64

[evaluation]
every = 1000
episodes = 4

[scale.laptop]
seeds = [7, 3]
steps_per_phase = 10_000

[[sequence]]
id = "cartpole_swap"
env = "gym:CartPole-v1"
phases = 3
shift = { kind = "action_permutation", cycle = 2 }

[[algorithm]]
id = "ppo"

[[algorithm]]
id = "gtr"

[[algorithm]]
id = "twin"
use = "ppo"
clip_range = 0.21

[sequential]
wave = 4
max_seeds = 12
"""
ORDER = (7, 3, *range(8, 18))
"""the suite's own seeds, then the whole numbers after the largest"""


@pytest.fixture(autouse=True)
def twins_are_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RATES, "twin", RATES["ppo"])


def suite(text: str = WAVES) -> Suite:
    return parse_suite(text, path="waves.toml")


def chosen(algorithms: Iterable[str], seeds: Iterable[int]) -> list[Job]:
    wanted = set(seeds)
    return [job for job in suite().jobs() if job.algorithm in set(algorithms) and job.seed in wanted]


ALL = ("ppo", "gtr", "twin")
FIRST, SECOND, THIRD = ORDER[:4], ORDER[4:8], ORDER[8:]


def course(results: Path, *, upto: int | None = None, text: str = WAVES) -> Course:
    found = collect_suite([results], suite(text), warn=warn_on_stderr)
    return course_of(found, suite(text), load_evaluations(found.records, warn=warn_on_stderr), upto=upto)


def report(results: Path) -> SuiteReport:
    (found,) = build_report([results]).suites
    return found


def told(found: SuiteReport) -> dict[str, tuple[str, float | None, float | None, int, str]]:
    return {each.id: (each.verdict, each.effect, each.p, each.n, each.reason) for each in found.claims}


def seeds_of(found: Course, algorithm: str) -> list[int]:
    return [record.seed for record in found.records if record.algorithm == algorithm]


def test_the_seeds_are_the_suite_s_own_and_continue_after_the_largest() -> None:
    assert suite().seeds == ORDER
    assert suite().first_seeds == FIRST


def test_the_table_changes_no_job(jobs: list[Job]) -> None:
    waved = parse_suite(SUITE + "\n[sequential]\nwave = 5\nmax_seeds = 5\n", path="swap.toml", scale="laptop")
    assert [job.id for job in waved.jobs()] == [job.id for job in jobs]


def test_after_the_first_wave_everything_open_gets_the_second(fill: Fill) -> None:
    found = course(fill(chosen(ALL, FIRST), text=WAVES))
    assert len(found.looks) == 1
    assert found.open == {"gtr vs ppo", "twin vs ppo"}
    assert found.next is not None
    assert (found.next.number, found.next.seeds) == (2, SECOND)
    assert {cell.algorithm for cell in found.next.cells} == set(ALL)


def test_what_is_decided_gets_no_further_seeds_and_they_are_not_missing(fill: Fill) -> None:
    results = fill(chosen(ALL, FIRST + SECOND), text=WAVES)
    found = course(results)
    assert found.open == {"twin vs ppo"}
    assert found.next is not None
    assert (found.next.seeds, {cell.algorithm for cell in found.next.cells}) == (THIRD, {"ppo", "twin"})
    shown = report(fill(chosen(["ppo", "twin"], THIRD), text=WAVES))
    assert shown.jobs["missing"] == 0
    assert {each.algorithm: each.n for each in shown.tables[0].cells} == {"ppo": 12, "gtr": 8, "twin": 12}
    (note,) = [each for each in shown.notes if each.startswith("seeds in waves")]
    assert note == "seeds in waves: 3 of 3 looks taken; seeds given: ppo 12, gtr 8, twin 12"
    verdicts = told(shown)
    assert verdicts["gtr vs ppo"][0] == "supported"
    assert verdicts["gtr vs ppo"][3] == 8
    assert "look 2 of 3 decides in favour: p = 0.0078" in verdicts["gtr vs ppo"][4]
    assert verdicts["twin vs ppo"][0] == "undecided"
    assert verdicts["twin vs ppo"][4].startswith("the last look (look 3 of 3) does not decide")
    (claim, _) = shown.claims
    assert claim.test == "sequential paired sign-flip, look 2 of 3"
    assert (claim.look, claim.p_adjusted, claim.seeds_needed) == (2, None, None)


def test_seeds_trained_beyond_the_waves_change_nothing_and_are_named(fill: Fill) -> None:
    results = fill(chosen(ALL, FIRST + SECOND) + chosen(["ppo", "twin"], THIRD), text=WAVES)
    before = report(results)
    after = report(fill(chosen(["gtr"], THIRD), text=WAVES))
    assert told(after) == told(before)
    assert after.tables == before.tables
    assert "4 jobs of waves that were not needed left out" in after.notes
    behind = explain([results], "lifetime_return/cartpole_swap/gtr").jobs
    assert sorted(each.seed for each in behind) == sorted(FIRST + SECOND)


def test_an_unfinished_wave_is_not_looked_at(fill: Fill) -> None:
    results = fill(chosen(ALL, FIRST + SECOND), text=WAVES)
    before = told(report(results))
    assert "open after look 2 of 3" in before["twin vs ppo"][4]
    shown = report(fill(chosen(["ppo", "twin"], THIRD)[:-1], text=WAVES))
    assert told(shown) == before
    assert shown.jobs["missing"] == 1
    nothing = told(report(fill(chosen(ALL, FIRST)[:-1], text=WAVES, name="begun")))
    assert {(verdict, reason) for verdict, _, _, _, reason in nothing.values()} == {
        ("undecided", "the first wave of seeds has not ended")
    }


@pytest.mark.parametrize(("failures", "pairs"), [("worst", 8), ("exclude", 7)])
def test_a_failed_job_ends_its_wave_and_counts_as_the_suite_says(fill: Fill, failures: str, pairs: int) -> None:
    text = WAVES.replace("comparisons", f'failures = "{failures}"\ncomparisons')
    *rest, last = chosen(ALL, FIRST + SECOND)
    results = fill(rest, text=WAVES)
    folder = results / "jobs" / last.id
    folder.mkdir()
    failure = {"reason": "error", "message": "it broke", "log": "", "step": 1, "time": 0.0}
    (folder / "failure.json").write_text(json.dumps(failure))
    found = course(results, text=text)
    assert len(found.looks) == 2
    decision = found.decision("twin vs ppo")
    assert decision is not None
    assert decision.n == pairs


def test_a_look_does_not_see_later_waves_even_where_a_diverged_job_counts_the_worst_return(
    fill: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without `normalise` the floor is the worst return seen in the environment, which a later seed may lower."""
    diverged, *others = chosen(ALL, FIRST)
    results = fill(others, text=WAVES)
    write_job(results, diverged, WAVES, status="diverged", stop=12_000)

    def value(found: Course) -> float:
        return found.cases["twin vs ppo"].values["cartpole_swap"]["ppo"][diverged.seed]

    alone = course(results)
    later, *more = chosen(ALL, SECOND)
    fill(more, text=WAVES)
    monkeypatch.setitem(LEVELS, "cartpole_swap", (-900.0, 450.0))
    write_job(results, later, WAVES)
    again = course(results, upto=1)
    assert alone.looks == again.looks
    assert value(alone) == value(again)
    assert value(course(results)) < value(alone) - 100


def test_references_and_oracles_come_with_what_needs_them(tmp_path: Path) -> None:
    text = (
        SUITE.replace('metric = "recovery_steps"', 'metric = "oracle_gap"')
        + '\n[[algorithm]]\nid = "oracle"\n\n[[algorithm]]\nid = "spo"\n'
        + '\n[[claim]]\nid = "sooner"\nbetter = "gtr"\nthan = "ppo"\nmetric = "recovery_steps"\ndirection = "lower"\n'
        + 'sequences = ["cartpole_swap"]\n\n[sequential]\n'
    )
    waved = parse_suite(text, path="swap.toml", scale="laptop")
    for job in waved.jobs_of(waved.cells, waved.first_seeds):
        folder = tmp_path / "jobs" / job.id
        folder.mkdir(parents=True)
        (folder / "failure.json").write_text(json.dumps({"reason": "error", "message": "", "log": ""}))
    found = course(tmp_path, text=text)
    assert found.next is not None
    places = {(cell.algorithm, cell.role) for cell in found.next.cells}
    assert places == {("gtr", "run"), ("ppo", "run"), ("ppo", "reference"), ("oracle", "run")}


def test_a_statement_that_no_seed_can_help_gets_none(fill: Fill) -> None:
    """Returns of two environments do not compare without `normalise`."""
    text = "\n".join(line for line in SUITE.splitlines() if "normalise" not in line).replace(
        '"recovery_steps"', '"lifetime_return"'
    )
    text += "\n[sequential]\nwave = 3\nmax_seeds = 6\n"
    waved = parse_suite(text, path="swap.toml", scale="laptop")
    results = fill(waved.jobs_of(waved.cells, waved.first_seeds), text=text)
    found = course(results, text=text)
    assert (found.next, found.open, len(found.looks)) == (None, frozenset(), 1)
    (claim,) = report(results).claims
    assert claim.verdict == "undecided"
    assert "returns are not comparable" in claim.reason


def test_a_metric_without_a_value_for_any_seed_of_the_wave_gets_no_further_seeds(fill: Fill) -> None:
    claim = '\n[[claim]]\nid = "works"\nbetter = "gtr"\nthan = "ppo"\nmetric = "performance.cw"\ndirection = "higher"\n'
    text = WAVES.replace('comparisons = [["gtr", "ppo"], ["twin", "ppo"]]', "").replace(
        "episodes = 4", "episodes = 4\nall_phases = true"
    )
    waved = parse_suite(text.replace("[sequential]", f"{claim}\n[sequential]"), path="waves.toml")
    results = fill(waved.jobs_of(waved.cells, waved.first_seeds), text=waved.text)
    found = course(results, text=waved.text)
    assert found.next is None
    (shown,) = report(results).claims
    assert (shown.verdict, shown.reason.split(":")[0]) == ("undecided", "`gtr` has no value in `cartpole_swap`")


def test_the_same_files_in_two_folders_decide_the_same(fill: Fill) -> None:
    results = fill(chosen(ALL, FIRST + SECOND), text=WAVES)
    other = results.with_name("other")
    shutil.copytree(results, other)
    gone = chosen(["twin"], SECOND)[0]
    shutil.rmtree(results / "jobs" / gone.id)
    whole, joined = build_report([other]).suites[0], build_report([results, other]).suites[0]
    assert told(joined) == told(whole)
