"""`--json`: stdout is JSON and nothing else on success, and empty on failure."""

from __future__ import annotations

import csv
import json
from typing import Any

import pytest

from gtr_bench.cli.trainer import Trainer
from gtr_bench.suite import load_suite

# For `run` see the tests of its records in test_snapshots.py.
WORKS = {
    "plan": ("plan", "tiny.toml", "--list"),
    "status": ("status", "tiny.toml"),
    "report": ("report", "--suite", "tiny.toml"),
    "explain": ("report", "--explain", "tiny/laptop/lifetime_return/cartpole/ppo"),
    "ablate": ("ablate", "--suite", "tiny.toml", "--algorithm", "ppo", "--param", "learning_rate", "--trials", "4"),
    "path": ("ablate", "--path", "--suite", "tiny.toml", "--components", "kernel"),
    "tune": ("tune", "tiny.toml", "--budget", "3"),
    "export": ("export", "--out", "table.csv"),
    "list": ("list",),
    "list of a kind": ("list", "metrics"),
    "list of one": ("list", "suites", "tiny.toml"),
    "doctor": ("doctor",),
}
FAILS = {
    "run": ("run", "no_such.toml"),
    "run of a broken suite": ("run", "broken.toml"),
    "plan": ("plan", "tiny.toml", "--scale", "huge"),
    "status": ("status", "--results", "nowhere"),
    "logs": ("logs", "zzz"),
    "report": ("report", "nowhere"),
    "ablate": ("ablate", "--suite", "tiny.toml"),
    "tune": ("tune", "tiny.toml", "--budget", "3", "--seeds", "0"),
    "export": ("export", "nowhere", "--out", "table.csv"),
    "export to stdout": ("export",),
    "list": ("list", "metrics", "phase_ac"),
    "doctor": ("doctor", "--no-such-option"),
}


@pytest.fixture
def filled(cli: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The command line in a folder whose suite is trained, and where studies are trained in no time."""
    monkeypatch.chdir(cli.folder)
    cli.fill(load_suite("tiny.toml"))
    monkeypatch.setattr(Trainer, "train", lambda self, suite: cli.fill(suite))
    return cli


@pytest.mark.parametrize("case", WORKS)
def test_stdout_is_one_json_object(filled: Any, case: str) -> None:
    answer = filled(*WORKS[case], "--json")
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.count("\n") == 1 or case in {"report", "explain", "ablate", "path", "tune"}
    found = json.loads(answer.stdout, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert isinstance(found, dict)
    assert found


@pytest.mark.parametrize("case", FAILS)
def test_a_wrong_request_leaves_stdout_empty_and_says_so_on_stderr(filled: Any, case: str) -> None:
    (filled.folder / "broken.toml").write_text("[suite]\n")
    answer = filled(*FAILS[case], "--json")
    assert answer.returncode == 2
    assert answer.stdout == ""
    assert "error: " in answer.stderr


def test_export_tells_what_it_wrote(filled: Any) -> None:
    found = json.loads(filled("export", "--out", "table.csv", "--json").stdout)
    with open(filled.folder / "table.csv", newline="") as file:
        rows = list(csv.reader(file))
    assert found == {"path": "table.csv", "rows": len(rows) - 1, "columns": rows[0]}
    assert filled("export", "--out", "table.parquet").stdout == ""


def test_a_failed_run_ends_its_records_all_the_same(cli: Any) -> None:
    answer = cli("run", "tiny.toml", "--json", "--retries", "0", FAKE_WORKER_BEHAVIOUR="raise")
    records = [json.loads(line) for line in answer.stdout.splitlines()]
    assert (records[0]["event"], records[-1]["event"]) == ("launch", "done")
    assert (answer.returncode, records[-1]["exit_code"]) == (1, 1)
