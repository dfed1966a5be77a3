"""What each command prints, on success and on failure, with what differs between runs made equal."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gtr_bench.schedule import doctor

COMMANDS = (
    "run",
    "train",
    "init",
    "plan",
    "status",
    "logs",
    "report",
    "watch",
    "compare",
    "ablate",
    "tune",
    "export",
    "list",
    "show-env",
    "play",
    "doctor",
)


def test_help_lists_every_command(cli: Any) -> None:
    answer = cli("--help")
    assert answer.returncode == 0
    assert answer.stderr == ""
    assert [line.split()[0] for line in answer.stdout.split("Commands:\n")[1].splitlines()] == list(COMMANDS)


@pytest.mark.parametrize("command", ["run", "plan", "status", "logs", "doctor"])
def test_help_of_each_command_names_its_options_and_exits_well(cli: Any, command: str) -> None:
    answer = cli(command, "--help")
    assert answer.returncode == 0
    assert answer.stdout.startswith(f"Usage: gtr-bench {command} [OPTIONS]")
    assert "--json" in answer.stdout
    assert "--results DIR" in answer.stdout


def test_help_of_run_names_ranges_and_defaults(cli: Any) -> None:
    text = " ".join(cli("run", "--help").stdout.split())
    assert "--threads N Threads per worker. [default: 1; 1<=x<=256]" in text
    assert "--retries N Further tries of a job after error, oom or killed. [default: 1; 0<=x<=100]" in text
    assert "[default: usable cores or GPUs]" in text


def test_version(cli: Any) -> None:
    answer = cli("--version")
    assert answer.stdout == "gtr-bench 0.1.0\n"


def test_no_command_shows_help_on_stderr_and_is_a_wrong_request(cli: Any) -> None:
    answer = cli()
    assert answer.returncode == 2
    assert answer.stdout == ""
    assert "Usage: gtr-bench" in answer.stderr


RUN_STDERR = """\
tiny (laptop): 4 jobs
training 4 jobs in 2 cohorts on 1 slot; results in results
started: ppo on cartpole (2 seeds)
finished: ppo on cartpole (2 seeds) in <time>
started: spo on cartpole (2 seeds)
finished: spo on cartpole (2 seeds) in <time>
done: 4 jobs; trained 4 in <time>
next: gtr-bench report results --suite tiny.toml"""


def test_run_tells_starts_ends_and_the_next_command(cli: Any, normalise: Any) -> None:
    answer = cli("run", "tiny.toml", "--jobs", "1")
    assert answer.returncode == 0
    assert answer.stdout == ""
    # Which of two equally long cohorts goes first depends on their ids.
    assert sorted(normalise(answer.stderr).splitlines()) == sorted(RUN_STDERR.splitlines())
    again = cli("run", "tiny.toml")
    assert again.returncode == 0
    assert normalise(again.stderr) == (
        "tiny (laptop): 4 jobs, 4 done before\n"
        "done: 4 jobs; trained 0 in <time>\n"
        "next: gtr-bench report results --suite tiny.toml"
    )  # fmt: skip


def test_the_next_command_names_the_suite_and_quotes_what_a_shell_would_split(cli: Any) -> None:
    (cli.folder / "tiny.toml").rename(cli.folder / "my suite.toml")
    answer = cli("run", "my suite.toml", "--results", "my results")
    assert answer.stderr.splitlines()[-1] == "next: gtr-bench report 'my results' --suite 'my suite.toml'"


FAILED_STDERR = """\
tiny (laptop): 1 job
training 1 job in 1 cohort on 1 slot; results in results
started: ppo on cartpole (seed 0)
failed: ppo on cartpole (seed 0): error: the environment raised ValueError: bad; 1 job failed
    the environment raised ValueError: bad
  environment: gym:CartPole-v1
  at fault: <id> (seed 0)
  log: results/cohorts/<id>/log.txt; of a job: gtr-bench logs <id> --results results
done: 0 jobs; trained 0 in <time>
failed: 1 job (error 1); why: gtr-bench logs JOB --results results
to try the failed ones again: gtr-bench run tiny.toml -k 'ppo and seed=0' --jobs 1 --retries 0 --retry-failed"""


def test_run_shows_a_failure_with_its_log_and_how_to_try_again(cli: Any, normalise: Any) -> None:
    arguments = ("run", "tiny.toml", "-k", "ppo and seed=0", "--jobs", "1", "--retries", "0")
    answer = cli(*arguments, FAKE_WORKER_BEHAVIOUR="raise")
    assert answer.returncode == 1
    assert normalise(answer.stderr) == FAILED_STDERR
    (job,) = cli.starts()
    logs = cli("logs", job[:6])
    assert logs.returncode == 0
    assert logs.stdout == "the environment raised ValueError: bad\n"
    assert logs.stderr == f"{job} failed (gym:CartPole-v1): error: the environment raised ValueError: bad\n"
    as_json = json.loads(cli("logs", job, "--json").stdout)
    assert as_json["failure"]["reason"] == "error"
    status = cli("status")
    assert normalise(status.stdout) == (
        "done      0\n"
        "failed    1\n"
        "running   0\n"
        "to run    0\n"
        "failed: <id> (gym:CartPole-v1): error: the environment raised ValueError: bad\n"
        "log of a job: gtr-bench logs <id> --results results"
    )  # fmt: skip
    assert json.loads(cli("status", "tiny.toml", "--json").stdout)["counts"]["to_run"] == 3


def test_run_prints_shares_of_the_profile(cli: Any) -> None:
    answer = cli("run", "tiny.toml", "--profile")
    lines = [line for line in answer.stderr.splitlines() if line.startswith("profile:")]
    assert lines == [
        "profile: environment  30.0%",
        "profile: policy       20.0%",
        "profile: update       40.0%",
        "profile: evaluation    5.0%",
        "profile: storing       5.0%",
    ]


def test_run_json_is_launch_events_done(cli: Any) -> None:
    answer = cli("run", "tiny.toml", "--json", "--retries", "0", "-k", "ppo", FAKE_WORKER_BEHAVIOUR="raise")
    records = [json.loads(line) for line in answer.stdout.splitlines()]
    assert answer.returncode == 1
    assert records[0]["event"] == "launch"
    assert records[0]["starting"] == 2
    assert records[-1]["event"] == "done"
    assert records[-1]["exit_code"] == 1
    assert records[-1]["counts"]["failed"] == 2
    failed = [record for record in records if record["event"] == "job_failed"]
    assert {record["path"] for record in failed} == {f"jobs/{record['job']}" for record in failed}
    assert {record["reason"] for record in failed} == {"error"}
    good = [json.loads(line) for line in cli("run", "tiny.toml", "--json", "-k", "spo").stdout.splitlines()]
    assert sum(record["event"] == "job_done" for record in good) == 2


PLAN_STDOUT = """\
tiny (laptop)
  jobs      4
  done      0
  cached    0 of them
  failed    0
  running   0
  to run    4 in 2 cohorts
  steps     8,192
  time      unknown on 2 slots
  disk      <size> of <size> free"""


def test_plan_counts_without_touching_the_folder_and_knows_times_afterwards(cli: Any, normalise: Any) -> None:
    answer = cli("plan", "tiny.toml", "--jobs", "2", "--device", "cpu")
    assert answer.returncode == 0
    assert normalise(answer.stdout) == PLAN_STDOUT
    assert not cli.results.exists()
    cli("run", "tiny.toml", "--jobs", "2", "-k", "seed=0")
    after = json.loads(cli("plan", "tiny.toml", "--jobs", "2", "--json").stdout)
    assert after["counts"]["done"] == 2
    assert after["starting"] == 2
    assert after["seconds"] == pytest.approx(1024 * 2 / 1000, rel=0.01)
    listed = cli("plan", "tiny.toml", "--list").stdout.splitlines()[-4:]
    assert sorted(line.split()[1] for line in listed) == ["done", "done", "to_run", "to_run"]


@pytest.mark.slow
def test_doctor_asks_the_real_torch_in_another_process(cli: Any) -> None:
    checks = {check["name"]: check for check in json.loads(cli("doctor", "--json").stdout)["checks"]}
    assert checks["cpu"]["usable"]
    assert checks["cpu"]["detail"].startswith("torch 2")


@pytest.mark.parametrize(
    ("torch", "cpu", "cuda"),
    [
        (
            {"version": "2.9", "built_for_cuda": None, "cards": []},
            "ok       torch 2.9",
            "missing  -> this torch is built w",
        ),
        (
            {"version": "2.9", "built_for_cuda": "13", "cards": []},
            "ok       torch 2.9",
            "missing  -> torch sees no NVIDIA",
        ),
        ({"version": "2.9", "built_for_cuda": "13", "cards": ["A", "B"]}, "ok       torch 2.9", "ok       A, B"),
        ("No module named torch", "missing  -> pip install -c constraints.txt torch   (No module", None),
    ],
)
def test_doctor_names_devices_and_families_and_exits_well(
    cli: Any, monkeypatch: pytest.MonkeyPatch, torch: Any, cpu: str, cuda: str | None
) -> None:
    monkeypatch.setattr(doctor, "ask_torch", lambda: torch)
    answer = cli("doctor")
    assert answer.returncode == 0
    assert answer.stdout.startswith("gtr-bench 0.1.0, Python 3.")
    checks = dict(line.split(maxsplit=1) for line in answer.stdout.split("\n\n")[1].splitlines())
    assert checks["cpu"].startswith(cpu)
    assert checks.get("cuda", "none").startswith(cuda or "none")
    assert checks["gym-classic"] == "ok"
    for check in json.loads(cli("doctor", "--json").stdout)["checks"]:
        assert check["usable"] or check["hint"]


@pytest.mark.parametrize(
    ("arguments", "stderr"),
    [
        (("rnu",), "error: no such command `rnu`\n\nhint: did you mean `run`?\n"),
        (("run",), "error: missing argument `SUITE`\n\nhint: `gtr-bench run --help` lists what is possible\n"),
        (
            ("run", "tiny.toml", "--jobs", "0"),
            "error: invalid value for `--jobs` / `-j`: it should be greater than or equal to 1\n\n"
            "hint: `gtr-bench run --help` lists what is possible\n",
        ),
        (("run", "tinny"), None),
        (("run", "tiny.toml", "--job", "1"), "error: no such option `--job`\n\nhint: did you mean `--jobs`?\n"),
        (
            ("run", "tiny.toml", "--xyz"),
            "error: no such option `--xyz`\n\nhint: `gtr-bench run --help` lists what is possible\n",
        ),
        (
            ("run", "tiny.toml", "--device", "gpu"),
            "error: invalid value for `--device`: `gpu` is not one of `auto`, `cpu`, `cuda`\n\n"
            "hint: `gtr-bench run --help` lists what is possible\n",
        ),
        (
            ("run", "tiny.toml", "--scale", "huge"),
            "error: unknown scale `huge`\n\nhint: known: `laptop`\n",
        ),
        (
            ("run", "tiny.toml", "-k", "nothing"),
            "error: unknown `-k` word `nothing`\n\nhint: known: `cartpole`, `ppo`, `spo`\n",
        ),
        (
            ("run", "tiny.toml", "-k", "ppo and"),
            'error: the selection `ppo and` is malformed at its end\n\nhint: write it like `-k "gtr and not seed=3"`\n',
        ),
        (
            ("status",),
            "error: there is no results folder `results`\n\n"
            "hint: name another with `--results DIR`, or make one with `gtr-bench run SUITE`\n",
        ),
        (
            ("logs", "abc"),
            "error: there is no results folder `results`\n\n"
            "hint: name another with `--results DIR`, or make one with `gtr-bench run SUITE`\n",
        ),
    ],
)
def test_wrong_requests_exit_2_with_a_sentence_and_a_hint(
    cli: Any, arguments: tuple[str, ...], stderr: str | None
) -> None:
    answer = cli(*arguments)
    assert answer.returncode == 2
    assert answer.stdout == ""
    if stderr is not None:
        assert answer.stderr == stderr
    assert answer.stderr.startswith("error: ")
    assert "\n\nhint: " in answer.stderr
    assert not cli.results.exists()


def test_a_broken_suite_is_shown_with_its_places(cli: Any, normalise: Any) -> None:
    text = (cli.folder / "tiny.toml").read_text()
    (cli.folder / "tiny.toml").write_text(text.replace('id = "ppo"', 'id = "ppo"\nlearning_rat = 0.1'))
    answer = cli("run", "tiny.toml")
    assert answer.returncode == 2
    assert "tiny.toml:19:1: " in answer.stderr
    assert "learning_rat = 0.1" in answer.stderr
    assert "\nerror: tiny.toml has 1 problem\n" in answer.stderr


def test_an_unknown_job_prefix_is_refused_with_a_suggestion(cli: Any) -> None:
    cli("run", "tiny.toml")
    answer = cli("logs", "zzz")
    assert answer.returncode == 2
    assert answer.stderr.startswith("error: unknown job `zzz`\n\nhint: ")


def test_traceback_only_on_request(cli: Any) -> None:
    assert "Traceback" not in cli("status").stderr
    assert "Traceback" in cli("status", GTR_BENCH_TRACEBACK="1").stderr
