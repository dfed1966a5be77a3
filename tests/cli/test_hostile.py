"""Every command on a results folder with one bad file: it is named and left out, and nothing outside is touched."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gtr_bench.schedule.assignments import job_record
from gtr_bench.store.schema import EVALUATIONS, SCHEMA_KEY
from gtr_bench.store.writer import write_summary, write_table
from gtr_bench.suite import group, load_suite
from gtr_bench.suite.identity import canonical_json
from tests.helpers import job_columns, suite_text

COMMANDS = ("plan", "status", "logs", "report", "export", "compare", "run")
DEEP = "[" * 200_000
SECONDS = 60


class Place(NamedTuple):
    """A results folder with three finished jobs and a failed one, and a folder outside of it."""

    results: Path
    outside: Path
    done: str
    other: str
    failed: str
    cohort: str
    jobs: dict[str, Any]

    def job(self, job: str, name: str = "") -> Path:
        return self.results / "jobs" / job / name

    def in_cohort(self, name: str = "") -> Path:
        return self.results / "cohorts" / self.cohort / name


def rewrite(path: Path, change: Callable[[pa.Table], pa.Table]) -> None:
    """As an older version, or another program, would have written it: without our checksum."""
    pq.write_table(change(pq.read_table(path)), path)


def link(path: Path, target: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    path.symlink_to(target)


def pipe(path: Path) -> None:
    path.unlink(missing_ok=True)
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def linked_job(at: Place) -> None:
    shutil.move(at.job(at.done), at.outside / "job")
    link(at.results / "jobs" / at.done, at.outside / "job")


def in_place_of_job(at: Place, make: Callable[[Path], Any]) -> None:
    shutil.rmtree(at.job(at.done))
    make(at.results / "jobs" / at.done)


def jobs_file(at: Place) -> None:
    shutil.rmtree(at.results / "jobs")
    (at.results / "jobs").write_text("no folder")


def definition(at: Place, text: str) -> None:
    row = {name: value for name, (value,) in job_columns(at.jobs[at.done]).items()}
    write_summary(at.job(at.done), {**row, "definition": text})


def cohort(at: Place, change: Callable[[dict[str, Any]], Any]) -> None:
    content = json.loads(at.in_cohort("cohort.json").read_text())
    change(content)
    at.in_cohort("cohort.json").write_text(json.dumps(content))


def version(at: Place) -> None:
    rewrite(at.job(at.done, "evaluations.parquet"), lambda t: t.replace_schema_metadata({SCHEMA_KEY: b"9" * 5000}))


def undecodable(at: Place) -> None:
    path = at.job(at.done, "job.parquet")
    rewrite(path, lambda table: table.replace_schema_metadata({SCHEMA_KEY: b"1", b"gtr": b"name"}))
    path.write_bytes(
        path.read_bytes().replace(b"created_by", b"created_\xff\xfe").replace(b"hardware", b"hardw\xff\xfee")
    )


def rows_of_another(at: Place) -> None:
    path = at.job(at.done, "evaluations.parquet")
    table = pq.read_table(path)
    columns = {name: table[name].to_pylist() for name in table.column_names}
    write_table(path, EVALUATIONS, {**columns, "job": [at.other] * len(table)})
    restate(at)


def restate(at: Place) -> None:
    """job.parquet as of a version before sizes were stated."""
    rewrite(at.job(at.done, "job.parquet"), lambda table: table)


def doubled(at: Place) -> None:
    rewrite(at.job(at.done, "evaluations.parquet"), lambda table: pa.concat_tables([table, table]))
    restate(at)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


STATES = {"plan", "status", "run"}
READERS = {"report", "export", "compare"}
ALL = STATES | READERS
FAILURE, CELL = {"report", "compare"}, {"report", "export", "compare", "plan", "run"}

# name: (what is done to the folder, the commands that must name it)
DAMAGE: dict[str, tuple[Callable[[Place], Any], set[str]]] = {
    "failure_list": (lambda at: at.job(at.failed, "failure.json").write_text('{"reason": []}'), STATES | FAILURE),
    "failure_deep": (lambda at: at.job(at.failed, "failure.json").write_text(DEEP), STATES | FAILURE),
    "failure_nan": (lambda at: at.job(at.failed, "failure.json").write_text('{"reason": "x", "step": NaN}'), STATES),
    "failure_pipe": (lambda at: pipe(at.job(at.failed, "failure.json")), STATES | FAILURE),
    "failure_folder": (lambda at: folder(at.job(at.failed, "failure.json")), STATES),
    "lock_bytes": (lambda at: at.job(at.done, "lock").write_bytes(b"\xff\xfe\x00"), {"plan"}),
    "lock_large": (lambda at: at.job(at.done, "lock").write_text("a" * 100_000), {"plan"}),
    "lock_absolute": (lambda at: at.job(at.failed, "lock").write_text(str(at.outside / "cohort")), {"logs"}),
    "lock_folder": (lambda at: folder(at.job(at.failed, "lock")), STATES),
    "lock_link": (lambda at: link(at.job(at.failed, "lock"), at.outside / "file"), STATES),
    "lock_pipe": (lambda at: pipe(at.job(at.failed, "lock")), STATES),
    "job_link": (linked_job, ALL),
    "job_dangling": (lambda at: in_place_of_job(at, lambda path: path.symlink_to(at.outside / "none")), ALL),
    "job_file": (lambda at: in_place_of_job(at, lambda path: path.write_text("no folder")), ALL),
    "job_pipe": (lambda at: in_place_of_job(at, os.mkfifo), ALL),
    "jobs_file": (jobs_file, ALL),
    "definition_cut": (lambda at: definition(at, '{"algorithm":'), READERS),
    "definition_other": (lambda at: definition(at, canonical_json(at.jobs[at.other].definition)), READERS),
    "cohort_deep": (lambda at: at.in_cohort("cohort.json").write_text(DEEP), READERS | {"plan"}),
    "cohort_definition": (lambda at: cohort(at, lambda it: it["jobs"][0].update(definition={})), READERS | {"plan"}),
    "cohort_names": (lambda at: cohort(at, lambda it: it["jobs"][0].update(id="../../outside")), READERS | {"plan"}),
    "cohort_pipe": (lambda at: pipe(at.in_cohort("cohort.json")), READERS | {"plan"}),
    "cohort_link": (lambda at: link(at.results / "cohorts" / at.cohort, at.outside / "cohort"), {"plan"}),
    "heartbeat_odd": (lambda at: at.in_cohort("heartbeat.json").write_text('{"state": "done", "profile": 3}'), set()),
    "heartbeat_partial": (lambda at: link(at.in_cohort(".heartbeat.json.partial"), at.outside / "file"), set()),
    "checkpoint_link": (lambda at: link(at.in_cohort("checkpoint"), at.outside / "cohort" / "checkpoint"), set()),
    "log_link": (lambda at: link(at.in_cohort("log.txt"), at.outside / "file"), {"logs"}),
    "log_pipe": (lambda at: pipe(at.in_cohort("log.txt")), {"logs"}),
    "version": (version, {"report", "export", "compare"}),
    "undecodable": (undecodable, READERS),
    "table_pipe": (lambda at: pipe(at.job(at.done, "evaluations.parquet")), ALL),
    "job_parquet_pipe": (lambda at: pipe(at.job(at.done, "job.parquet")), ALL),
    "job_parquet_cut": (lambda at: cut(at.job(at.done, "job.parquet")), ALL),
    "table_cut": (lambda at: cut(at.job(at.done, "evaluations.parquet")), ALL),
    "table_gone": (lambda at: at.job(at.done, "evaluations.parquet").unlink(), ALL),
    "rows_of_another": (rows_of_another, READERS),
    "rows_doubled": (doubled, READERS),
}  # fmt: skip
NOTHING_LEFT = {"jobs_file": READERS | {"logs"}}
"""Where a command has nothing to say any more: a sentence and exit code 2."""


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Place:
    from tests.helpers import points_of, write_finished

    folder = tmp_path_factory.mktemp("pristine")
    (folder / "tiny.toml").write_text(suite_text(algorithms=("ppo", "spo")))
    suite = load_suite(folder / "tiny.toml")
    results, outside = folder / "results", folder / "outside"
    jobs = {job.id: job for job in suite.jobs()}
    together = group(list(jobs.values()), slots=1)
    failed = together[-1].jobs[-1].id
    for each in together:
        path = results / "cohorts" / each.id
        path.mkdir(parents=True)
        origin = {"suite_text": suite.text, "suite_path": "tiny.toml", "git_sha": None, "git_dirty": None}
        content = {"format": 1, "id": each.id, "jobs": [job_record(job) for job in each.jobs], "provenance": origin}
        (path / "cohort.json").write_text(json.dumps(content))
        (path / "log.txt").write_text("said\n")
        for job in each.jobs:
            if job.id == failed:
                (results / "jobs" / job.id).mkdir(parents=True)
                failure = {"reason": "error", "message": "it raised", "log": "", "step": 1, "time": 1.0}
                (results / "jobs" / job.id / "failure.json").write_text(json.dumps(failure))
            else:
                returns = [float(step) for step, _, _ in points_of(job)]
                write_finished(results, job, returns, suite_path="tiny.toml", suite_text=suite.text)
            (results / "jobs" / job.id / "lock").write_text(each.id + "\n")
    (outside / "cohort" / "checkpoint").mkdir(parents=True)
    (outside / "cohort" / "checkpoint" / "worker.json").write_text("{}")
    (outside / "file").write_text("somebody's\n")
    done = [job.id for job in together[-1].jobs if job.id != failed]
    other = next(job.id for job in together[0].jobs)
    return Place(results, outside, done[0], other, failed, together[-1].id, jobs)


def content(folder: Path) -> dict[str, bytes | str]:
    """Everything below a folder, links as what they say."""
    return {
        str(path.relative_to(folder)): os.readlink(path)
        if path.is_symlink()
        else path.read_bytes()
        if path.is_file()
        else ""
        for path in sorted(folder.rglob("*"))
    }


@pytest.fixture
def in_time() -> Iterator[None]:
    """A command that waits for a pipe fails its test instead of hanging it."""

    def late(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"not done in {SECONDS} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def arguments(command: str, at: Place) -> list[str]:
    results = str(at.results)
    return {
        "run": ["run", "tiny.toml", "--results", results, "--jobs", "1", "--retry-failed", "--no-progress"],
        "plan": ["plan", "tiny.toml", "--results", results],
        "status": ["status", "--results", results],
        "logs": ["logs", at.failed, "--results", results],
        "report": ["report", results],
        "export": ["export", results],
        "compare": ["compare", results, str(at.results.parent / "whole")],
    }[command]


@pytest.mark.usefixtures("in_time")
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("damage", DAMAGE)
def test_one_bad_file_is_named_and_brings_no_command_down(damage: str, command: str, pristine: Place, cli: Any) -> None:
    at = pristine._replace(results=cli.results, outside=cli.folder / "outside")
    shutil.copytree(pristine.results, at.results)
    shutil.copytree(pristine.outside, at.outside)
    if command == "compare":
        shutil.copytree(pristine.results, cli.folder / "whole")
    do, named_by = DAMAGE[damage]
    do(at)
    before = content(at.outside)
    answer = cli(*arguments(command, at))
    assert content(at.outside) == before
    assert "defect" not in answer.stderr, answer.stderr
    assert "Traceback" not in answer.stderr, answer.stderr
    left = command in NOTHING_LEFT.get(damage, ()) or (damage == "lock_absolute" and command == "logs")
    left |= command == "logs" and damage.startswith("lock_") and damage not in {"lock_bytes", "lock_large"}
    assert answer.returncode in ({2} if left else {0, 1}), answer.stderr
    if command in named_by:
        assert re.search(r"warning: .*`[^`]*(jobs|cohorts)[^`]*`", answer.stderr), answer.stderr
    if command == "run":
        assert answer.returncode == 0, answer.stderr
        assert json.loads(cli("status", "--json", "--results", str(at.results)).stdout)["counts"]["done"] == 4


@pytest.mark.parametrize(
    ("damage", "command"), [("table_pipe", "report"), ("failure_deep", "status"), ("lock_link", "run")]
)
def test_a_process_of_its_own_meets_the_bad_file_as_well(damage: str, command: str, pristine: Place, cli: Any) -> None:
    at = pristine._replace(results=cli.results, outside=cli.folder / "outside")
    shutil.copytree(pristine.results, at.results)
    shutil.copytree(pristine.outside, at.outside)
    DAMAGE[damage][0](at)
    before = content(at.outside)
    process = cli.start(*arguments(command, at))
    _, stderr = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, stderr
    assert "warning: " in stderr
    assert "Traceback" not in stderr
    assert content(at.outside) == before
