"""Every command as a user sees it: its help, a success and a failure, against golden files.

After a wanted change: `UPDATE_GOLDEN=1 python -m pytest tests/cli/test_golden.py`, then read the difference.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from gtr_bench.cli.trainer import Trainer
from gtr_bench.environments import registry
from gtr_bench.environments.registry import Availability
from gtr_bench.schedule import doctor, slots
from gtr_bench.suite import load_suite
from gtr_bench.watch.server import Server

GOLDEN = Path(__file__).with_name("golden")


class Case(NamedTuple):
    """A success and a failure of a command; `trained`: in a folder that has results of the suite."""

    works: tuple[str, ...]
    fails: tuple[str, ...]
    trained: bool = True


TORCH = {"version": "2.9", "built_for_cuda": None, "cards": []}
ENVIRONMENTS = [Availability("gym-classic", True, None), Availability("metaworld", False, "pip install metaworld")]
STUDY = ("ablate", "--suite", "tiny.toml", "--algorithm", "ppo", "--param", "learning_rate", "--no-reference")

# A new command needs a line here, then UPDATE_GOLDEN=1.
COMMANDS = {
    "run": Case(
        ("run", "tiny.toml", "-k", "ppo", "--jobs", "1", "--device", "cpu"),
        ("run", "tiny.toml", "--scale", "huge"),
        trained=False,
    ),
    "train": Case(
        (
            "train",
            "--algorithm",
            "ppo",
            "--env",
            "gym:CartPole-v1",
            "--steps",
            "2048",
            "--jobs",
            "1",
            "--device",
            "cpu",
        ),
        ("train", "--algorithm", "pppo", "--env", "gym:CartPole-v1", "--steps", "2048"),
        trained=False,
    ),
    "init": Case(("init", "mine"), ("init", "tiny"), trained=False),
    "plan": Case(("plan", "tiny.toml", "--device", "cpu"), ("plan", "tiny.toml", "-k", "nothing")),
    "status": Case(("status", "tiny.toml"), ("status", "--results", "nowhere")),
    "logs": Case(("logs", "ppo 0"), ("logs", "zzz")),
    "report": Case(("report",), ("report", "--metric", "phase_fnal")),
    "watch": Case(("watch", "tiny.toml"), ("watch", "--port", "80000")),
    "compare": Case(("compare", "results", "results"), ("compare", "results", "nowhere")),
    "ablate": Case((*STUDY, "--trials", "4"), ("ablate", "--suite", "tiny.toml", "--param", "learning_rte")),
    "tune": Case(
        ("tune", "tiny.toml", "--budget", "4", "--seeds", "2"), ("tune", "tiny.toml", "--budget", "4", "--seeds", "1,2")
    ),
    "export": Case(("export", "--what", "jobs", "--out", "table.csv", "--json"), ("export", "--out", "table.xlsx")),
    "list": Case(("list", "algorithms", "ppo_kl"), ("list", "algoritms"), trained=False),
    "show-env": Case(
        ("show-env", "swap_control", "--sequence", "cartpole_swap"), ("show-env", "gym:CartPol-v1"), trained=False
    ),
    "play": Case(("play", "policy.safetensors"), ("play", "zzz")),
    "doctor": Case(("doctor",), ("doctor", "--jsn"), trained=False),
}


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    """`golden(name, text)`: compare with tests/cli/golden/<name>.txt, or write it."""

    def check(name: str, text: str) -> None:
        path = GOLDEN / f"{name}.txt"
        if os.environ.get("UPDATE_GOLDEN"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8")

    return check


@pytest.fixture
def prepared(cli: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[Case], Any]:
    """`prepared(case)`: the command line in a machine that is the same everywhere, trained if the case needs it."""

    def prepare(case: Case) -> Any:
        monkeypatch.chdir(cli.folder)
        monkeypatch.setattr(doctor, "ask_torch", lambda: TORCH)
        monkeypatch.setattr(registry, "availability", lambda: ENVIRONMENTS)
        monkeypatch.setattr(doctor, "usable_cores", lambda: 2)
        monkeypatch.setattr(slots, "usable_cores", lambda: 2)
        monkeypatch.setattr(os, "cpu_count", lambda: 2)
        monkeypatch.setattr(Server, "serve_forever", lambda self: None)
        monkeypatch.setattr(Trainer, "train", lambda self, suite: cli.fill(suite))
        if case.trained:
            suite = load_suite("tiny.toml")
            cli.fill(suite)
            job = suite.jobs()[0]
            cohort = cli.results / "cohorts" / "0123456789abcdef"
            cohort.mkdir(parents=True)
            (cohort / "log.txt").write_text("a warning of a simulator\n")
            (cli.results / "jobs" / job.id / "lock").write_text(cohort.name)
            keep_policy(cli.folder / "policy.safetensors")
        return cli

    return prepare


def keep_policy(path: Path) -> None:
    """That of a job which has learned nothing yet: its numbers follow from its seed."""
    import torch

    from gtr_bench.learn.policy_file import save_policy
    from gtr_bench.learn.training import Training

    job = load_suite("tiny.toml").jobs()[0]
    training = Training([job.definition], torch.device("cpu"))
    save_policy(training.learner, 0, path, {"job": job.id, "definition": job.definition, "point": 0})


def shown(answer: Any, normalise: Callable[[str], str]) -> str:
    """A command line and all it gave."""
    parts = [f"$ gtr-bench {' '.join(answer.args)}", f"exit code {answer.returncode}"]
    parts += ["", "--- stdout", normalise(answer.stdout)] if answer.stdout else []
    parts += ["", "--- stderr", normalise(answer.stderr)] if answer.stderr else []
    return normalise("\n".join(parts)) + "\n"


def test_every_command_has_a_case(cli: Any) -> None:
    listed = [line.split()[0] for line in cli("--help").stdout.split("Commands:\n")[1].splitlines()]
    assert set(COMMANDS) == set(listed), "every command has a case in COMMANDS"


@pytest.mark.parametrize("command", COMMANDS)
def test_help(cli: Any, command: str, golden: Any, normalise: Any) -> None:
    answer = cli(command, "--help")
    assert (answer.returncode, answer.stderr) == (0, "")
    golden(f"{command}_help", normalise(answer.stdout) + "\n")


@pytest.mark.parametrize("command", COMMANDS)
def test_success(command: str, prepared: Any, golden: Any, normalise: Any) -> None:
    case = COMMANDS[command]
    cli = prepared(case)
    jobs = {f"{job.algorithm} {job.seed}": job.id for job in load_suite("tiny.toml").jobs()}
    answer = cli(*(jobs.get(word, word) for word in case.works))
    assert answer.returncode == 0, answer.stderr
    golden(f"{command}_works", shown(answer, normalise))


@pytest.mark.parametrize("command", COMMANDS)
def test_failure(command: str, prepared: Any, golden: Any, normalise: Any) -> None:
    case = COMMANDS[command]
    answer = prepared(case)(*case.fails)
    assert answer.returncode == 2
    assert answer.stdout == ""
    golden(f"{command}_fails", shown(answer, normalise))
