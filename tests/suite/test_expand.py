"""Sequences, budgets and jobs."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import pytest

from gtr_bench.errors import SuiteError
from gtr_bench.suite import Suite, job_id

from .conftest import ONE_SETTING

Load = Callable[..., Suite]


def sequence(suite: Suite, index: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = suite.cells[index].definition["sequence"]
    return found


def test_jobs_are_algorithms_times_seeds_with_their_labels(load: Load) -> None:
    jobs = load(("seeds = 2", "seeds = [5, 9]")).jobs()
    assert [(job.algorithm, job.seed) for job in jobs] == [("ppo", 5), ("ppo", 9), ("gtr", 5), ("gtr", 9)]
    assert {(job.suite, job.scale, job.sequence, job.role) for job in jobs} == {("tiny", "default", "swap", "run")}
    assert len({job.id for job in jobs}) == 4


def test_a_definition_is_that_of_the_contract(load: Load) -> None:
    job = load().jobs()[0]
    assert job.id == job_id(job.definition)
    assert set(job.definition) == {
        "identity_version", "algorithm", "sequence", "packages", "network", "evaluation", "learn", "seed",
    }  # fmt: skip
    phase = {"environment": "gym:CartPole-v1", "options": {}, "steps": 1000}
    assert job.definition["sequence"] == {
        "phases": [{**phase, "variant": variant} for variant in (0, 1, 0)],
        "shifts": [{"kind": "action_permutation", "first_clean": True, "cycle": 2, "mode": "abrupt"}],
        "max_episode_steps": None,
    }
    assert job.definition["packages"] == {"gymnasium": version("gymnasium")}
    assert job.definition["network"] == {"torso": "mlp", "version": 1, "hidden": [64, 64], "activation": "tanh"}
    assert job.definition["evaluation"] == {"every": 200, "episodes": 10, "deterministic": False, "all_phases": False}


def test_labels_do_not_change_what_a_job_is(load: Load) -> None:
    renamed = load(('"tiny"', '"other"'), ('id = "swap"', 'id = "swop"'), ("[[sequence]]", "[scale.x]\n[[sequence]]"))
    assert [job.id for job in renamed.jobs()] == [job.id for job in load().jobs()]


def test_a_changed_parameter_changes_only_the_jobs_it_reaches(load: Load) -> None:
    before, after = load().jobs(), load(("sigma = 0.5", "sigma = 0.6")).jobs()
    assert [old.id == new.id for old, new in zip(before, after, strict=True)] == [True, True, False, False]


def test_without_a_cycle_every_phase_has_a_variant_of_its_own(load: Load) -> None:
    suite = load((", cycle = 2", ""))
    assert [phase["variant"] for phase in sequence(suite)["phases"]] == [0, 1, 2]


def test_without_shifts_there_is_one_variant(load: Load) -> None:
    suite = load(('shift = { kind = "action_permutation", cycle = 2 }', ""))
    assert [phase["variant"] for phase in sequence(suite)["phases"]] == [0, 0, 0]
    assert sequence(suite)["shifts"] == []


def test_several_shifts_apply_together_in_their_order(load: Load) -> None:
    several = '[{ kind = "reward_flip" }, { kind = "physics", parameter = "gravity", values = [1.0, 2.0], cycle = 2 }]'
    suite = load(('{ kind = "action_permutation", cycle = 2 }', several))
    assert [shift["kind"] for shift in sequence(suite)["shifts"]] == ["reward_flip", "physics"]
    assert sequence(suite)["shifts"][1]["values"] == [1.0, 2.0]
    assert [phase["variant"] for phase in sequence(suite)["phases"]] == [0, 1, 0]


TASKS = (
    'env = "gym:CartPole-v1"\nphases = 3',
    'tasks = ["gym:CartPole-v1", "gym:CartPole-v0"]\nrepeats = 2\nreferences = true',
)
NO_SHIFT = ('shift = { kind = "action_permutation", cycle = 2 }', "")


def test_tasks_are_played_in_order_and_repeated(load: Load) -> None:
    suite = load(TASKS, NO_SHIFT)
    names = ["gym:CartPole-v1", "gym:CartPole-v0"] * 2
    assert [phase["environment"] for phase in sequence(suite)["phases"]] == names
    assert suite.worlds[0].environments == tuple(names)


def test_references_are_single_phases_once_per_task_and_variant(load: Load) -> None:
    references = [cell for cell in load(TASKS, NO_SHIFT).cells if cell.role == "reference"]
    assert [(cell.algorithm, cell.definition["sequence"]["phases"][0]["environment"]) for cell in references] == [
        ("ppo", task) for task in ("gym:CartPole-v1", "gym:CartPole-v0")
    ]
    swapped = [c.definition for c in load(("phases = 3", "phases = 3\nreferences = true")).cells if c.role != "run"]
    assert [[phase["variant"] for phase in one["sequence"]["phases"]] for one in swapped] == [[0], [1]]
    assert all(one["sequence"]["shifts"][0]["kind"] == "action_permutation" for one in swapped)


def test_sequences_that_share_a_reference_train_it_once(load: Load) -> None:
    second = '[[sequence]]\nid = "two"\nenv = "gym:CartPole-v1"\nphases = 2\nsteps_per_phase = 1000\n'
    first = ("phases = 3", "phases = 3\nreferences = true")
    references = load(first, NO_SHIFT, ("[[algorithm]]", second + "references = true\n[[algorithm]]")).cells[4:]
    assert [(cell.role, cell.algorithm, cell.sequence) for cell in references] == [("reference", "ppo", "swap")]


@pytest.mark.parametrize(
    ("reference", "referred"),
    [(None, {"ppo"}), ("gtr", {"gtr"}), ("best", {"ppo", "gtr"}), ("own", {"ppo", "gtr"})],
)
def test_only_the_algorithms_whose_references_are_the_bar_train_them(
    load: Load, reference: str | None, referred: set[str]
) -> None:
    first = ("phases = 3", "phases = 3\nreferences = true")
    plain = load(first)
    suite = load(first, *([] if reference is None else [("[suite]", f'[suite]\nreference = "{reference}"')]))
    assert suite.reference == (reference or "ppo")
    assert {cell.algorithm for cell in suite.cells if cell.role == "reference"} == referred
    runs = [[job.id for job in each.jobs() if job.role == "run"] for each in (plain, suite)]
    assert runs[0] == runs[1]


def test_without_ppo_the_references_are_those_of_the_first_algorithm_of_the_scale(load: Load) -> None:
    first = ("phases = 3", "phases = 3\nreferences = true")
    suite = load(first, ('["gtr", "ppo"]', '["gtr", "plain"]'), ('id = "ppo"', 'id = "plain"\nuse = "ppo"'))
    assert suite.reference == suite.algorithms[0] == "plain"


def test_a_reference_that_the_scale_does_not_train_is_refused_with_a_suggestion(load: Load) -> None:
    first = ("phases = 3", "phases = 3\nreferences = true")
    scale = ("[[algorithm]]", '[scale.small]\nseeds = 1\nalgorithms = ["gtr"]\n[[algorithm]]')
    with pytest.raises(SuiteError) as raised:
        load(first, ("[suite]", '[suite]\nreference = "ppo"'), scale)
    (problem,) = raised.value.problems
    assert problem.sentence == "`reference` is `ppo`, which is not part of scale `small`"
    with pytest.raises(SuiteError) as raised:
        load(first, ("[suite]", '[suite]\nreference = "bset"'))
    (problem,) = raised.value.problems
    assert (problem.sentence, problem.hint) == ("unknown algorithm `bset`", "did you mean `best`?")


SCALES = """
[scale.full]
seeds = 3
steps_per_phase = 4000
[scale.laptop]
seeds = 1
steps_per_phase = 400
max_phases = 2
algorithms = ["gtr"]
evaluation = { every = 100 }
[scale.fine]
seeds = 1
steps_per_phase = 400
evaluation.episodes = 3
[scale.fine.sequence.swap]
steps_per_phase = 800
evaluation.deterministic = true
"""


def test_laptop_is_the_default_scale(load: Load) -> None:
    suite = load(extra=SCALES)
    assert (suite.scale, suite.scales) == ("laptop", ("full", "laptop", "fine"))
    assert suite.algorithms == ("gtr",)
    assert [phase["steps"] for phase in sequence(suite)["phases"]] == [400, 400]
    assert suite.cells[0].definition["evaluation"]["every"] == 100


def test_a_scale_changes_budgets_and_seeds(load: Load) -> None:
    suite = load(extra=SCALES, scale="full")
    assert [phase["steps"] for phase in sequence(suite)["phases"]] == [4000, 4000, 4000]
    assert len(suite.jobs()) == 6


def test_a_scale_may_change_one_sequence(load: Load) -> None:
    suite = load(extra=SCALES, scale="fine")
    assert [phase["steps"] for phase in sequence(suite)["phases"]] == [800, 800, 800]
    evaluation = {"every": 200, "episodes": 3, "deterministic": True, "all_phases": False}
    assert suite.cells[0].definition["evaluation"] == evaluation


def test_a_phase_has_ten_evaluation_points_unless_told_otherwise(load: Load) -> None:
    assert load(("every = 200", "")).cells[0].definition["evaluation"]["every"] == 100


def test_ten_thousand_jobs_expand_in_a_fraction_of_a_second(load: Load) -> None:
    many = ("sigma = 0.5", f"grid = {{ sigma = {[0.01 * (i + 1) for i in range(99)]} }}")
    start = time.process_time()
    suite = load(many, ONE_SETTING, ("seeds = 2", "seeds = 100"))
    jobs = suite.jobs()
    assert time.process_time() - start < 2.0
    assert len({job.id for job in jobs}) == 10_000
    assert jobs[-1].id == job_id(jobs[-1].definition)


def test_evaluation_points_lie_at_least_one_rollout_apart(load: Load) -> None:
    suite = load(("every = 200", ""), ("num_steps = 25", "num_steps = 50"))
    assert suite.cells[0].definition["evaluation"]["every"] == 200
    with pytest.raises(SuiteError) as caught:
        load(("num_steps = 25", "num_steps = 100"))
    first = caught.value.problems[0]
    assert first.sentence == "sequence `swap` is evaluated every 200 steps, but a rollout of `ppo` has 400"
    assert (first.line, first.column, first.hint) == (12, 9, "raise `evaluation.every`, or lower `num_steps`")
