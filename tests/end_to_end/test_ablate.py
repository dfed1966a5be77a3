"""`gtr-bench ablate` as a user runs it."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from tests.end_to_end.conftest import Program
from tests.helpers import wait_for

CARTPOLE = 'env = "gym:CartPole-v1"\nshift = { kind = "action_permutation", cycle = 2 }'
STUDY = ("ablate", "--suite", "tiny.toml", "--seeds", "2", "--trials", "3", "--study", "mine", "-j", "1")

pytestmark = pytest.mark.slow


def jobs_done(program: Program) -> int:
    return len(list((program.folder / "results" / "jobs").glob("*/job.parquet")))


def test_a_study_trains_prints_and_prints_again_at_once(program: Program) -> None:
    program.write_suite({"swap": CARTPOLE}, ["gtr", "ppo"])
    first = program(*STUDY, "--param", "sigma", "--plot", "response.svg")
    assert first.returncode == 0, first.stderr
    assert "sigma: lifetime_return" in first.stdout
    assert "this project's reconstruction" in first.stdout
    assert jobs_done(program) == 12
    assert (program.folder / "response.svg").stat().st_size > 1000
    again = program(*STUDY, "--param", "sigma")
    assert again.stdout == first.stdout
    assert "started" not in again.stderr
    data = json.loads(program(*STUDY, "--param", "sigma", "--json").stdout)
    assert len(data["records"]["trials"]) == 3
    assert data["records"]["trials"][0]["setting"] == {"sigma": 0.5}
    page = program(*STUDY, "--param", "sigma", "--format", "html").stdout
    assert page.startswith("<!doctype html>")


def test_run_and_ablate_share_their_jobs(program: Program) -> None:
    program.write_suite({"swap": CARTPOLE}, ["gtr"])
    assert program("run", "tiny.toml", "-j", "1").returncode == 0
    ended = program(*STUDY[:-2], "--param", "sigma", "--no-reference", "-j", "1")
    assert ended.returncode == 0, ended.stderr
    # two of the study's six jobs are the suite's own
    assert jobs_done(program) == 6
    assert "4 jobs in" in ended.stderr


def test_a_killed_study_continues_where_it_was(program: Program) -> None:
    program.write_suite({"swap": CARTPOLE}, ["gtr"], steps=2048)
    running = program.start(*STUDY, "--param", "sigma", "--no-reference", "--cohort", "1")
    wait_for(lambda: jobs_done(program) >= 2)
    running.send_signal(signal.SIGKILL)
    running.wait()
    ended = program(*STUDY, "--param", "sigma", "--no-reference", "--cohort", "1")
    assert ended.returncode == 0, ended.stderr
    assert jobs_done(program) == 6


def test_an_adaptive_study_asks_in_batches(program: Program) -> None:
    program.write_suite({"swap": CARTPOLE}, ["gtr"])
    ended = program(*STUDY, "--param", "sigma", "--no-reference", "--sampler", "tpe", "--batch", "2", "--json")
    assert ended.returncode == 0, ended.stderr
    assert len(json.loads(ended.stdout)["records"]["trials"]) == 3


def test_the_path_from_ppo_to_gtr_is_decided_step_by_step(program: Program) -> None:
    program.write_suite({"swap": CARTPOLE}, ["gtr"])
    ended = program("ablate", "--path", "--suite", "tiny.toml", "--seeds", "2", "-j", "1")
    assert ended.returncode == 0, ended.stderr
    for step in ("penalty vs ppo", "with_kernel vs penalty", "with_gate vs with_surrogate"):
        assert step in ended.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("ablate",), "needs `--param NAME` or `--path`"),
        (("ablate", "--param", "sigmma"), "did you mean `sigma`"),
        (("ablate", "--param", "sigma", "--range", "beta=1:2"), "`beta`, which is no `--param`"),
        (("ablate", "--param", "sigma", "--range", "sigma=0:1:log"), "starts above 0"),
        (("ablate", "--param", "sigma", "--suite", "kernel_ablatoin"), "there is no suite"),
        (("ablate", "--param", "sigma", "--seeds", "x"), "should be a count or a list"),
        (("ablate", "--param", "sigma", "--study", "../x"), "is not a usable name"),
        (("ablate", "--param", "sigma", "--plot", "x.jpg"), "should end in"),
        (("ablate", "--path", "--components", "kernle"), "kernel"),
    ],
)
def test_bad_requests_end_with_a_sentence(program: Program, arguments: tuple[str, ...], words: str) -> None:
    ended = program(*arguments)
    assert ended.returncode == 2
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not Path(program.folder, "results", "jobs").exists() or not os.listdir(program.folder / "results" / "jobs")
