"""`gtr-bench tune` as a user runs it: trials, the tuned suite, its run and what the report says of it."""

from __future__ import annotations

import json
import signal
import tomllib

import pytest

from tests.end_to_end.conftest import Program
from tests.helpers import wait_for

CARTPOLE = 'env = "gym:CartPole-v1"\nshift = { kind = "action_permutation", cycle = 2 }'
TUNE = ("tune", "tiny.toml", "--budget", "3", "--seeds", "1", "-j", "1", "--no-progress")

pytestmark = pytest.mark.slow


def jobs_done(program: Program) -> int:
    return len(list((program.folder / "results" / "jobs").glob("*/job.parquet")))


def test_a_suite_is_tuned_run_and_reported_with_where_its_values_come_from(program: Program) -> None:
    program.write_suite({"swap": CARTPOLE}, ["ppo", "gtr"], seeds=1, steps=512, phases=4)
    tuned = program(*TUNE)
    assert tuned.returncode == 0, tuned.stderr
    assert "3 trials per algorithm by qmc, on seeds 9000" in tuned.stdout
    assert "phases trained: swap 2 of 4" in tuned.stdout
    assert jobs_done(program) == 6
    text = (program.folder / "tuned.toml").read_text()
    again = program(*TUNE, "--json")
    assert "started" not in again.stderr
    assert (program.folder / "tuned.toml").read_text() == text.replace("--no-progress", "--no-progress --json")
    trials = {each["algorithm"]: each["trials"] for each in json.loads(again.stdout)["algorithms"]}
    assert [len(trials["ppo"]), len(trials["gtr"])] == [3, 3]
    (program.folder / "tuned.toml").write_text(text)
    ran = program("run", "tuned.toml", "-j", "1", "--no-progress")
    assert ran.returncode == 0, ran.stderr
    assert jobs_done(program) == 8
    shown = program("report", "--suite", "tuned.toml").stdout
    assert "tuned by lifetime_return (higher is better) with 3 trials per algorithm (qmc) on seeds 9000" in shown
    assert "edited after tuning" not in shown
    values = tomllib.loads(text)["tuned"]["algorithm"]["gtr"]["values"]
    edited = text.replace(f"sigma = {values['sigma']}", "sigma = 0.123", 1)
    (program.folder / "edited.toml").write_text(edited)
    assert "edited after tuning" in program("report", "--suite", "edited.toml").stdout


def test_a_killed_tuning_continues_where_it_was(program: Program) -> None:
    program.write_suite({"swap": CARTPOLE}, ["ppo", "spo"], seeds=1, steps=2048)
    running = program.start(*TUNE, "--cohort", "1")
    wait_for(lambda: jobs_done(program) >= 2)
    running.send_signal(signal.SIGKILL)
    running.wait()
    before = {path: path.stat().st_mtime_ns for path in program.folder.glob("results/jobs/*/job.parquet")}
    assert 2 <= len(before) < 6
    assert not (program.folder / "tuned.toml").exists()
    ended = program(*TUNE, "--cohort", "1")
    assert ended.returncode == 0, ended.stderr
    assert jobs_done(program) == 6
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert (program.folder / "tuned.toml").exists()
