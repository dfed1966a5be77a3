"""The description of an experiment: every number in it is the suite's, and it works from definitions alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gtr_bench.errors import GtrBenchError
from gtr_bench.report.build import build_report
from gtr_bench.report.collect import Record, SuiteRecords
from gtr_bench.report.formats import render
from gtr_bench.report.sections.setup import SetupSection
from gtr_bench.report.setup import Setup, setup_of
from gtr_bench.report.setup_text import sentences
from gtr_bench.suite.expand import Job, Suite
from gtr_bench.suite.load import load_suite, parse_suite, shipped_suites

from .conftest import SUITE

FINDINGS = Path(__file__).parents[2] / "suites" / "findings"
SHORT = "[training]\nnum_steps = 64\n[evaluation]\nevery = 1000\n"
ALL = [*shipped_suites(), *(str(path) for path in sorted(FINDINGS.glob("*.toml")))]


def described(suite: Suite) -> tuple[Setup, str]:
    setup = setup_of(SuiteRecords(suite.name, suite.scale, suite, (), ()))
    assert setup is not None
    return setup, " ".join(sentences(setup))


def from_text(
    sequence: str, algorithms: str = '[[algorithm]]\nid = "ppo"', head: str = "seeds = 2"
) -> tuple[Setup, str]:
    text = (
        f'[suite]\nname = "s"\nquestion = "Q?"\nprimary_metric = "lifetime_return"\n{head}\n{SHORT}'
        f'[[sequence]]\nid = "a"\nenv = "gym:CartPole-v1"\nsteps_per_phase = 4_000\n{sequence}\n{algorithms}\n'
    )
    return described(parse_suite(text, path="s.toml"))


@pytest.mark.parametrize("name", ALL, ids=lambda name: Path(name).stem)
def test_every_number_is_the_suites(name: str) -> None:
    try:
        suite = load_suite(name)
    except GtrBenchError as error:
        pytest.skip(f"an extra is missing: {error.reason}")
    setup, text = described(suite)
    runs = [cell for cell in suite.cells if cell.role == "run"]
    for world in suite.worlds:
        count, steps = len(world.environments), world.steps_per_phase
        assert f"`{world.id}`" in text
        length = f"{count} phases of {steps:,} environment steps, {count * steps:,} in all"
        assert (length if count > 1 else f"one phase of {steps:,} environment steps") in text
        assert all(environment in text for environment in world.environments)
    for cell in runs:
        evaluation, limit = cell.definition["evaluation"], cell.definition["sequence"]["max_episode_steps"]
        assert f"every {evaluation['every']:,} steps within, over {evaluation['episodes']} episode" in text
        assert limit is None or f"Episodes end after {limit:,} steps" in text
        assert str(cell.definition["network"]["hidden"]) in text or setup.network is None
    total = sum(phase["steps"] for cell in runs for phase in cell.definition["sequence"]["phases"]) * len(suite.seeds)
    assert f"{len(suite.seeds)} seed" in text
    assert f"{len(runs) * len(suite.seeds)} run" in text
    assert f"{total:,} environment steps" in text
    for cell in runs:
        for parameter, value in cell.definition["algorithm"]["parameters"].items():
            (found,) = (each for each in setup.parameters if each.name == parameter)
            assert found.values[cell.algorithm][cell.sequence] == value


def test_settings_that_differ_by_sequence_are_told_with_their_sequences() -> None:
    suite = load_suite(FINDINGS / "readings.toml", scale="findings")
    _, text = described(suite)
    assert "every 8,000 steps within, over 5 episodes with sampled actions (cartpole_swap)" in text
    assert "every 40,000 steps within, over 2 episodes with sampled actions (cheetah_friction)" in text
    shown = _markdown(suite)
    assert "num_steps 128 (cartpole_swap), 256 (cheetah_friction)" in shown
    assert "| num_steps | 128 (cartpole_swap), 256 (cheetah_friction) | 128 | all |" in shown
    assert "epochs 4 (cartpole_swap), 10 (cheetah_friction)" in shown


def _markdown(suite: Suite) -> str:
    from gtr_bench.report.markdown import markdown_text

    from .test_headline import suite as a_report

    setup, _ = described(suite)
    return markdown_text(SetupSection().blocks(replace(a_report(), algorithms=suite.algorithms), setup))


def test_parameters_that_algorithms_state_are_columns_and_other_defaults_are_common() -> None:
    algorithms = '[[algorithm]]\nid = "ppo"\n[[algorithm]]\nid = "gtr"\nsigma = 0.2\nbeta = 1.0\nplasticity = ["redo"]'
    setup, _ = from_text("phases = 2", algorithms)
    own = {each.name: each for each in setup.parameters if not each.common}
    assert {"sigma", "beta"} <= set(own)
    assert own["sigma"].values == {"gtr": {"a": 0.2}}
    assert not own["sigma"].usual("gtr")
    assert own["beta"].usual("gtr")
    common = {each.name for each in setup.parameters if each.common}
    assert {"learning_rate", "kernel", "clip_range", "redo.threshold"} <= common
    assert setup.algorithms[1].add_ons == ("redo",)


@pytest.mark.parametrize(
    ("sequence", "said"),
    [
        ("phases = 2", "2 phases of 4,000 environment steps, 8,000 in all. The worlds of the phases: A, A."),
        (
            'phases = 3\nshift = { kind = "action_permutation", cycle = 2 }',
            "the actions are permuted (continuous ones also change sign). The worlds of the phases: A, B, A (they "
            "start again after 2 phases). The first is the unshifted",
        ),
        (
            'phases = 3\nshift = { kind = "observation_offset", std = 2.0, mode = "drift" }',
            "Through every phase, moving linearly from where the last one ended, one normal vector of standard "
            "deviation 2.0 is added to all observations. No two phases are the same world. The first is the unshifted",
        ),
        (
            'phases = 2\nshift = { kind = "reward_scale", factors = [2.0, 0.5] }',
            "At each phase boundary, abruptly, rewards are multiplied by 2.0 and 0.5 in turn. No two phases",
        ),
        (
            'phases = 2\nshift = { kind = "physics", parameter = "gravity", low = 0.5, high = 2.0 }',
            "`gravity` of the simulator is multiplied by a factor drawn log-uniformly from 0.5 to 2.0. No two "
            "phases are the same world. The first is",
        ),
        ('phases = 2\nshift = { kind = "observation_mask", coordinates = [1, 3] }', "hidden at coordinates 1 and 3."),
        ('shift = { kind = "reward_flip", first_clean = false }', "In it the sign of all rewards is turned."),
        ('shift = { kind = "reward_flip" }', "`a` (gym:CartPole-v1): one phase of 4,000 environment steps. Policies"),
        ('phases = 2\nshift = { kind = "task_id" }', "The observation tells which task it is."),
        ("max_episode_steps = 1200", "Episodes end after 1,200 steps at the latest."),
        ("normalise = { min = -500.0, max = 0.0 }", "these count as 0 and 1: -500 and 0."),
    ],
)
def test_what_shifts_and_when_is_told(sequence: str, said: str) -> None:
    _, text = from_text(sequence)
    assert said in text


def test_a_sequence_whose_first_shift_acts_at_once_does_not_begin_unshifted() -> None:
    _, text = from_text('phases = 2\nshift = { kind = "action_permutation", first_clean = false }')
    assert "unshifted" not in text


def test_a_kind_of_shift_of_somebody_else_is_told_by_its_name_and_fields() -> None:
    suite = parse_suite(SUITE, path="swap.toml", scale="laptop")
    job = next(job for job in suite.jobs() if job.role == "run")
    shift = {"kind": "wind", "first_clean": True, "cycle": None, "mode": "abrupt", "speed": 3.5}
    definition = {**job.definition, "sequence": {**job.definition["sequence"], "shifts": [shift]}}
    record = Record(job.id, job.algorithm, job.sequence, job.role, job.seed, definition, "missing")
    setup = setup_of(SuiteRecords("swap", "laptop", None, (record,), ()))
    assert setup is not None
    assert "the shift `wind` changes the world (speed 3.5)" in " ".join(sentences(setup))


def test_waves_are_at_most_so_many_runs() -> None:
    _, text = from_text("phases = 2", algorithms=(
        '[[algorithm]]\nid = "ppo"\n[[algorithm]]\nid = "gtr"\n[sequential]\nwave = 5\nmax_seeds = 10\n'
        '[[claim]]\nid = "c"\nbetter = "gtr"\nthan = "ppo"\nmetric = "lifetime_return"\ndirection = "higher"'
    ))  # fmt: skip
    assert "in waves of 5, after the first only where undecided: at most 20 runs, 160,000 environment steps" in text


def test_definitions_alone_are_enough_and_it_says_what_it_lacks(fill: Callable[..., Path], jobs: list[Job]) -> None:
    results = fill(jobs, text=SUITE.replace('name = "swap"', "name = "))
    report = build_report([results], warn=lambda sentence: None)
    shown = render(report, "markdown")
    assert "Read from the jobs that were found, as the suite's text cannot be expanded here." in shown
    assert "3 phases of 10,000 environment steps, 30,000 in all" in shown
    assert "5 seeds (0-4) among the jobs: 20 runs, 600,000 environment steps" in shown
    assert "from scratch, by ppo" in shown


def test_jobs_under_one_label_that_differ_are_told(jobs: list[Job]) -> None:
    first, second = [job for job in jobs if job.role == "run"][:2]
    parameters = {**second.definition["algorithm"], "parameters": {"num_envs": 3}}
    definitions = (first.definition, {**second.definition, "algorithm": parameters})
    records = tuple(
        Record(job.id, job.algorithm, job.sequence, job.role, job.seed, definition, "missing")
        for job, definition in zip((first, second), definitions, strict=True)
    )
    setup = setup_of(SuiteRecords("swap", "laptop", None, records, ()))
    assert setup is not None
    assert "Jobs under one label are defined differently" in " ".join(sentences(setup))


def test_the_short_report_does_not_grow_and_json_has_the_data(fill: Callable[..., Path], jobs: list[Job]) -> None:
    import json

    assert not SetupSection().has_brief()
    shown = json.loads(render(build_report([fill(jobs)]), "json"))["suites"][0]
    assert shown["setup"]["runs"] == 20
    assert shown["setup"]["worlds"][0]["id"] == "cartpole_swap"
    assert shown["headline"].startswith("No claim: ")


def test_names_are_never_markup(fill: Callable[..., Path], jobs: list[Job]) -> None:
    evil: dict[str, Any] = {"id": '<script>alert("1")</script>`<b>`'}
    report = build_report([fill(jobs)])
    (suite,) = report.suites
    worlds = tuple(replace(world, **evil) for world in suite.setup.worlds)
    sections = {**suite.sections, "setup": replace(suite.setup, worlds=worlds)}
    page = render(replace(report, suites=(replace(suite, sections=sections),)), "html")
    assert "<b>" not in page
    assert "alert" in page
    assert "<script>alert" not in page
