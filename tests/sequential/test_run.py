"""The loop over waves, with a trainer that writes plausible results instead of training."""

from __future__ import annotations

import io
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from gtr_bench.schedule.display import LiveDisplay, PlainDisplay, wave_lines
from gtr_bench.schedule.folders import Failure, ResultsFolder
from gtr_bench.schedule.ndjson import NdjsonObserver
from gtr_bench.schedule.observer import Fanout, Launch, Observer, Outcome, StatementResult, Stop, WaveResult
from gtr_bench.schedule.tally import Tally
from gtr_bench.sequential.run import run_until_decided
from gtr_bench.store.reader import warn_on_stderr
from gtr_bench.suite.expand import Job
from gtr_bench.suite.load import parse_suite
from tests.report.conftest import RATES, write_job
from tests.report.test_waves import FIRST, SECOND, THIRD, WAVES

SUITE = parse_suite(WAVES, path="waves.toml")


class Trainer:
    """Writes what is missing; `fails` are (algorithm, seed) that fail, `stops` is the wave that is interrupted."""

    def __init__(self, folder: ResultsFolder, fails: Sequence[tuple[str, int]] = (), stops: int = 0) -> None:
        self.folder = folder
        self.fails = set(fails)
        self.stops = stops
        self.asked: list[list[tuple[str, int]]] = []

    def __call__(self, jobs: Sequence[Job], told: Observer) -> Outcome:
        self.asked.append([(job.algorithm, job.seed) for job in jobs])
        told.launch(
            Launch(
                suite="waves", scale="laptop", results="results", jobs=len(jobs), counts={}, starting=len(jobs),
                cohorts=1, resumed=0, slots=1,
            )
        )  # fmt: skip
        trained = 0
        stop = Stop.INTERRUPTED if len(self.asked) == self.stops else None
        for job in jobs[: len(jobs) // 2] if stop else jobs:
            if (job.algorithm, job.seed) in self.fails:
                self.folder.job(job.id).mkdir(parents=True, exist_ok=True)
                self.folder.write_failure(job.id, Failure("error", "it broke", "", 1, 0.0))
            elif not self.folder.is_done(job.id):
                self.folder.failure(job.id).unlink(missing_ok=True)
                shutil.rmtree(self.folder.job(job.id), ignore_errors=True)
                write_job(self.folder.root, job, WAVES)
                trained += 1
        states = self.folder.survey(job.id for job in jobs)
        outcome = Tally({job.id: job for job in jobs}).outcome(states, stop=stop, message=None, seconds=1.0)
        told.done(outcome)
        return replace(outcome, trained=trained)


@pytest.fixture(autouse=True)
def twins_are_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RATES, "twin", RATES["ppo"])
    monkeypatch.setattr("os.fsync", lambda descriptor: None)


def run(trainer: Trainer) -> tuple[Outcome, list[dict[str, Any]]]:
    stream = io.StringIO()
    outcome = run_until_decided(SUITE, trainer.folder, trainer, NdjsonObserver(stream), warn=warn_on_stderr)
    return outcome, [json.loads(line) for line in stream.getvalue().splitlines()]


def waves(events: Sequence[dict[str, Any]]) -> list[dict[str, str]]:
    return [
        {each["id"]: each["verdict"] for each in event["statements"]} for event in events if event["event"] == "wave"
    ]


EXPECTED = [
    {"gtr vs ppo": "open", "twin vs ppo": "open"},
    {"gtr vs ppo": "supported", "twin vs ppo": "open"},
    {"gtr vs ppo": "supported", "twin vs ppo": "undecided"},
]


def test_only_what_is_open_gets_another_wave(tmp_path: Path) -> None:
    trainer = Trainer(ResultsFolder(tmp_path))
    outcome, events = run(trainer)
    assert [set(asked) for asked in trainer.asked] == [
        {(algorithm, seed) for algorithm in ("ppo", "gtr", "twin") for seed in FIRST},
        {(algorithm, seed) for algorithm in ("ppo", "gtr", "twin") for seed in SECOND},
        {(algorithm, seed) for algorithm in ("ppo", "twin") for seed in THIRD},
    ]
    assert waves(events) == EXPECTED
    assert (outcome.exit_code, outcome.trained, outcome.counts["done"]) == (0, 32, 32)


def test_events_are_one_launch_first_and_one_end_last(tmp_path: Path) -> None:
    _, events = run(Trainer(ResultsFolder(tmp_path)))
    kinds = [event["event"] for event in events]
    assert kinds[0] == "launch"
    assert kinds[-1] == "done"
    assert (kinds.count("launch"), kinds.count("done"), kinds.count("wave")) == (1, 1, 3)
    assert events[-1]["trained"] == 32


def test_a_rerun_trains_nothing_and_ends_with_the_same_decisions(tmp_path: Path) -> None:
    _, first = run(Trainer(ResultsFolder(tmp_path)))
    outcome, again = run(Trainer(ResultsFolder(tmp_path)))
    assert outcome.trained == 0
    assert [event for event in again if event["event"] == "wave"] == [e for e in first if e["event"] == "wave"]


def test_damaged_jobs_are_trained_again_and_the_waves_end_with_the_same_decisions(tmp_path: Path) -> None:
    _, first = run(Trainer(ResultsFolder(tmp_path)))
    tables = sorted(tmp_path.glob("jobs/*/evaluations.parquet"))
    for path in (tables[3].with_name("job.parquet"), tables[7], tables[20]):
        os.truncate(path, path.stat().st_size - 1)
    outcome, again = run(Trainer(ResultsFolder(tmp_path)))
    assert (outcome.exit_code, outcome.trained, outcome.counts["done"]) == (0, 3, 32)
    assert [event for event in again if event["event"] == "wave"] == [e for e in first if e["event"] == "wave"]


def test_an_interrupted_wave_decides_nothing_and_the_same_command_continues(tmp_path: Path) -> None:
    folder = ResultsFolder(tmp_path)
    outcome, events = run(Trainer(folder, stops=2))
    assert waves(events) == EXPECTED[:1]
    assert outcome.exit_code == 130
    assert outcome.counts["to_run"] == 6
    outcome, events = run(Trainer(folder))
    assert waves(events) == EXPECTED
    assert outcome.trained == 14


def test_a_failed_job_leaves_its_pair_out_and_the_exit_code_says_so(tmp_path: Path) -> None:
    folder = ResultsFolder(tmp_path)
    outcome, events = run(Trainer(folder, fails=[("twin", FIRST[0])]))
    assert waves(events) == EXPECTED
    assert outcome.exit_code == 1
    assert outcome.reasons == {"error": 1}
    # Every wave is asked for anew, so a trainer that tries failed jobs again meets this one.
    assert run(Trainer(folder))[0].exit_code == 0


def test_a_wave_is_told_a_person_as_a_line_per_statement_on_a_terminal_and_elsewhere() -> None:
    def said(name: str, verdict: str, **values: Any) -> StatementResult:
        known = {"effect": 12.345, "p": 0.00195, "wave": 2, "reason": "because", **values}
        return StatementResult(id=name, verdict=verdict, unit="return", **known)

    result = WaveResult(
        number=3, waves=5, seeds=[1], jobs=2, alpha=0.05, spent=0.0123,
        statements=[said("a", "supported"), said("longer", "open", wave=3), said("b", "open", p=None, effect=None)],
    )  # fmt: skip
    lines = [
        "wave 3 of at most 5: level spent 0.012 of 0.05",
        "  a       supported (wave 2): difference 12.35 (return), p = 0.0019",
        "  longer  open: difference 12.35 (return), p = 0.0019",
        "  b       open: because",
    ]
    assert wave_lines(result) == lines
    terminal, stream = Console(width=100, file=io.StringIO(), force_terminal=True, no_color=True), io.StringIO()
    Fanout(LiveDisplay(terminal), PlainDisplay(stream)).wave(result)
    assert stream.getvalue().splitlines() == lines
    assert terminal.file.getvalue().splitlines() == lines  # type: ignore[attr-defined]
