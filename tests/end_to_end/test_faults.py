"""Environments that raise, hang, return NaN or eat the memory: told, stored, and nothing else is lost."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
import pytest

from tests.helpers import wait_for

pytestmark = pytest.mark.slow

GOOD = 'env = "gym:CartPole-v1"'


def failures(program: Any) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted((program.folder / "results").glob("jobs/*/failure.json"))]


def done(program: Any) -> int:
    return len(list((program.folder / "results").glob("jobs/*/job.parquet")))


def test_an_environment_that_raises_fails_its_jobs_only(program: Any) -> None:
    program.write_suite({"good": GOOD, "bad": 'env = "fault:raise"\noptions = { after = 100 }'})
    answer = program("run", "tiny.toml", "--jobs", "1", "--retries", "0")
    assert answer.returncode == 1
    assert "the floor gave way" in answer.stderr
    assert "log: results/cohorts/" in answer.stderr
    assert "Traceback" in next(iter((program.folder / "results").glob("cohorts/*/log.txt"))).read_text()
    assert done(program) == 2
    assert [failure["reason"] for failure in failures(program)] == ["error", "error"]


def test_a_bad_member_does_not_take_its_cohort_with_it(program: Any) -> None:
    program.write_suite({"bad": 'env = "fault:raise"\noptions = { after = 100, member = 1 }'}, seeds=3)
    answer = program("run", "tiny.toml", "--jobs", "1")
    assert answer.returncode == 0
    assert done(program) == 3


def numbers(results: Path) -> dict[str, Any]:
    return {
        f"{path.parent.name}/{path.stem}": parquet.read_table(path).to_pydict()
        for name in ("evaluations", "iterations")
        for path in sorted(results.glob(f"jobs/*/{name}.parquet"))
    }


def test_a_member_that_crashes_is_found_by_halving_and_jobs_tried_alone_have_the_numbers_of_their_cohort(
    program: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The last member of every cohort of two or more is bad, none that trains alone.
    program.write_suite({"bad": 'env = "fault:crash"\noptions = { after = 100, member = 1 }'}, seeds=3)
    answer = program("run", "tiny.toml", "--jobs", "1")
    assert answer.returncode == 0, answer.stderr
    assert answer.stderr.count("; is tried again in halves") == 2
    assert "the worker crashed with SIGSEGV" in answer.stderr
    monkeypatch.setenv("GTR_BENCH_FAULTS", "off")
    assert program("run", "tiny.toml", "--jobs", "1", "--results", "whole").returncode == 0
    members = [
        parquet.read_table(path, columns=["members"]).to_pydict()["members"]
        for results in ("results", "whole")
        for path in sorted((program.folder / results).glob("jobs/*/job.parquet"))
    ]
    assert members == [[1]] * 3 + [[3]] * 3
    alone, together = numbers(program.folder / "results"), numbers(program.folder / "whole")
    assert alone.keys() == together.keys()
    assert len(alone) == 6
    assert repr(alone) == repr(together)


def test_a_child_an_environment_leaves_behind_holds_no_job(program: Any) -> None:
    program.write_suite({"bad": 'env = "fault:fork"\noptions = { after = 10 }'}, seeds=1)
    answer = program("run", "tiny.toml", "--jobs", "1")
    assert answer.returncode == 1
    assert [failure["message"].rpartition("ValueError: ")[2] for failure in failures(program)] == [
        "a child is left behind"
    ]
    assert "in the hands of another run" not in answer.stderr


def test_an_environment_that_hangs_times_out(program: Any) -> None:
    program.write_suite({"bad": 'env = "fault:hang"\noptions = { after = 100 }'})
    began = time.monotonic()
    answer = program("run", "tiny.toml", "--jobs", "1", "--timeout", "8")
    assert answer.returncode == 1
    assert time.monotonic() - began < 8 + 40  # and not after the minute that others have to reach a checkpoint
    assert [failure["reason"] for failure in failures(program)] == ["timeout", "timeout"]


def test_an_environment_that_returns_nan_diverges_and_is_finished(program: Any) -> None:
    program.write_suite({"bad": 'env = "fault:nan"\noptions = { after = 100 }'})
    answer = program("run", "tiny.toml", "--jobs", "1")
    assert answer.returncode == 0
    assert "2 of them diverged" in answer.stderr
    assert done(program) == 2
    assert [failure["reason"] for failure in failures(program)] == ["diverged", "diverged"]


def test_running_out_of_memory_is_called_so_and_retried_alone(program: Any) -> None:
    program.write_suite({"bad": 'env = "fault:memory"\noptions = { after = 100 }'})
    answer = program("run", "tiny.toml", "--jobs", "2", "--cohort", "2", "--json")
    assert answer.returncode == 1
    records = [json.loads(line) for line in answer.stdout.splitlines()]
    assert [failure["reason"] for failure in failures(program)] == ["oom", "oom"]
    started = [record["jobs"] for record in records if record["event"] == "cohort_started"]
    assert [len(jobs) for jobs in started][-2:] == [1, 1]


def test_a_leak_ends_as_oom_at_the_memory_limit(program: Any) -> None:
    program.write_suite({"bad": 'env = "fault:leak"\noptions = { after = 100 }'}, seeds=1)
    answer = program("run", "tiny.toml", "--jobs", "1", "--retries", "0", "--memory-limit", "1000")
    assert answer.returncode == 1
    assert [failure["reason"] for failure in failures(program)] == ["oom"]


def test_an_environment_that_cannot_be_built_pauses_the_suite(program: Any) -> None:
    program.write_suite({"bad": 'env = "fault:startup"'}, ["ppo", "spo", "a2c", "gtr"])
    answer = program("run", "tiny.toml", "--jobs", "1")
    assert answer.returncode == 1
    assert "paused: 3 workers in a row failed at their start: " in answer.stderr
    assert "the environment refuses to start" in answer.stderr
    assert not failures(program)


def test_two_drivers_on_one_folder_end_with_every_job_once(program: Any) -> None:
    program.write_suite({"good": GOOD}, ["ppo", "spo"])
    arguments = ("run", "tiny.toml", "--jobs", "1", "--cohort", "1", "--json")
    processes = [program.start(*arguments) for _ in range(2)]
    texts = [process.communicate(timeout=300)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    trained = [
        record["job"]
        for text in texts
        for record in map(json.loads, text.splitlines())
        if record["event"] == "job_done"
    ]
    assert len(trained) == len(set(trained)) == done(program) == 4


def test_run_report_export_after_each_other(program: Any) -> None:
    program.write_suite({"good": GOOD}, ["ppo", "gtr"])
    assert program("run", "tiny.toml", "--profile").returncode == 0
    assert program("status").stdout.startswith("done      4\n")
    report = program("report", "results", "--format", "json")
    assert report.returncode == 0
    assert json.loads(report.stdout)
    assert program("export", "results", "--out", "tidy.csv").returncode == 0
    assert (program.folder / "tidy.csv").exists()


def test_a_worker_that_hangs_ends_by_itself_once_its_driver_was_killed(
    program: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GTR_BENCH_ORPHAN_SECONDS", "3")
    program.write_suite({"bad": 'env = "fault:hang"\noptions = { after = 10 }'}, seeds=1)
    driver = program.start("run", "tiny.toml", "-j", "1")
    heartbeats = (program.folder / "results" / "cohorts").glob
    wait_for(lambda: any(json.loads(f.read_text())["state"] == "running" for f in heartbeats("*/heartbeat.json")))
    (worker,) = (json.loads(file.read_text())["pid"] for file in heartbeats("*/heartbeat.json"))
    driver.kill()
    driver.wait()
    wait_for(lambda: not Path(f"/proc/{worker}").exists() or "Z (zombie)" in _status(worker))
    assert json.loads(program("status", "--json").stdout)["counts"]["running"] == 0
    wait_for(lambda: any("nothing has moved for 3 s" in log.read_text() for log in heartbeats("*/log.txt")))


def _status(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return "Z (zombie)"


@pytest.mark.parametrize(("fault", "member"), [("raise", 1), ("exit", None), ("memory", None), ("crash", None)])
def test_a_failure_names_the_environment_of_its_phase_and_the_job_everywhere(
    program: Any, fault: str, member: int | None
) -> None:
    only = "" if member is None else f", member = {member}"
    # The first phase goes well: what is named is where it happened, not the first and not all.
    program.write_suite({"worlds": f'tasks = ["fault:none", "fault:{fault}"]\noptions = {{ after = 100{only} }}'})
    suite = program.folder / "tiny.toml"
    suite.write_text(suite.read_text().replace("phases = 2\n", ""))  # `tasks` are counted themselves
    answer = program("run", "tiny.toml", "--jobs", "1", "--retries", "0")
    jobs = {
        path.parent.name: json.loads(path.read_text()) for path in program.folder.glob("results/jobs/*/failure.json")
    }
    assert len(jobs) == 2, answer.stderr
    assert {failure["environment"] for failure in jobs.values()} == {f"fault:{fault}"}
    (at_fault,) = {failure["at_fault"] for failure in jobs.values()}
    assert f"  environment: fault:{fault}\n" in answer.stderr
    if fault == "raise":
        assert at_fault in jobs
        assert f"  at fault: {at_fault} (seed 1)\n" in answer.stderr
    else:
        assert at_fault is None
        assert "  at fault: a job of this cohort, not known which\n" in answer.stderr
    shown = at_fault or min(jobs)
    assert "; of a job: gtr-bench logs " + (shown if at_fault else "") in answer.stderr
    assert f"failed: {shown} (fault:{fault}): " in program("status").stdout
    assert f"{shown} failed (fault:{fault}): " in program("logs", shown).stderr
