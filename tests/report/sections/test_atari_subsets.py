"""The estimate of the 57 games' median: where it appears, and from what."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gtr_bench.environments.atari_games import scores, subsets
from gtr_bench.report.build import build_report
from gtr_bench.report.collect import collect
from gtr_bench.report.formats import FORMATS, render
from gtr_bench.report.scores import load_evaluations, scores_of
from gtr_bench.suite.load import parse_suite

from ..conftest import LEVELS, write_job

SUITE = """
[suite]
name = "atari"
question = "How good is it at Atari?"
primary_metric = "lifetime_return"

[network]
torso = "conv"
kernel = 8
stride = 4
pixels = "byte"

[evaluation]
every = 1024
episodes = 1

[scale.full]
seeds = 3
steps_per_phase = 4096

[[algorithm]]
id = "ppo"
"""
GAMES = tuple(subsets()["atari5"])

Write = Callable[[str], Path]


def suite_of(games: tuple[str, ...], normalise: str) -> str:
    return SUITE + "".join(
        f'\n[[sequence]]\nid = "{game}"\nenv = "atari:{game}"\nnormalise = {normalise}\n' for game in games
    )


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    def results(text: str) -> Path:
        for job in parse_suite(text, path="atari.toml", scale="full").jobs():
            monkeypatch.setitem(LEVELS, job.sequence, scores()[job.sequence])
            write_job(tmp_path, job, text)
        return tmp_path

    pytest.importorskip("ale_py")
    return results


def test_the_subset_appears_with_all_its_games_and_is_estimated_from_their_means(write: Write) -> None:
    results = write(suite_of(GAMES, '"human"'))
    report = build_report([results])
    (suite,) = report.suites
    (found,) = suite.atari_subsets
    means = {cell.sequence: cell.value for cell in suite.tables[0].cells}
    x = [np.log10(1 + 100 * (means[game] - scores()[game][0]) / np.diff(scores()[game])[0]) for game in GAMES]
    expected = (10 ** np.dot(list(subsets()["atari5"].values()), x) - 1) / 100
    assert (found.subset, found.metric, found.algorithm) == ("atari5", "lifetime_return", "ppo")
    assert found.value.value == pytest.approx(expected)
    assert found.value.low < found.value.value < found.value.high
    assert all("atari5" in render(report, each) for each in FORMATS)
    assert json.loads(render(report, "json"))["suites"][0]["atari_subsets"][0]["subset"] == "atari5"


@pytest.mark.parametrize(
    ("games", "normalise"), [(GAMES[:4], '"human"'), (GAMES, "{ min = 0.0, max = 1.0 }")], ids=["four", "other bounds"]
)
def test_without_a_game_or_with_other_bounds_there_is_no_estimate(
    write: Write, games: tuple[str, ...], normalise: str
) -> None:
    report = build_report([write(suite_of(games, normalise))])
    assert report.suites[0].atari_subsets is None
    assert "atari_subsets" not in json.loads(render(report, "json"))["suites"][0]


def test_phases_of_a_sequence_are_normalised_each_by_its_own_game(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ale_py")
    text = SUITE + (
        '\n[[sequence]]\nid = "switch"\ntasks = ["atari:Pong", "atari:SpaceInvaders"]\nnormalise = "human"\n'
        "options = { full_action_space = true }\n"
    )
    suite = parse_suite(text, path="atari.toml", scale="full")
    assert suite.worlds[0].normalise == {"atari:Pong": (-20.7, 14.6), "atari:SpaceInvaders": (148.0, 1668.7)}
    assert suite.worlds[0].normalised_by == "human"
    monkeypatch.setitem(LEVELS, "switch", (0.0, 0.0))
    for job in suite.jobs():
        write_job(tmp_path, job, text)
    (found,) = collect([tmp_path], None, warn=print)
    scores_here = scores_of(found, load_evaluations(found.records, warn=print))
    run = scores_here.run(found.records[0], "return", scaled=True)
    for phase, (low, high) in enumerate(((-20.7, 14.6), (148.0, 1668.7))):
        assert run.curve(phase) == pytest.approx((0.0 - low) / (high - low))
