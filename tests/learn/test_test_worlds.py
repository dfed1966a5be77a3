"""A sequence's `test` options make a second evaluation that touches nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gtr_bench.learn.training as module
from gtr_bench.learn.training import Training
from gtr_bench.networks.conv import ConvParameters
from gtr_bench.suite.seeds import Seeds
from tests.learn.helpers import CPU, assert_same_rows, make_definition

pytest.importorskip("minatar")


def definition(test: dict[str, Any] | None) -> dict[str, Any]:
    network = {"torso": "conv", "version": 1, **ConvParameters(channels=(4,), hidden=(16,)).model_dump(mode="json")}
    made = make_definition(
        "ppo", "minatar:breakout", phases=(256, 256), evaluate_every=128, episodes=4, network=network
    )
    if test is not None:
        made["sequence"]["test"] = test
    return made


def rows(test: dict[str, Any] | None) -> tuple[dict[str, list[Any]], dict[str, list[Any]]]:
    training = Training([definition(test)], CPU)
    training.run(lambda: True)
    found = training.rows_of(0)
    training.close()
    return found


def test_every_point_has_a_return_on_the_test_world_and_all_other_numbers_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "derive_seeds", lambda definition: Seeds(1, 2, 3))  # two sequences: seeds of their own
    (without, plain_iterations), (tested, iterations) = rows(None), rows({"sticky_action_prob": 0.9})
    assert without.pop("test_return_mean") == [None] * len(without["step"])
    returns = tested.pop("test_return_mean")
    assert tested == without
    assert_same_rows(iterations, plain_iterations)
    assert np.isfinite(returns).all()
    assert returns != tested["return_mean"]


def test_a_test_world_like_the_one_trained_on_gives_the_same_returns() -> None:
    evaluations, _ = rows({"sticky_action_prob": 0.1})  # MinAtar's own value
    assert evaluations["test_return_mean"] == evaluations["return_mean"]
