"""Every shipped suite loads at every scale, and holds what protocols 15 says it holds."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from gtr_bench.errors import SuiteError
from gtr_bench.suite import group, job_id, load_suite, shipped_suites

RUNS = {
    ("quickstart", "laptop"): 4 * 8,
    ("quickstart", "medium"): 4 * 10,
    ("quickstart", "full"): 4 * 20,
    ("swap_control", "laptop"): 4 * 3,
    ("swap_control", "medium"): 6 * 2 * 10,
    ("swap_control", "full"): 6 * 2 * 20,
    ("gym_control", "laptop"): 4 * 2 * 2,
    ("gym_control", "medium"): 5 * 4 * 5,
    ("gym_control", "full"): 5 * 4 * 10,
    ("slippery", "laptop"): 3 * 2 * 1,
    ("slippery", "medium"): 3 * 2 * 5,
    ("slippery", "full"): 3 * 2 * 10,
    ("stationary_guard", "laptop"): 3 * 2 * 2,
    ("stationary_guard", "medium"): 4 * 6 * 5,
    ("stationary_guard", "full"): 4 * 6 * 10,
    ("continual_world", "laptop"): 2 * 2,
    ("continual_world", "medium"): 4 * 5,
    ("continual_world", "full"): 4 * 10,
    ("continual_world", "cw20"): 4 * 10,
    ("continual_world", "task_id"): 4 * 10,
    ("kernel_ablation", "laptop"): 12 * 2,
    ("kernel_ablation", "medium"): 32 * 3 * 2,
    ("kernel_ablation", "full"): 32 * 3 * 5,
    ("dmc_chains", "laptop"): 3 * 1 * 2,
    ("dmc_chains", "medium"): 5 * 3 * 6,
    ("dmc_chains", "full"): 5 * 3 * 12,
    ("minatar_chain", "laptop"): 3 * 2,
    ("minatar_chain", "medium"): 5 * 6,
    ("minatar_chain", "full"): 5 * 12,
    ("minatar_chain", "twice"): 5 * 12,
    ("atari_switch", "laptop"): 2,
    ("atari_switch", "medium"): 4 * 3,
    ("atari_switch", "full"): 4 * 5,
    ("craftax_open", "laptop"): 2,
    ("craftax_open", "medium"): 3 * 2 * 2,
    ("craftax_open", "full"): 3 * 2 * 5,
    ("craftax_open", "billion"): 3 * 2 * 5,
    ("procgen_levels", "laptop"): 2 * 2 * 2,
    ("procgen_levels", "medium"): 7 * 16 * 3,
    ("procgen_levels", "full"): 7 * 16 * 6,
}
REFERENCES = {
    ("swap_control", "laptop"): 2 * 3,
    ("swap_control", "medium"): 2 * 2 * 10,
    ("swap_control", "full"): 2 * 2 * 20,
    ("continual_world", "laptop"): 3 * 2,
    ("continual_world", "medium"): 10 * 5,
    ("continual_world", "full"): 10 * 10,
    ("continual_world", "cw20"): 10 * 10,
    ("continual_world", "task_id"): 10 * 10,
    ("minatar_chain", "laptop"): 3 * 2,
    ("minatar_chain", "medium"): 3 * 6,
    ("minatar_chain", "full"): 3 * 12,
    ("minatar_chain", "twice"): 3 * 12,
    ("atari_switch", "laptop"): 2,
    ("atari_switch", "medium"): 4 * 3,
    ("atari_switch", "full"): 4 * 5,
}
"""Of `ppo` alone: worlds times seeds."""
NEEDS_BOX2D = {("gym_control", "medium"), ("gym_control", "full")}


@pytest.fixture(autouse=True)
def _craftax_and_procgen_are_installed(craftax_is_installed: None, procgen_is_installed: None) -> None:
    """Their suites are looked at where they are not, too."""


def test_these_are_the_suites_and_their_scales() -> None:
    scales = {name: load_suite(name).scales for name in shipped_suites()}
    assert {(name, scale) for name in scales for scale in scales[name]} == set(RUNS)
    assert all(suite[:3] == ("laptop", "medium", "full") for suite in scales.values())


@pytest.mark.parametrize(("name", "scale"), RUNS)
def test_a_suite_has_its_jobs_at_every_scale(name: str, scale: str) -> None:
    if (name, scale) in NEEDS_BOX2D and find_spec("Box2D") is None:
        with pytest.raises(SuiteError) as caught:
            load_suite(name, scale=scale)
        assert [problem.sentence.endswith("needs the extra `box2d`") for problem in caught.value.problems] == [True]
        return
    suite = load_suite(name, scale=scale)
    jobs = suite.jobs()
    assert suite.name == name
    assert len([job for job in jobs if job.role == "run"]) == RUNS[name, scale]
    assert len([job for job in jobs if job.role == "reference"]) == REFERENCES.get((name, scale), 0)
    assert len({job.id for job in jobs}) == len(jobs)
    assert all(job.id == job_id(job.definition) for job in jobs[:: max(1, len(jobs) // 10)])
    assert sum(len(cohort.jobs) for cohort in group(jobs, slots=2)) == len(jobs)


@pytest.mark.parametrize("name", shipped_suites())
def test_a_suite_states_its_question_and_what_decides_it(name: str) -> None:
    suite = load_suite(name)
    assert suite.question.endswith("?")
    assert suite.comparisons
    assert suite.claims
    assert suite.metric_direction is not None


@pytest.mark.parametrize("name", shipped_suites())
def test_laptop_budgets_fit_a_laptop(name: str) -> None:
    """300 to 900 core-seconds (protocols 15.0): at most 0.6 million simulated steps, or 4 million cheap ones.

    Protocols say 2.5 million of these, of the time when a step took three times as long.
    """
    jobs = load_suite(name, scale="laptop").jobs()
    steps = sum(phase["steps"] for job in jobs for phase in job.definition["sequence"]["phases"])
    simulated = any("mujoco" in job.definition["packages"] for job in jobs)
    assert steps <= (600_000 if simulated else 4_000_000)


def test_gtr_meets_the_kl_penalty_at_its_own_strength() -> None:
    for name in shipped_suites():
        cells = {cell.algorithm: cell.definition["algorithm"]["parameters"] for cell in load_suite(name).cells}
        if "ppo_kl" in cells:
            assert cells["ppo_kl"]["beta"] == cells["gtr"]["beta"]
