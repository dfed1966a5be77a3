"""Columns are declared once; what is not declared, or twice, is told in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

from gtr_bench.algorithms.ppo import PPO
from gtr_bench.algorithms.registry import algorithms
from gtr_bench.errors import JobError, RequestError, SuiteError
from gtr_bench.learners.columns import columns_of, declarations, logged
from gtr_bench.learners.policy import PolicyLearner
from gtr_bench.plasticity.base import AddOn
from gtr_bench.plasticity.registry import add_ons
from gtr_bench.suite import parse_suite
from tests.learn.helpers import make_definition, train

SUITE = """
[suite]
name = "s"
question = "?"
primary_metric = "lifetime_return"
seeds = 1

[[sequence]]
id = "cartpole"
env = "gym:CartPole-v1"
steps_per_phase = 2048

[[algorithm]]
id = "theirs"
"""


def register(patch: pytest.MonkeyPatch, **attributes: Any) -> None:
    """PPO as another package's algorithm `theirs`."""
    algorithm = type("Theirs", (PPO,), {"name": "theirs", **attributes})
    patch.setitem(algorithms._own, "theirs", "of:another")
    patch.setitem(algorithms._loaded, "theirs", algorithm)


def test_a_job_has_the_columns_of_its_kind_and_then_those_of_its_algorithm() -> None:
    assert columns_of(make_definition("ppo")) == PolicyLearner.columns
    found = columns_of(make_definition("ppo_kl"))
    assert list(found) == [*PolicyLearner.columns, "penalty_coefficient"]


def test_an_add_on_and_a_network_declare_columns_too(monkeypatch: pytest.MonkeyPatch) -> None:
    class Sweeper(AddOn):
        name: ClassVar[str] = "sweeper"
        columns: ClassVar[Mapping[str, str]] = {"swept": "units swept"}

    monkeypatch.setitem(add_ons._loaded, "sweeper", Sweeper)
    definition = make_definition("ppo") | {"plasticity": [{"name": "sweeper", "version": 1, "parameters": {}}]}
    assert list(columns_of(definition)) == [*PolicyLearner.columns, "swept"]
    register(monkeypatch, columns={"swept": "something else"})
    definition["algorithm"]["name"] = "theirs"
    with pytest.raises(RequestError, match=r"add-on `sweeper` declares .* which the algorithm `theirs` has already"):
        columns_of(definition)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("entropy", "which the learner kind `policy` has already"),
        ("step", "which every row has"),
        ("seed", "which every row has"),
        ("no name", "which is no name of a column"),
    ],
)
def test_a_name_that_is_taken_or_impossible_is_refused_at_planning(
    monkeypatch: pytest.MonkeyPatch, name: str, why: str
) -> None:
    register(monkeypatch, columns={name: "mine"})
    with pytest.raises(SuiteError) as caught:
        parse_suite(SUITE, path="s.toml")
    (problem,) = caught.value.problems
    assert problem.sentence == f"the algorithm `theirs` declares the column `{name}`, {why}"
    assert problem.hint == "rename it in `columns`"


def test_a_diagnostic_that_is_not_declared_ends_training_at_the_first_iteration_with_the_way_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    register(monkeypatch, diagnose=lambda self, sample: {"surprise": sample.advantage.mean(1)})
    with pytest.raises(JobError) as caught:
        train(make_definition("theirs"), iterations=1)
    assert caught.value.sentence == "the algorithm `theirs` logs `surprise`, which it does not declare"
    assert caught.value.hint == "add `surprise` and its meaning to the `columns` of its class"


def test_an_algorithm_cannot_overwrite_a_column_of_every_job() -> None:
    with pytest.raises(JobError, match="logs `entropy`"):
        logged("algorithm", PPO, {"entropy": 1.0})
    assert logged("algorithm", PPO, {"policy_loss": 1.0}, PolicyLearner.columns) == {"policy_loss": 1.0}


def test_a_declared_diagnostic_is_in_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = {"columns": {"mine": "mean A"}, "diagnose": lambda self, sample: {"mine": sample.advantage.mean(1)}}
    register(monkeypatch, **mine)
    rows = train(make_definition("theirs"), iterations=2).rows_of(0)[1]
    assert list(rows)[-1] == "mine"
    assert all(isinstance(value, float) for value in rows["mine"])


def test_a_package_that_cannot_be_imported_declares_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(algorithms._own, "broken", "gtr_bench.no_such_module:Nothing")
    named = {name for _, name, _ in declarations()}
    assert "broken" not in named
    assert {"policy", "gtr", "mlp"} <= named


PACKAGES = ("suite", "schedule", "worker", "store", "report", "metrics", "compare", "cli")
FOREIGN = ("num_envs", "num_steps", "minibatch", "OnPolicy")


@pytest.mark.parametrize("package", PACKAGES)
def test_nobody_outside_knows_what_the_on_policy_learner_is_made_of(package: str) -> None:
    root = Path(__file__).parents[2] / "gtr_bench" / package
    found = [
        f"{path.name}: {word}"
        for path in sorted(root.rglob("*.py"))
        for word in FOREIGN
        if word in path.read_text(encoding="utf-8")
    ]
    assert found == []
