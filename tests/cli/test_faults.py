"""Interrupts, kills and competition, on the real command line with a fake worker."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from typing import Any

import pytest

from tests.helpers import wait_for

RUN = ("run", "tiny.toml", "--jobs", "2", "--checkpoint-every", "1")


def beats(cli: Any) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in cli.results.glob("cohorts/*/heartbeat.json")]


def running(cli: Any, step: int = 1) -> bool:
    """Two workers have come that far."""
    return sum(beat["step"] >= step for beat in beats(cli)) == 2


@pytest.mark.slow
def test_first_interrupt_checkpoints_and_says_how_to_continue(cli: Any) -> None:
    process = cli.start(*RUN, FAKE_WORKER_SECONDS="10")
    wait_for(lambda: running(cli))
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "waiting for 2 workers to checkpoint" in stderr
    assert "to continue: gtr-bench run tiny.toml --jobs 2 --checkpoint-every 1" in stderr
    assert len(list(cli.results.glob("cohorts/*/checkpoint"))) == 2
    again = cli(*RUN, FAKE_WORKER_SECONDS="0.1")
    assert again.returncode == 0
    assert all(len(starts) == 2 and starts[1][2] > 0 for starts in cli.starts().values())


@pytest.mark.slow
def test_sigterm_stops_like_an_interrupt(cli: Any) -> None:
    process = cli.start(*RUN, FAKE_WORKER_SECONDS="10")
    wait_for(lambda: running(cli))
    process.terminate()
    process.communicate(timeout=20)
    assert process.returncode == 130


@pytest.mark.slow
def test_second_interrupt_kills_workers_that_do_not_stop(cli: Any) -> None:
    process = cli.start(*RUN, FAKE_WORKER_BEHAVIOUR="hang", FAKE_WORKER_SECONDS="0.2")
    # From step 50 on they ignore SIGTERM, a moment after they have said so.
    wait_for(lambda: running(cli, 50))
    time.sleep(0.2)
    pids = [beat["pid"] for beat in beats(cli)]
    process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=1.0)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 130
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    assert not list(cli.results.glob("jobs/*/failure.json"))


@pytest.mark.slow
def test_workers_outlive_a_killed_driver_only_to_their_checkpoint_and_a_rerun_continues(cli: Any) -> None:
    process = cli.start(*RUN, FAKE_WORKER_SECONDS="10")
    wait_for(lambda: running(cli))
    process.kill()
    process.communicate()
    again = cli(*RUN, FAKE_WORKER_SECONDS="0.1")
    assert again.returncode == 0
    assert cli.done() == 4
    assert all(len(starts) == 2 and starts[1][2] > 0 for starts in cli.starts().values())


@pytest.mark.slow
def test_driver_and_workers_killed_together_lose_nothing_before_the_checkpoint(cli: Any) -> None:
    process = cli.start(*RUN, FAKE_WORKER_SECONDS="3")
    wait_for(lambda: len(list(cli.results.glob("cohorts/*/checkpoint"))) == 2)
    pids = [beat["pid"] for beat in beats(cli)]
    process.kill()
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    process.communicate()
    again = cli(*RUN, FAKE_WORKER_SECONDS="0.1")
    assert again.returncode == 0
    assert "2 from a checkpoint" in again.stderr
    assert all(starts[-1][2] >= 25 for starts in cli.starts().values())


@pytest.mark.slow
def test_a_worker_killed_from_outside_is_retried(cli: Any) -> None:
    process = cli.start(*RUN, FAKE_WORKER_SECONDS="3")
    wait_for(lambda: running(cli))
    os.kill(beats(cli)[0]["pid"], signal.SIGKILL)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "killed: the worker was killed by SIGKILL; is tried again" in stderr
    assert sorted(len(starts) for starts in cli.starts().values()) == [1, 1, 2, 2]


@pytest.mark.slow
def test_two_drivers_share_the_jobs_and_repeat_none(cli: Any) -> None:
    cli.write_suite(seeds=4)
    arguments = ("run", "tiny.toml", "--jobs", "2", "--cohort", "1")
    processes = [cli.start(*arguments, FAKE_WORKER_SECONDS="0.3") for _ in range(2)]
    texts = [process.communicate(timeout=60)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert [len(starts) for starts in cli.starts().values()] == [1] * 8
    assert any("in the hands of another run" in text for text in texts)


@pytest.mark.slow
def test_the_second_driver_takes_over_when_the_first_dies(cli: Any) -> None:
    first = cli.start(*RUN, FAKE_WORKER_SECONDS="10")
    wait_for(lambda: running(cli))
    second = cli.start(*RUN, FAKE_WORKER_SECONDS="0.1")
    assert "in the hands of another run" in next(line for line in second.stderr if "hands" in line)
    first.kill()
    first.communicate()
    stderr = second.communicate(timeout=30)[1]
    assert second.returncode == 0
    assert "taking over" in stderr
    assert all(len(starts) == 2 and starts[1][2] > 0 for starts in cli.starts().values())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_results_folder_is_refused_with_a_sentence(cli: Any) -> None:
    cli.results.mkdir(mode=0o500)
    answer = cli(*RUN)
    assert answer.returncode == 2
    assert answer.stderr.startswith(
        "error: the results folder `results` cannot be written: Permission denied\n\nhint: "
    )


def test_a_file_in_place_of_the_results_folder_is_refused_with_a_sentence(cli: Any) -> None:
    cli.results.write_text("")
    answer = cli(*RUN)
    assert answer.returncode == 2
    assert answer.stderr.startswith("error: the results folder `results` cannot be ")
    assert "Traceback" not in answer.stderr


def test_only_jobs_a_changed_suite_touches_run_again(cli: Any) -> None:
    assert cli(*RUN).returncode == 0
    text = (cli.folder / "tiny.toml").read_text()
    (cli.folder / "tiny.toml").write_text(text.replace('id = "spo"', 'id = "spo"\nlearning_rate = 0.01'))
    answer = cli(*RUN)
    assert answer.returncode == 0
    assert "4 jobs, 2 done before" in answer.stderr
    assert [len(starts) for starts in cli.starts().values()] == [1] * 6


def test_plan_and_status_count_what_an_edited_suite_left_behind(cli: Any) -> None:
    assert cli(*RUN).returncode == 0
    assert "earlier" not in cli("plan", "tiny.toml").stdout + cli("status").stdout
    text = (cli.folder / "tiny.toml").read_text()
    (cli.folder / "tiny.toml").write_text(text.replace('id = "spo"', 'id = "spo"\nlearning_rate = 0.01'))
    assert "  earlier   2 done, of an earlier version of the suite\n" in cli("plan", "tiny.toml").stdout
    assert "earlier   2 done, of an earlier version of tiny-laptop\n" in cli("status", "tiny.toml").stdout
    assert cli(*RUN).returncode == 0
    assert "earlier   2 done, of an earlier version of tiny-laptop\n" in cli("status").stdout
    assert json.loads(cli("plan", "tiny.toml", "--json").stdout)["earlier"] == 2
    assert json.loads(cli("status", "--json").stdout)["earlier"] == {"tiny-laptop": 2}


def test_closing_the_pipe_ends_quietly(cli: Any) -> None:
    process = cli.start("plan", "tiny.toml", "--list")
    process.stdout.close()
    assert process.wait(timeout=30) in {0, 141}
    assert "Traceback" not in process.stderr.read()
