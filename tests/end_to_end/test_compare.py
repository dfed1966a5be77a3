"""`gtr-bench compare` on what `gtr-bench run` trained."""

from __future__ import annotations

import json

import pytest

from tests.end_to_end.conftest import Program

pytestmark = pytest.mark.slow


def test_a_ruined_learning_rate_is_found_as_a_regression_and_a_repeated_run_as_identical(program: Program) -> None:
    program.write_suite({"cartpole": 'env = "gym:CartPole-v1"'}, ["ppo", "spo"], seeds=8, steps=16384, phases=1)
    suite = program.folder / "tiny.toml"
    text = suite.read_text().replace("epochs = 2", "epochs = 4\nlearning_rate = 0.003")
    suite.write_text(text)
    program.folder.joinpath("ruined.toml").write_text(text.replace('id = "ppo"', 'id = "ppo"\nlearning_rate = 0.3'))
    for file, results, which in (
        ("tiny.toml", "before", "ppo or spo"),
        ("ruined.toml", "after", "ppo or spo"),
        ("tiny.toml", "again", "spo"),
    ):
        trained = program("run", file, "--results", results, "-j", "1", "-k", which)
        assert trained.returncode == 0, trained.stderr

    worse = program("compare", "before", "after", "--json")
    assert worse.returncode == 1, worse.stdout
    cells = {cell["algorithm"]: cell for cell in json.loads(worse.stdout)["cells"]}
    assert cells["ppo"]["verdict"] == "worse"
    assert cells["ppo"]["parameters"] == ["learning_rate 0.003 -> 0.3"]
    assert cells["ppo"]["metrics"][0]["difference"] < 0
    assert cells["spo"]["verdict"] == "identical"

    assert program("compare", "after", "before").returncode == 0
    same = program("compare", "before", "again")
    assert same.returncode == 0
    assert same.stderr == "compared 1 cell: 1 identical; only in A: 1 cell\n"
