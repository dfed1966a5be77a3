"""The worker process: exit codes, heartbeat, files, and that stopping it changes no number."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch

from tests.helpers import wait_for

pytestmark = pytest.mark.slow


def rows(job: Path) -> list[Any]:
    return [pq.read_table(job / f"{name}.parquet").to_pylist() for name in ("evaluations", "iterations")]


def test_a_cohort_ends_with_a_summary_per_job_and_no_checkpoint(cohort: Any) -> None:
    small = cohort(algorithm="gtr")
    assert small.run() == 0
    heartbeat = small.heartbeat()
    assert (heartbeat["state"], heartbeat["step"], heartbeat["failure"]) == ("done", 2048, None)
    assert not (small.folder / "checkpoint").is_dir()
    for member, job in enumerate(small.jobs):
        assert sorted(file.name for file in job.iterdir()) == [
            "evaluations.parquet",
            "iterations.parquet",
            "job.parquet",
            "policy.safetensors",
        ]
        (summary,) = pq.read_table(job / "job.parquet").to_pylist()
        assert (summary["status"], summary["steps"], summary["member"], summary["seed"]) == (
            "complete",
            2048,
            member,
            member,
        )
        assert summary["peak_memory_bytes"] > 50 << 20
        assert summary["peak_device_memory_bytes"] is None
        assert json.loads(summary["hardware"])["vector_level"].split()[0] == torch.backends.cpu.get_cpu_capability()
        points = [row["point"] for row in rows(job)[0]]
        assert points == ["start", "before_shift", "after_shift", "end"]
        assert [row["step"] for row in rows(job)[1]] == list(range(128, 2049, 128))


@pytest.mark.parametrize("environment", ["gym:Pendulum-v1", "gym:Hopper-v5"])
def test_stopping_and_continuing_changes_no_number(cohort: Any, environment: str) -> None:
    whole = cohort("whole", algorithm="gtr", environment=environment, steps=4096)
    assert whole.run() == 0
    stopped = cohort("stopped", algorithm="gtr", environment=environment, steps=4096)
    process = stopped.start()
    wait_for(lambda: (stopped.folder / "heartbeat.json").exists() and stopped.heartbeat()["state"] == "running")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 75
    assert stopped.heartbeat()["state"] == "stopped"
    assert 0 < stopped.heartbeat()["step"] < 8192
    assert stopped.run() == 0
    for one, other in zip(whole.jobs, stopped.jobs, strict=True):
        assert rows(one) == rows(other)


def test_a_damaged_checkpoint_is_put_aside_and_the_cohort_trained_anew_with_the_same_numbers(
    cohort: Any,
) -> None:
    whole, small = cohort("whole"), cohort("small", checkpoint_seconds=0.0)
    assert whole.run() == 0
    process = small.start()
    wait_for(lambda: (small.folder / "checkpoint").is_dir())
    process.kill()
    process.communicate(timeout=60)
    for path in small.folder.glob("checkpoint*/state.pt"):  # it may have been killed while it replaced one by another
        os.truncate(path, min(1000, path.stat().st_size - 1))
    with small.start() as process:
        output = process.communicate(timeout=120)[0].decode()
    assert process.returncode == 0
    assert "its files differ from its `SHA256SUMS`; kept as `checkpoint.damaged`, the cohort is trained anew" in output
    assert "trained anew" in small.heartbeat()["note"]
    assert (small.folder / "checkpoint.damaged" / "worker.json").exists()
    for one, other in zip(whole.jobs, small.jobs, strict=True):
        assert rows(one) == rows(other)


def test_a_checkpoint_of_an_earlier_version_is_passed_over_with_a_word(cohort: Any) -> None:
    small = cohort()
    (small.folder / "checkpoint.pt").write_bytes(b"of an earlier version")
    with small.start() as process:
        output, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    assert b"`checkpoint.pt` is of an earlier version: removed, the cohort is trained anew" in output
    assert not list(small.folder.glob("checkpoint*"))


def test_a_start_up_failure_is_told_in_the_heartbeat(cohort: Any) -> None:
    broken = cohort(environment="fault:startup")
    assert broken.run() == 1
    failure = broken.heartbeat()["failure"]
    assert (failure["reason"], failure["startup"]) == ("error", True)
    assert "fault:startup" in failure["message"] or "startup" in failure["message"]


def test_an_environment_that_ends_the_process_is_an_error_and_no_stop(cohort: Any) -> None:
    broken = cohort(environment="fault:exit")
    assert broken.run() == 1
    failure = broken.heartbeat()["failure"]
    assert (failure["reason"], failure["message"], failure["startup"]) == ("error", "SystemExit: 75", True)


@pytest.mark.parametrize(("number", "code"), [(errno.ENOSPC, 74), (errno.EINVAL, 1)])
def test_a_disk_that_refuses_is_told_by_the_exit_code(cohort: Any, number: int, code: int) -> None:
    small = cohort()
    script = (
        "import sys, gtr_bench.worker.run as run\n"
        f"def refuse(*arguments): raise OSError({number}, 'No space left on device')\n"
        "run.run_cohort = refuse\n"
        "from gtr_bench.worker.__main__ import main\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    worker = subprocess.run([sys.executable, "-c", script, str(small.folder / "cohort.json")], capture_output=True)
    assert worker.returncode == code, worker.stderr
    assert small.heartbeat()["failure"]["reason"] == "error"


def test_running_out_of_memory_is_called_oom(cohort: Any) -> None:
    broken = cohort(environment="fault:memory")
    assert broken.run() == 1
    assert broken.heartbeat()["failure"]["reason"] == "oom"


def test_a_worker_whose_parent_dies_stops_with_a_checkpoint(cohort: Any) -> None:
    long = cohort(steps=400_000)
    orphan(long, "os.environ['GTR_BENCH_DRIVER'] = str(os.getpid())")
    wait_for(lambda: bool(long.heartbeat()["state"] == "stopped"))
    assert (long.folder / "checkpoint").is_dir()
    assert not any((job / "job.parquet").exists() for job in long.jobs)


def test_a_worker_without_a_driver_outlives_whoever_started_it_and_ends_well(cohort: Any) -> None:
    detached = cohort(steps=40_000)
    orphan(detached, "os.environ.pop('GTR_BENCH_DRIVER', None)")
    before = detached.heartbeat()
    assert before["state"] in {"running", "evaluating"}
    wait_for(lambda: bool(detached.heartbeat()["state"] in {"done", "stopped"}))
    assert detached.heartbeat()["state"] == "done"
    assert before["step"] < detached.heartbeat()["step"] == 80_000


def test_a_preempted_worker_says_where_it_began_and_how_much_memory_it_took(cohort: Any) -> None:
    small = cohort(steps=40_000)
    process = small.start()
    wait_for(lambda: (small.folder / "heartbeat.json").exists() and small.heartbeat()["state"] == "running")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    first = small.heartbeat()
    assert (first["state"], first["first_step"], first["peak_device_memory_bytes"]) == ("stopped", 0, None)
    assert 50 << 20 < first["peak_memory_bytes"] < 4 << 30
    process = small.start()
    wait_for(lambda: bool(small.heartbeat()["state"] == "running"))
    assert small.heartbeat()["first_step"] == first["step"] > 0
    process.kill()
    process.communicate(timeout=60)


def orphan(cohort: Any, prepare: str) -> None:
    """Start a worker from a process that is killed once the worker trains; `prepare` is run in that process first."""
    command = [sys.executable, "-m", "gtr_bench.worker", str(cohort.folder / "cohort.json")]
    script = f"import os, subprocess, time; {prepare}; subprocess.Popen({command!r}); time.sleep(600)"
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(lambda: (cohort.folder / "heartbeat.json").exists() and cohort.heartbeat()["step"] > 0)
    parent.kill()
    parent.wait()


def test_a_worker_imports_none_of_the_heavy_packages_it_can_do_without(
    cohort: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPROFILEIMPORTTIME", "1")
    with cohort(algorithm="gtr").start() as process:
        said = process.communicate(timeout=120)[0].decode()
    imported = {line.rpartition("|")[2].strip() for line in said.splitlines() if line.startswith("import time:")}
    assert process.returncode == 0
    assert {"torch", "pyarrow"} <= imported
    # sympy comes with torch's symbolic shapes, pandas with pyarrow's arrays, which look for pandas' objects
    assert not {"sympy", "pandas._libs", "matplotlib", "scipy", "mujoco"} & imported
