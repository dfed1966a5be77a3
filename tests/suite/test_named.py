"""`use` of a sequence stands for keys, `vary` for options by phase, `test` for a second world."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from importlib.util import find_spec

import pytest

from gtr_bench.errors import SuiteError
from gtr_bench.suite import Suite
from gtr_bench.suite.model import SequenceTable
from gtr_bench.suite.named import named_sequences

OWN = """env = "gym:CartPole-v1"
phases = 3
steps_per_phase = 1000
shift = { kind = "action_permutation", cycle = 2 }
"""
GAME = """env = "minatar:breakout"
phases = 3
steps_per_phase = 1000
"""
CONV = """
[network]
torso = "conv"
"""
WORLDS = {
    "cw10": "5af8b39493",
    "cw20": "fbd946b0f5",
    "cw5": "c7354a2019",
    "mt10": "29f26d4b24",
    "cartpole_offset": "b66286ddec",
    "acrobot_offset": "e5327bce0e",
    "mountain_car_offset": "41ef6ebede",
    "lunar_lander_offset": "9413a0cf56",
    "slippery_ant": "69dcb2e1f3",
    "dmc_walker": "3e6aa698ef",
    "dmc_quadruped": "732e549199",
    "dmc_dog": "af89b11e38",
    "minatar3": "d41e493f00",
    "procgen_levels_trac": "d8d5fe7343",
    "procgen_levels_cchain": "692b0a0bd5",
    "procgen_levels_plasticine": "1b49fc6f67",
    "atari_6": "c4da67cc4d",
    "atari_9": "6cf98cc600",
}


def phases(suite: Suite) -> list[dict[str, object]]:
    found: list[dict[str, object]] = suite.cells[0].definition["sequence"]["phases"]
    return found


def test_a_named_sequence_is_what_its_keys_written_out_are(load: Callable[..., Suite]) -> None:
    named = load((OWN, 'use = "cartpole_offset"\nsteps_per_phase = 1000\n'))
    written = load(
        (
            OWN,
            """env = "gym:CartPole-v1"
phases = 10
steps_per_phase = 1000
max_episode_steps = 400
shift = { kind = "observation_offset", std = 2.0, first_clean = true }
normalise = { min = 0.0, max = 400.0 }
""",
        )
    )
    assert [job.id for job in named.jobs()] == [job.id for job in written.jobs()]
    assert named.worlds == written.worlds


def test_the_name_is_the_id_and_keys_beside_it_win(load: Callable[..., Suite]) -> None:
    suite = load((f'id = "swap"\n{OWN}', 'use = "cartpole_offset"\nphases = 2\nsteps_per_phase = 1000\n'))
    assert [world.id for world in suite.worlds] == ["cartpole_offset"]
    assert len(phases(suite)) == 2


def test_an_unknown_name_is_the_only_problem_of_its_sequence(load: Callable[..., Suite]) -> None:
    with pytest.raises(SuiteError) as error:
        load((OWN, 'use = "cartpol_offset"\nsteps_per_phase = 1000\n'))
    (problem,) = error.value.problems
    assert (problem.line, problem.sentence) == (16, "unknown named sequence `cartpol_offset`")
    assert problem.hint == "did you mean `cartpole_offset`?"


@pytest.mark.parametrize("name", named_sequences())
def test_a_named_sequence_is_a_valid_table_with_its_source(name: str) -> None:
    keys = dict(named_sequences()[name])
    assert keys.pop("source")
    SequenceTable.model_validate_json(json.dumps({"id": name, **keys}), strict=True)


def test_a_name_never_changes_its_worlds() -> None:
    """Stored suites say the name only: a new meaning needs a new name."""
    found = {
        name: hashlib.sha256(
            json.dumps({key: value for key, value in keys.items() if key != "source"}, sort_keys=True).encode()
        ).hexdigest()[:10]
        for name, keys in named_sequences().items()
    }
    assert {name: found.get(name) for name in WORLDS} == WORLDS
    assert found.keys() == WORLDS.keys(), "a new name gets its digest here"


def test_options_vary_from_phase_to_phase_and_a_list_starts_again(load: Callable[..., Suite]) -> None:
    suite = load((OWN, GAME + "vary = { sticky_action_prob = [0.0, 0.5] }\n"), extra=CONV)
    assert [phase["options"] for phase in phases(suite)] == [{"sticky_action_prob": p} for p in (0.0, 0.5, 0.0)]


def test_options_count_up_beside_those_that_stay() -> None:
    table = SequenceTable.model_validate_json(
        json.dumps({
            "id": "levels", "env": "some:game", "phases": 3, "options": {"num_levels": 1},
            "vary": {"start_level": {"first": 20, "step": 5}},
        }),
        strict=True,
    )  # fmt: skip
    assert [table.options_of(phase)["start_level"] for phase in range(3)] == [20, 25, 30]
    assert table.options_of(2) == {"num_levels": 1, "start_level": 30}


def test_references_are_trained_on_each_set_of_options(load: Callable[..., Suite]) -> None:
    suite = load(
        (OWN, GAME + "references = true\nvary = { sticky_action_prob = [0.0, 0.5] }\n"),
        extra=CONV,
    )
    references = [cell.definition["sequence"] for cell in suite.cells if cell.role == "reference"]
    assert [sequence["phases"][0]["options"]["sticky_action_prob"] for sequence in references] == [0.0, 0.5]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("vary = { stcky_action_prob = [0.0] }", "`minatar:breakout` has no option `stcky_action_prob`"),
        ("test = { stcky_action_prob = 0.0 }", "`minatar:breakout` has no option `stcky_action_prob`"),
        (
            "options = { channels = 4 }\nvary = { channels = [4] }",
            "sequence `swap`: `channels` stands in `options` and in `vary`",
        ),
        ("test = { channels = 7 }", "`minatar:breakout` shows an image of 7 x 10 x 10 (uint8), the phases before "),
    ],
)
def test_options_that_make_no_sense_are_refused(line: str, sentence: str, load: Callable[..., Suite]) -> None:
    with pytest.raises(SuiteError) as error:
        load((OWN, GAME + line + "\n"), extra=CONV)
    assert any(problem.sentence.startswith(sentence) for problem in error.value.problems), error.value.problems


def test_a_test_world_is_part_of_a_job_only_where_there_is_one(load: Callable[..., Suite]) -> None:
    without = load((OWN, GAME), extra=CONV).cells[0].definition["sequence"]
    tested = load((OWN, GAME + "test = { sticky_action_prob = 0.0 }\n"), extra=CONV).cells[0].definition["sequence"]
    assert "test" not in without
    assert tested == without | {"test": {"sticky_action_prob": 0.0}}


@pytest.mark.parametrize("metric", ["test_return", "generalisation_gap"])
def test_metrics_of_a_test_world_need_one(metric: str, load: Callable[..., Suite]) -> None:
    with pytest.raises(SuiteError) as error:
        load(('primary_metric = "lifetime_return"', f'primary_metric = "{metric}"'))
    assert error.value.problems[0].sentence == f"`{metric}` needs `test` options in sequence `swap`"


@pytest.mark.parametrize("line", ["options", "vary", "test"])
def test_a_number_that_is_none_is_refused_at_its_place_wherever_options_stand(
    line: str, load: Callable[..., Suite]
) -> None:
    value = "[0.0, nan]" if line == "vary" else "nan"
    with pytest.raises(SuiteError) as error:
        load((OWN, GAME + f"references = true\n{line} = {{ sticky_action_prob = {value} }}\n"), extra=CONV)
    assert [problem.line for problem in error.value.problems] == [20]
    assert "nan" in error.value.problems[0].sentence


def test_bounds_by_name_that_change_with_varied_options_are_refused(load: Callable[..., Suite]) -> None:
    if find_spec("procgen") is None:
        pytest.skip("procgen is not installed")
    levels = GAME.replace("minatar:breakout", "procgen:starpilot") + 'normalise = "procgen"\n'
    kept = load((OWN, levels + "vary = { start_level = [1, 2, 3] }\n"), extra=CONV)
    assert kept.worlds[0].normalise == {"procgen:starpilot": (1.5, 35.0)}
    with pytest.raises(SuiteError) as error:
        load((OWN, levels + 'vary = { distribution_mode = ["easy", "hard"] }\n'), extra=CONV)
    assert error.value.problems[0].sentence == (
        "the bounds `procgen` of `procgen:starpilot` change with the options that `vary`"
    )
