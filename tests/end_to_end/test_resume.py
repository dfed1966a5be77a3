"""Killed anywhere, the same command ends with the same numbers (design rule 5)."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
import pytest

from tests.helpers import wait_for

pytestmark = pytest.mark.slow

WORLDS = {
    "cartpole": 'env = "gym:CartPole-v1"\nshift = { kind = "action_permutation" }',
    "pendulum": 'env = "gym:Pendulum-v1"\nshift = { kind = "observation_offset", std = 0.5 }',
}
RUN = ("run", "tiny.toml", "--jobs", "1", "--checkpoint-every", "0.1")


def numbers(results: Path) -> dict[str, Any]:
    """Every stored number of every job that does not tell the time."""
    return {
        f"{path.parent.name}/{path.name}": parquet.read_table(path).to_pydict()
        for name in ("evaluations", "iterations")
        for path in sorted(results.glob(f"jobs/*/{name}.parquet"))
    }


def same(left: Any, right: Any) -> bool:
    """Equality to the bit, with NaN equal to itself."""
    return repr(left) == repr(right)


def worker_pids(results: Path) -> list[int]:
    beats = [json.loads(path.read_text()) for path in results.glob("cohorts/*/heartbeat.json")]
    return [beat["pid"] for beat in beats if beat["state"] in {"running", "evaluating"}]


@pytest.mark.parametrize("algorithm", ["ppo", "gtr", "oracle"])
def test_kill_dash_nine_of_everything_changes_no_number(program: Any, algorithm: str) -> None:
    program.write_suite(WORLDS, [algorithm], steps=8192, evaluate_every=2048)
    assert program(*RUN, "--results", "whole").returncode == 0
    killed = 0
    for _ in range(4):
        process = program.start(*RUN, "--results", "broken")
        results = program.folder / "broken"
        checkpoints = {path: path.stat().st_mtime_ns for path in results.glob("cohorts/*/checkpoint")}

        def progressed(before: dict[Path, int] = checkpoints, results: Path = results, process: Any = process) -> bool:
            now = {path: path.stat().st_mtime_ns for path in results.glob("cohorts/*/checkpoint")}
            return process.poll() is not None or (now != before and bool(worker_pids(results)))

        wait_for(progressed)
        if process.poll() is not None:
            break
        process.kill()
        for pid in worker_pids(results):
            try:
                os.kill(pid, signal.SIGKILL)
                killed += 1
            except ProcessLookupError:
                continue
        process.communicate()
    assert killed, "nothing was interrupted, so nothing was tested"
    assert program(*RUN, "--results", "broken").returncode == 0
    whole, broken = numbers(program.folder / "whole"), numbers(program.folder / "broken")
    assert whole.keys() == broken.keys()
    assert len(whole) == 8
    for name, table in whole.items():
        assert same(table, broken[name]), name


def test_interrupt_stops_at_a_checkpoint_and_continues_with_the_same_numbers(program: Any) -> None:
    program.write_suite(WORLDS, steps=8192, evaluate_every=4096)
    assert program(*RUN, "--results", "whole").returncode == 0
    process = program.start("run", "tiny.toml", "--jobs", "1", "--results", "broken")
    wait_for(lambda: worker_pids(program.folder / "broken"))
    process.send_signal(signal.SIGINT)
    stderr = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert "to continue: gtr-bench run tiny.toml --jobs 1 --results broken" in stderr
    again = program("run", "tiny.toml", "--jobs", "1", "--results", "broken")
    assert again.returncode == 0
    assert "1 from a checkpoint" in again.stderr
    assert same(numbers(program.folder / "whole"), numbers(program.folder / "broken"))


def test_a_worker_whose_driver_was_killed_stops_by_itself(program: Any) -> None:
    program.write_suite({"cartpole": WORLDS["cartpole"]}, steps=200_064, evaluate_every=100_032)
    process = program.start("run", "tiny.toml", "--jobs", "1")
    results = program.folder / "results"
    wait_for(lambda: worker_pids(results))
    (pid,) = worker_pids(results)
    process.kill()
    process.communicate()
    wait_for(lambda: not Path(f"/proc/{pid}").exists())
    (beat,) = [json.loads(path.read_text()) for path in results.glob("cohorts/*/heartbeat.json")]
    assert beat["state"] == "stopped"
    assert next(iter(results.glob("cohorts/*/checkpoint/state.pt"))).stat().st_size > 0
