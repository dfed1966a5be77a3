"""Grids and the precedence of training settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gtr_bench.errors import SuiteError
from gtr_bench.suite import Suite

from .conftest import ONE_SETTING

Load = Callable[..., Suite]

GTR = "sigma = 0.5"


def parameters(suite: Suite, algorithm: str) -> dict[str, Any]:
    (cell,) = [cell for cell in suite.cells if cell.algorithm == algorithm and cell.role == "run"]
    found: dict[str, Any] = cell.definition["algorithm"]["parameters"]
    return found


def test_a_grid_crosses_its_values_and_labels_every_setting(load: Load) -> None:
    suite = load((GTR, 'grid = { sigma = [0.1, 1], kernel = ["gaussian", "cauchy"] }'), ONE_SETTING)
    assert suite.algorithms == (
        "ppo",
        "gtr[sigma=0.1,kernel=gaussian]",
        "gtr[sigma=0.1,kernel=cauchy]",
        "gtr[sigma=1,kernel=gaussian]",
        "gtr[sigma=1,kernel=cauchy]",
    )
    found = parameters(suite, "gtr[sigma=1,kernel=cauchy]")
    assert (found["sigma"], found["kernel"]) == (1.0, "cauchy")
    assert isinstance(found["sigma"], float)


def test_tied_rows_go_together_and_cross_with_a_grid(load: Load) -> None:
    tied = "tied = [{ sigma = 0.1, beta = 10 }, { sigma = 1.0, beta = 0.1 }]\ngrid = { anchors = [1, 4] }"
    suite = load((GTR, tied), ONE_SETTING)
    assert suite.algorithms[1:] == (
        "gtr[anchors=1,sigma=0.1,beta=10]",
        "gtr[anchors=1,sigma=1.0,beta=0.1]",
        "gtr[anchors=4,sigma=0.1,beta=10]",
        "gtr[anchors=4,sigma=1.0,beta=0.1]",
    )


def test_a_comparison_may_name_a_setting_of_a_grid(load: Load) -> None:
    suite = load((GTR, "grid = { sigma = [0.1, 1.0] }"), ('[["gtr", "ppo"]]', '[["gtr[sigma=0.1]", "ppo"]]'))
    assert suite.comparisons == (("gtr[sigma=0.1]", "ppo"),)


def test_an_algorithm_may_have_a_name_of_its_own(load: Load) -> None:
    suite = load((GTR, 'sigma = 0.5\n[[algorithm]]\nid = "wide"\nuse = "gtr"\nsigma = 2.0'))
    assert parameters(suite, "wide")["sigma"] == 2.0
    assert suite.cells[-1].definition["algorithm"]["name"] == "gtr"


LEVELS = (
    ("num_envs = 4", "num_envs = 4\nlearning_rate = 0.1"),
    ("phases = 3", "phases = 3\ntraining.learning_rate = 0.2"),
    ("", "[scale.x]\ntraining.learning_rate = 0.3\n"),
    ("[[sequence]]", "[scale.x.sequence.swap]\ntraining.learning_rate = 0.4\n[[sequence]]"),
    (GTR, "sigma = 0.5\nlearning_rate = 0.5"),
)


@pytest.mark.parametrize("count", range(1, len(LEVELS) + 1))
def test_the_level_nearer_to_the_algorithm_wins(count: int, load: Load) -> None:
    scale = ("[[sequence]]", "[scale.x]\n[[sequence]]") if count < 3 else ("", "")
    suite = load(*LEVELS[:count], scale)
    assert parameters(suite, "gtr")["learning_rate"] == pytest.approx(count / 10)
    assert parameters(suite, "ppo")["learning_rate"] == pytest.approx(min(count, 4) / 10)


def test_training_settings_do_not_reach_what_an_algorithm_fixes_itself(load: Load) -> None:
    training = ("num_envs = 4", "num_envs = 4\nepochs = 7\nlearning_rate = 0.1\nentropy_coefficient = 0.02")
    suite = load(training, (GTR, 'sigma = 0.5\n[[algorithm]]\nid = "a2c"'))
    found = parameters(suite, "a2c")
    assert (found["num_envs"], found["entropy_coefficient"]) == (4, 0.02)
    assert (found["epochs"], found["learning_rate"]) == (1, 7e-4)
    assert parameters(suite, "ppo")["epochs"] == 7


def test_an_algorithms_own_table_reaches_even_what_it_fixes_by_default(load: Load) -> None:
    suite = load((GTR, 'sigma = 0.5\n[[algorithm]]\nid = "a2c"\nlearning_rate = 0.01'))
    assert parameters(suite, "a2c")["learning_rate"] == 0.01


def test_every_parameter_is_written_out_defaults_included_but_for_later_ones_at_theirs(load: Load) -> None:
    from gtr_bench.algorithms.registry import algorithms

    suite, later = load(), {"reward_factor", "value_target"}
    for name in ("ppo", "gtr"):
        assert set(parameters(suite, name)) == set(algorithms.get(name).Parameters.model_fields) - later
    suite = load((GTR, "sigma = 0.5\nreward_factor = 0.5"))
    assert parameters(suite, "gtr")["reward_factor"] == 0.5


def test_a_parameter_of_other_algorithms_is_told_to_be_theirs(load: Load) -> None:
    with pytest.raises(SuiteError) as raised:
        load(('id = "ppo"', 'id = "ppo"\nsigma = 0.5'))
    (problem,) = raised.value.problems
    assert problem.sentence == "unknown key `sigma` in `algorithm`"
    assert "`gtr`" in str(problem.hint)
    assert " it; did you mean `gamma`?" in str(problem.hint)
