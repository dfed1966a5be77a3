"""Which sequences are a published world, and what is known to differ."""

from __future__ import annotations

from typing import Any

import pytest

from gtr_bench.environments.registry import families
from gtr_bench.metrics.registry import metrics
from gtr_bench.published.pairs import Pair, differences, measures, pairs, pairs_of
from gtr_bench.published.rows import environments, published_rows
from gtr_bench.suite import load_suite, parse_suite
from gtr_bench.suite.named import named_sequences

TEXT = """
[suite]
name = "own"
question = "Is it the same world?"
primary_metric = "lifetime_return"

[scale.full]
seeds = 1
steps_per_phase = 160_000

[[sequence]]
id = "one"
{keys}

[[algorithm]]
id = "ppo"
"""


def sequence(keys: str) -> dict[str, Any]:
    """The definition of a sequence with some keys."""
    found: dict[str, Any] = parse_suite(TEXT.format(keys=keys), path="own.toml").jobs()[0].definition["sequence"]
    return found


def found(keys: str) -> dict[str, list[str]]:
    """Published environment -> differences."""
    definition = sequence(keys)
    return {pair.published: differences(pair, definition) for pair in pairs_of(definition)}


@pytest.mark.parametrize("pair", pairs(), ids=lambda pair: pair.published)
def test_a_pair_is_of_a_published_environment_and_a_world_that_exists(pair: Pair) -> None:
    assert pair.published in environments()
    assert pair.sequence is None or pair.sequence in named_sequences()
    for world in set(pair.table().environments()):
        family, _, task = world.partition(":")
        # a family that comes later may have its rows paired before
        if family in families.names():
            assert task in families.get(family)().tasks()


def test_every_metric_of_ours_in_the_table_exists_and_every_published_one_is_in_a_row() -> None:
    assert {measure.ours for measure in measures().values()} <= set(metrics.names())
    assert set(measures()) <= {row.metric for row in published_rows()}


def test_a_named_sequence_is_its_published_world_whatever_it_is_called() -> None:
    assert found('use = "cartpole_offset"') == {"C-CartPole perturbed": []}
    spelled = """env = "gym:CartPole-v1"
phases = 10
max_episode_steps = 400
shift = { kind = "observation_offset", std = 2.0, first_clean = true }"""
    assert found(spelled) == {"C-CartPole perturbed": []}


@pytest.mark.parametrize(
    ("keys", "differs"),
    [
        ("phases = 4", ["4 of 10 phases"]),
        ("max_episode_steps = 500", ["episode limit"]),
        ("phases = 3\nmax_episode_steps = 500", ["3 of 10 phases", "episode limit"]),
    ],
)
def test_fewer_phases_and_another_time_limit_are_named(keys: str, differs: list[str]) -> None:
    assert found(f'use = "cartpole_offset"\n{keys}') == {"C-CartPole perturbed": differs}


@pytest.mark.parametrize(
    "keys",
    [
        'shift = { kind = "observation_offset", std = 1.0, first_clean = true }',
        'shift = { kind = "action_permutation", cycle = 2 }',
        "phases = 11",
        'env = "gym:Pendulum-v1"',
    ],
)
def test_another_shift_more_phases_or_another_environment_is_another_world(keys: str) -> None:
    assert found(f'use = "cartpole_offset"\n{keys}') == {}


def test_one_phase_is_paired_with_rows_on_the_task_alone_and_not_with_a_sequence_that_begins_so() -> None:
    assert list(found('env = "gym:CartPole-v1"')) == ["CartPole-v1"]


def test_options_that_change_the_world_end_the_pair() -> None:
    def published(options: dict[str, Any]) -> list[str]:
        phases = [{"environment": "atari:Pong", "options": options}]
        return [pair.published for pair in pairs_of({"phases": phases, "shifts": [], "max_episode_steps": None})]

    assert published({}) == []
    assert published({"sticky": 0.0}) == ["PongNoFrameskip-v4", "Pong-v5"]


@pytest.mark.parametrize(("named", "published"), [("cw10", "CW10"), ("cw20", "CW20"), ("cw5", "CW5 (v2 classes)")])
def test_meta_worlds_classes_of_another_version_are_always_a_difference(named: str, published: str) -> None:
    phases = [{"environment": task, "options": {}} for task in Pair("", named).table().environments()]
    definition = {"phases": phases, "shifts": [], "max_episode_steps": 200}
    (pair,) = pairs_of(definition)
    assert pair.published == published
    assert "classes there" in differences(pair, definition)[0]


@pytest.mark.parametrize("game", ["starpilot", "miner"])
def test_level_shifts_of_procgen_are_paired_game_by_game(game: str) -> None:
    table = Pair("", "procgen_levels_cchain", f"procgen:{game}").table()
    phases = [{"environment": f"procgen:{game}", "options": table.options_of(phase)} for phase in range(10)]
    definition = {"phases": phases, "shifts": [], "max_episode_steps": None}
    assert [pair.published for pair in pairs_of(definition)] == [f"{game} level-shift hard"]
    assert [differences(pair, definition) for pair in pairs_of(definition)] == [[]]
    easy = [{**phase, "options": {**phase["options"], "distribution_mode": "easy"}} for phase in phases]
    assert pairs_of({**definition, "phases": easy}) == []


@pytest.mark.parametrize("task", ["Ant", "HalfCheetah", "Hopper", "Humanoid", "HumanoidStandup", "Walker2d"])
def test_mujoco_tasks_of_another_version_are_always_a_difference(task: str) -> None:
    definition = {
        "phases": [{"environment": f"gym:{task}-v5", "options": {}}], "shifts": [], "max_episode_steps": None
    }  # fmt: skip
    (pair,) = pairs_of(definition)
    assert (pair.published, differences(pair, definition)) == (f"{task}-v4", [f"{task}-v4 there"])


def test_the_shipped_suite_on_classic_control_plays_the_published_protocol_at_its_full_scale() -> None:
    suite = load_suite("gym_control", scale="full")
    definitions = {cell.sequence: cell.definition["sequence"] for cell in suite.cells if cell.role == "run"}
    told = {
        name: [(pair.published, differences(pair, definition)) for pair in pairs_of(definition)]
        for name, definition in definitions.items()
    }
    assert told["cartpole_offset"] == [("C-CartPole perturbed", [])]
    if "lunar_lander_offset" in told:
        assert told["lunar_lander_offset"] == [("C-LunarLander perturbed", ["LunarLander-v2 there"])]
