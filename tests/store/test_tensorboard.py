"""Event files hold the numbers of the Parquet files, as TensorBoard itself reads them."""

from __future__ import annotations

import json
import math
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gtr_bench.cli.main import execute
from gtr_bench.errors import MissingExtraError, RequestError
from gtr_bench.store.export import tidy
from gtr_bench.store.schema import EVALUATIONS, iterations_schema
from gtr_bench.store.tensorboard import EVENT_FILE, write_runs
from gtr_bench.store.writer import write_table
from gtr_bench.suite import Job, load_suite
from tests.helpers import suite_text, write_finished

pytest.importorskip("tensorboard", reason="tensorboard is not installed")

GRID = """
[[algorithm]]
id = "gtr"
grid = { sigma = [0.1, 0.5] }
"""


@pytest.fixture
def jobs(tmp_path: Path) -> list[Job]:
    (tmp_path / "tiny.toml").write_text(suite_text(algorithms=("ppo",)) + GRID)
    return load_suite(str(tmp_path / "tiny.toml")).jobs()


@pytest.fixture
def results(tmp_path: Path, jobs: list[Job]) -> Path:
    """Of every job five evaluations, one of them in the other phase, and four iterations with nulls and a NaN."""
    results = tmp_path / "results"
    for place, job in enumerate(jobs):
        write_finished(results, job, [1.0])
        folder = results / "jobs" / job.id
        write_table(
            folder / "evaluations.parquet",
            EVALUATIONS,
            {
                "job": [job.id] * 5,
                "step": [0, 512, 1024, 1024, 1024],
                "phase": [0, 0, 0, 1, 1],
                "evaluated_phase": [0, 0, 0, 1, 0],
                "point": ["start", "grid", "grid", "after_shift", "after_shift"],
                "episodes": [10] * 5,
                "return_mean": [place + 1 / 3, 2.5, math.nan, 4.0, 5.0],
                "success_rate": [None, 0.5, None, 0.25, None],
                "achievements": [None, [("eat cow", 0.5)], None, None, [("eat cow", 1.0)]],
            },
        )
        write_table(
            folder / "iterations.parquet",
            iterations_schema(["exact_kl", "penalty"]),
            {
                "job": [job.id] * 4,
                "iteration": [0, 1, 2, 3],
                "step": [256, 512, 768, 1024],
                "phase": [0, 0, 0, 0],
                "episodes": [3, None, 4, 5],
                "exact_kl": [0.1, 0.2, None, 0.4],
                "penalty": [None] * 4,
            },
        )
        (folder / "job.parquet").unlink()
        write_finished_again(results, job)
    return results


def write_finished_again(results: Path, job: Job) -> None:
    """The summary anew: it states the sizes of the tables."""
    from gtr_bench.store.writer import write_summary
    from tests.helpers import job_columns

    write_summary(results / "jobs" / job.id, {name: value for name, (value,) in job_columns(job).items()})


def scalars_of(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Tag -> step and value, as TensorBoard reads a run."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    run.Reload()
    return {tag: [(each.step, each.value) for each in run.Scalars(tag)] for tag in run.Tags()["scalars"]}


def expected(results: Path, job: Job) -> dict[str, list[tuple[int, float]]]:
    """The same from the Parquet files."""
    found: dict[str, list[tuple[int, float]]] = {}

    def add(tag: str, step: int, value: float | None) -> None:
        if value is not None:
            found.setdefault(tag, []).append((step, float(np.float32(value))))

    for row in tidy([results], "evaluations").to_pylist():
        if row["job"] == job.id:
            other = "" if row["phase"] == row["evaluated_phase"] else f"phase_{row['evaluated_phase']}/"
            for name in ("phase", "episodes", "return_mean", "success_rate"):
                add(f"evaluation/{other}{name}", row["step"], row[name])
            for name, rate in row["achievements"] or ():
                add(f"achievement/{other}{name}", row["step"], rate)
    for row in tidy([results], "iterations").to_pylist():
        if row["job"] == job.id:
            for name in ("iteration", "phase", "episodes", "exact_kl", "penalty"):
                add(f"iteration/{name}", row["step"], row[name])
    return found


def test_tensorboard_reads_every_number_of_every_job(results: Path, jobs: list[Job], tmp_path: Path) -> None:
    assert write_runs([results], tmp_path / "tb") == len(jobs) == 6
    runs = sorted(path.parent.relative_to(tmp_path / "tb").as_posix() for path in (tmp_path / "tb").rglob(EVENT_FILE))
    assert len(runs) == 6
    assert runs[-1] == "tiny/laptop/cartpole/ppo/seed_1"
    for job in (each for each in jobs if each.algorithm == "ppo"):
        found = scalars_of(tmp_path / f"tb/tiny/laptop/cartpole/ppo/seed_{job.seed}")
        wanted = expected(results, job)
        assert set(found) == set(wanted)
        for tag, points in wanted.items():
            np.testing.assert_array_equal(found[tag], points, err_msg=tag)
    assert any("sigma-0-1-" in run for run in runs)  # brackets are no part of a folder's name


def test_the_parameters_are_the_runs_hyperparameters(results: Path, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams.metadata import SESSION_START_INFO_TAG, parse_session_start_info_plugin_data

    write_runs([results], tmp_path / "tb")
    run = EventAccumulator(str(tmp_path / "tb/tiny/laptop/cartpole/ppo/seed_0"))
    run.Reload()
    content = run.SummaryMetadata(SESSION_START_INFO_TAG).plugin_data.content
    values = parse_session_start_info_plugin_data(content).hparams
    assert values["clip_range"].number_value == pytest.approx(0.2)
    assert values["optimizer"].string_value == "adam"


def test_jobs_with_the_same_labels_get_runs_of_their_own(results: Path, jobs: list[Job], tmp_path: Path) -> None:
    text = (tmp_path / "tiny.toml").read_text().replace("1024", "2048")
    (tmp_path / "tiny.toml").write_text(text)
    later = [job for job in load_suite(str(tmp_path / "tiny.toml")).jobs() if job.algorithm == "ppo"]
    for job in later:
        write_finished(results, job, [7.0])
    write_runs([results], tmp_path / "tb")
    names = {path.name for path in (tmp_path / "tb/tiny/laptop/cartpole/ppo").iterdir()}
    earlier = [job for job in jobs if job.algorithm == "ppo"]
    assert names == {f"seed_{job.seed}_{job.id}" for job in (*earlier, *later)}


def test_an_export_is_replaced_and_anything_else_is_not(results: Path, tmp_path: Path) -> None:
    write_runs([results], tmp_path / "tb")
    before = {path: path.read_bytes() for path in (tmp_path / "tb").rglob(EVENT_FILE)}
    write_runs([results], tmp_path / "tb")
    assert {path: path.read_bytes() for path in (tmp_path / "tb").rglob(EVENT_FILE)} == before
    (tmp_path / "tb" / "notes.txt").write_text("mine")
    with pytest.raises(RequestError, match=r"holds something else than an export: `.*notes\.txt`"):
        write_runs([results], tmp_path / "tb")
    assert (tmp_path / "tb" / "notes.txt").read_text() == "mine"


def test_a_failure_leaves_nothing_and_what_was_there_before(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_runs([results], tmp_path / "tb")
    names = sorted(os.listdir(tmp_path))

    def refuse(*arguments: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gtr_bench.store.tensorboard._write_run", refuse)
    with pytest.raises(RequestError, match="cannot be written: No space left on device"):
        write_runs([results], tmp_path / "tb")
    assert sorted(os.listdir(tmp_path)) == names
    assert len(list((tmp_path / "tb").rglob(EVENT_FILE))) == 6
    with pytest.raises(RequestError, match="cannot be written: No such file or directory"):
        write_runs([results], tmp_path / "absent" / "tb")


def test_without_tensorboard_a_sentence_says_how_to_install_it(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(MissingExtraError, match="`--format tensorboard` needs the extra `tensorboard`") as caught:
        write_runs([results], tmp_path / "tb")
    assert caught.value.hint == "pip install -c constraints.txt -e '.[tensorboard]'"
    assert not (tmp_path / "tb").exists()


def test_the_command_tells_what_it_wrote_and_what_it_needs(
    results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["export", str(results), "--format", "tensorboard"]
    assert execute([*command, "--out", str(tmp_path / "tb"), "--json"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out) == {"path": str(tmp_path / "tb"), "runs": 6}
    assert f"next: tensorboard --logdir {tmp_path / 'tb'}" in captured.err
    assert execute(command) == 2
    assert "`--format tensorboard` needs `--out DIR`" in capsys.readouterr().err
    assert execute([*command, "--out", str(tmp_path / "other"), "--what", "jobs"]) == 2
    assert "`--what` chooses the rows of a table" in capsys.readouterr().err
    assert not (tmp_path / "other").exists()
