"""A learner kind of another package, beside the on-policy one in the same suite, through the whole program."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

PACKAGE = Path(__file__).parents[1] / "learner_package"

SUITE = """
[suite]
name = "mixed"
question = "Does a random walk beat PPO?"
primary_metric = "lifetime_return"
comparisons = [["counter", "ppo"]]
seeds = 2

[training]
num_envs = 4
num_steps = 32
stride = 64

[network]
hidden = [8]

[evaluation]
every = 256
episodes = 1

[[sequence]]
id = "cartpole"
env = "gym:CartPole-v1"
phases = 2
steps_per_phase = 512
shift = { kind = "action_permutation", cycle = 2 }

[[algorithm]]
id = "counter"

[[algorithm]]
id = "quitter"
use = "counter"
gives_up_at = 576
"""
PPO = '\n[[algorithm]]\nid = "ppo"\n'


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """`gtr-bench` in `folder` with the package installed."""
    paths = [str(PACKAGE), *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.Popen(
        [sys.executable, "-m", "gtr_bench.cli", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def program(folder: Path, *arguments: str) -> Any:
    process = start(folder, *arguments)
    stdout, stderr = process.communicate(timeout=300)
    assert process.returncode == 0, stderr
    return json.loads(stdout) if "--json" in arguments and arguments[0] != "run" else stdout


def rows(results: Path) -> dict[str, list[Any]]:
    return {
        f"{path.parent.name}/{path.name}": pq.read_table(path).to_pylist()
        for name in ("evaluations", "iterations")
        for path in sorted(results.glob(f"jobs/*/{name}.parquet"))
    }


@pytest.mark.slow
def test_two_kinds_of_one_suite_are_planned_trained_reported_and_compared(tmp_path: Path) -> None:
    (tmp_path / "mixed.toml").write_text(SUITE + PPO)
    plan = program(tmp_path, "plan", "mixed.toml", "--json")
    assert (plan["jobs"], plan["cohorts"]) == (6, 5)  # the kind's jobs train alone, PPO's two seeds together
    program(tmp_path, "run", "mixed.toml", "--jobs", "1")
    summaries = [pq.read_table(path).to_pylist()[0] for path in tmp_path.glob("results/jobs/*/job.parquet")]
    assert sorted((each["algorithm"], each["learner"], each["status"]) for each in summaries) == sorted(
        [("counter", "counter", "complete")] * 2
        + [("quitter", "counter", "diverged")] * 2
        + [("ppo", "policy", "complete")] * 2
    )
    for each in summaries:
        definition = json.loads(each["definition"])
        names = pq.read_schema(tmp_path / "results/jobs" / each["job"] / "iterations.parquet").names
        if each["learner"] == "counter":
            assert (definition["learn"], definition["network"]) == (3, {})
            assert set(definition["algorithm"]["parameters"]) == {"stride", "drift", "pause", "gives_up_at"}
            assert names == ["job", "iteration", "step", "phase", "episodes", "level", "walk_noise"]
        else:
            assert definition["network"]["hidden"] == [8]
            assert "exact_kl" in names
            assert "level" not in names
    report = program(tmp_path, "report", "--json")
    (suite,) = report["suites"]
    cells = {cell["algorithm"]: (cell["n"], cell["diverged"]) for cell in suite["tables"][0]["cells"]}
    assert cells == {"counter": (2, 0), "quitter": (2, 2), "ppo": (2, 0)}
    (claim,) = suite["claims"]
    assert claim["n"] == 2
    program(tmp_path, "export", "--what", "iterations", "--out", "tidy.parquet")
    table = pq.read_table(tmp_path / "tidy.parquet")
    walked = [row for row in table.to_pylist() if row["algorithm"] == "counter"]
    assert walked
    assert all(row["level"] is not None and row["exact_kl"] is None for row in walked)
    compared = program(tmp_path, "compare", "results", "results", "--json")
    assert {cell["algorithm"]: cell["verdict"] for cell in compared["cells"]} == dict.fromkeys(cells, "identical")


@pytest.mark.slow
def test_a_kind_killed_anywhere_continues_from_its_folder_with_the_same_numbers(tmp_path: Path) -> None:
    alone = SUITE.replace("num_envs = 4\nnum_steps = 32\n", "").replace("[network]\nhidden = [8]\n", "")
    slow = alone.replace("comparisons", "#comparisons").replace('id = "counter"', 'id = "counter"\npause = 0.2')
    (tmp_path / "mixed.toml").write_text(slow)
    run = ("run", "mixed.toml", "--jobs", "4", "--checkpoint-every", "0.2")
    program(tmp_path, *run, "--results", "whole")
    broken = tmp_path / "broken"
    process = start(tmp_path, *run, "--results", "broken")
    deadline = time.monotonic() + 60
    while len(list(broken.glob("cohorts/*/checkpoint/parts/walk.json"))) < 2:
        assert time.monotonic() < deadline, "no checkpoint in a minute"
        assert process.poll() is None, "nothing was interrupted, so nothing was tested"
        time.sleep(0.02)
    process.kill()
    for path in broken.glob("cohorts/*/heartbeat.json"):
        try:
            os.kill(json.loads(path.read_text())["pid"], 9)
        except ProcessLookupError:
            continue
    process.communicate()
    again = start(tmp_path, *run, "--results", "broken")
    _, stderr = again.communicate(timeout=120)
    assert again.returncode == 0, stderr
    assert "from a checkpoint" in stderr
    assert rows(tmp_path / "whole") == rows(broken)
    assert not list(broken.glob("cohorts/*/checkpoint*"))


def refused(folder: Path, text: str) -> str:
    """What a plan of the suite says against it."""
    (folder / "mixed.toml").write_text(text)
    process = start(folder, "plan", "mixed.toml")
    _, stderr = process.communicate(timeout=120)
    assert process.returncode == 2
    return stderr


def test_what_no_kind_in_use_reads_is_refused(tmp_path: Path) -> None:
    misspelt = refused(tmp_path, SUITE.replace("stride = 64", "stryde = 64") + PPO)
    assert "unknown key `stryde` in `training`" in misspelt
    assert "did you mean `stride`?" in misspelt
    alone = refused(tmp_path, SUITE.replace("comparisons", "#comparisons"))
    assert "unknown key `num_envs` in `training`" in alone
    assert "no algorithm of this suite has a network" in alone
