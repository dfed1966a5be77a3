"""`gtr-bench train`: a suite of one without a file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gtr_bench.suite.load import parse_suite
from tests.cli.conftest import Cli

ASKED = ("train", "--algorithm", "ppo", "--env", "gym:CartPole-v1", "--steps", "20480")


def written(cli: Cli) -> Path:
    (suite,) = cli.results.glob("studies/*/suite.toml")
    return suite


def test_one_algorithm_trains_in_one_world_and_its_suite_is_kept_for_other_commands(cli: Cli) -> None:
    done = cli(*ASKED, "--seeds", "3,5", "--set", "learning_rate=1e-3", "--set", "advantage_normalisation=batch")
    assert (done.returncode, done.stdout) == (0, "")
    path = written(cli)
    relative = path.relative_to(cli.folder)
    assert done.stderr.splitlines()[-1] == f"next: gtr-bench report results --suite {relative}"
    suite = parse_suite(path.read_text(), path=str(path))
    assert suite.name == path.parent.name
    assert [(job.seed, job.algorithm, job.sequence) for job in suite.jobs()] == [
        (3, "ppo", "gym-CartPole-v1"),
        (5, "ppo", "gym-CartPole-v1"),
    ]
    parameters = suite.jobs()[0].definition["algorithm"]["parameters"]
    assert (parameters["learning_rate"], parameters["advantage_normalisation"]) == (0.001, "batch")
    assert suite.jobs()[0].definition["sequence"]["phases"][0]["steps"] == 20480
    again = cli(*ASKED, "--seeds", "3,5", "--set", "learning_rate=1e-3", "--set", "advantage_normalisation=batch")
    assert "2 jobs, 2 done before" in again.stderr
    reported = cli("report", "--suite", str(relative))
    assert reported.returncode == 0
    assert reported.stdout.startswith(f"{suite.name}, scale laptop\n")


def test_another_request_is_another_suite(cli: Cli) -> None:
    assert cli(*ASKED).returncode == 0
    assert cli(*ASKED, "--set", "gamma=0.9").returncode == 0
    assert len(list(cli.results.glob("studies/*/suite.toml"))) == 2


def test_images_need_the_torso_that_is_asked_for(cli: Cli) -> None:
    images = ("train", "--algorithm", "ppo", "--env", "minatar:breakout", "--steps", "2048")
    refused = cli(*images)
    assert refused.returncode == 2
    assert 'write `torso = "conv"`' in refused.stderr
    assert cli(*images, "--torso", "conv").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--algorithm", "ppoo"), "unknown algorithm `ppoo`"),
        (("--steps", "20481"), "`steps_per_phase` 20481 is not a multiple of `num_envs` 8"),
        (("--set", "sigma=1"), "unknown key `sigma`"),
        (("--set", "gamma"), "`--set gamma` should be `NAME=VALUE`"),
        (("--set", "gamma=1\nx = 2"), "`gamma` should be a number"),
        (("--set", "gamma=0.9", "--set", "gamma=0.8"), "`--set` names `gamma` twice"),
        (("--seeds", "0"), "`--seeds 0` needs at least one seed"),
        (("--seeds", "x"), "`--seeds x` should be a count or a list"),
    ],
)
def test_what_is_wrong_with_a_request_is_said_and_nothing_is_written(
    cli: Cli, arguments: tuple[str, ...], expected: str
) -> None:
    done = cli(*ASKED, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert expected in done.stderr
    assert not cli.results.exists()


def test_the_package_itself_is_a_command(tmp_path: Path) -> None:
    command: list[Any] = [sys.executable, "-m", "gtr_bench", "--version"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.startswith("gtr-bench ")
