"""`gtr-bench report` and `gtr-bench export` from the outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from gtr_bench.cli.main import execute
from gtr_bench.report.text import number
from gtr_bench.store.schema import EVALUATIONS, JOB
from gtr_bench.store.writer import write_table
from gtr_bench.suite.expand import Job
from gtr_bench.suite.load import parse_suite
from tests.helpers import execute_light, job_columns

from .conftest import SUITE

Fill = Callable[..., Path]


def test_report_writes_data_to_stdout_and_nothing_else(
    fill: Fill, jobs: list[Job], capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(["report", str(fill(jobs)), "--format", "markdown"]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("## swap, scale laptop\n")
    assert captured.err == ""


def test_all_formats_hold_the_same_numbers(fill: Fill, jobs: list[Job], capsys: pytest.CaptureFixture[str]) -> None:
    results = str(fill(jobs))
    texts = []
    for name in ("json", "terminal", "markdown", "latex"):
        assert execute(["report", results, "--full", "--format", name]) == 0
        texts.append(capsys.readouterr().out.replace("{[}", "[").replace("{]}", "]"))
    (suite,) = json.loads(texts[0])["suites"]
    for cell in suite["tables"][1]["cells"]:
        expected = f"{cell['value']:.1f} [{cell['low']:.1f}, {cell['high']:.1f}]"
        assert all(expected in text for text in texts[1:])
    for claim in suite["claims"]:
        assert all(f"{number(claim['effect'])} [{number(claim['low'])}, " in text for text in texts[1:])
    assert execute(["report", results, "--format", "csv"]) == 0
    frame = pd.read_csv(StringIO(capsys.readouterr().out))
    cells = [cell for table in suite["tables"] for cell in table["cells"]]
    assert frame["id"].tolist() == [cell["id"] for cell in cells]
    assert frame["value"].tolist() == [cell["value"] for cell in cells]


@pytest.mark.parametrize("name", ["terminal", "markdown", "latex", "csv", "json"])
def test_equal_results_give_the_same_bytes_in_every_format(
    fill: Fill, jobs: list[Job], capsys: pytest.CaptureFixture[str], name: str
) -> None:
    texts = []
    for folder in ("one", "two"):
        results = str(fill(jobs, name=folder))
        assert execute(["report", results, "--format", name]) == 0
        # The command to type next names the folder.
        texts.append(capsys.readouterr().out.replace(results, "results"))
    assert texts[0] == texts[1]


def test_environments_are_named_with_commas_or_repeated_and_unknown_ones_refused(
    fill: Fill, jobs: list[Job], capsys: pytest.CaptureFixture[str]
) -> None:
    results = str(fill(jobs))
    for given, rows in (
        (["--environments", "acrobot_swap"], 4),
        (["--environments", "acrobot_swap,cartpole_swap"], 8),
        (["--environments", "acrobot_swap", "--environments", "cartpole_swap"], 8),
    ):
        assert execute(["report", results, "--format", "csv", *given]) == 0
        assert len(capsys.readouterr().out.splitlines()) == 1 + rows
    assert execute(["report", results, "--environments", "acrobat_swap"]) == 2
    assert "did you mean `acrobot_swap`?" in capsys.readouterr().err


def test_report_takes_a_metric_a_baseline_a_file_and_a_picture(
    fill: Fill, jobs: list[Job], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, plot = tmp_path / "report.txt", tmp_path / "curves.png"
    arguments = [
        "--metric",
        "phase_auc",
        "--baseline",
        "gtr",
        "--suite",
        "swap",
        "--out",
        str(out),
        "--plot",
        str(plot),
    ]
    assert execute(["report", str(fill(jobs)), *arguments]) == 0
    assert capsys.readouterr().out == ""
    text = out.read_text(encoding="utf-8")
    assert "minus gtr, paired" in text
    assert "phase_auc" in text
    assert "lifetime_return" not in text
    assert plot.read_bytes().startswith(b"\x89PNG")


def test_an_empty_results_folder_is_a_sentence_and_exit_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("report", "export"):
        assert execute([command, str(tmp_path)]) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert "no jobs in" in captured.err


def test_a_truncated_file_is_named_on_stderr_and_its_job_missing(
    fill: Fill, jobs: list[Job], capsys: pytest.CaptureFixture[str]
) -> None:
    results = fill(jobs)
    path = results / "jobs" / jobs[0].id / "job.parquet"
    path.write_bytes(path.read_bytes()[:100])
    assert execute(["report", str(results), "--json"]) == 0
    captured = capsys.readouterr()
    assert captured.err.count("warning: left out") == 1
    assert str(path) in captured.err
    assert json.loads(captured.out)["suites"][0]["jobs"]["missing"] == 1


def test_a_terminal_without_a_character_shows_a_question_mark_for_it(fill: Fill, jobs: list[Job]) -> None:
    command = [sys.executable, "-c", "from gtr_bench.cli.main import main; main()", "report"]
    suite = SUITE.replace('question = "', 'question = "λ é ')
    assert suite != SUITE
    results = fill(jobs[:2], text=suite)
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    done = subprocess.run([*command, str(results)], capture_output=True, env=environment, check=True)
    assert "? é " in done.stdout.decode("latin-1")


def test_export_writes_csv_to_stdout_or_a_file(fill: Fill, jobs: list[Job], tmp_path: Path) -> None:
    results = fill(jobs[:3])
    command = [sys.executable, "-c", "from gtr_bench.cli.main import main; main()", "export", str(results)]
    done = subprocess.run(command, capture_output=True, check=True)
    out = tmp_path / "tidy.csv"
    assert execute(["export", str(results), "--out", str(out)]) == 0
    assert out.read_bytes() == done.stdout
    frame = pd.read_csv(out)
    assert {"suite", "scale", "algorithm", "sequence", "seed", "role", "parameter.learning_rate"} <= set(frame.columns)
    assert frame["job"].nunique() == 3


def test_reporting_imports_neither_torch_nor_pandas_nor_a_simulator(fill: Fill, jobs: list[Job]) -> None:
    done = execute_light("report", str(fill(jobs)), "--json")
    assert done.returncode == 0, done.stderr


def test_registering_the_commands_imports_nothing_heavy() -> None:
    code = (
        "import sys, typer; from gtr_bench.cli import export, report; app = typer.Typer(); "
        "report.register(app); export.register(app); "
        "sys.exit(', '.join({'numpy', 'pyarrow', 'scipy', 'pydantic'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_a_thousand_jobs_of_a_thousand_rows_are_reported_in_twice_the_time_of_reading_them(tmp_path: Path) -> None:
    text = SUITE.replace("seeds = 5", "seeds = 250").replace("references = true\n", "")
    text = text.replace('primary_metric = "recovery_steps"', 'primary_metric = "phase_auc"')
    jobs = parse_suite(text, path="swap.toml", scale="laptop").jobs()
    assert len(jobs) == 1000
    generator = np.random.default_rng(0)
    step = np.arange(1, 1001) * 30
    for job in jobs:
        folder = tmp_path / "jobs" / job.id
        folder.mkdir(parents=True)
        rows = {
            "job": [job.id] * 1000,
            "step": step,
            "phase": (step - 1) // 10_000,
            "evaluated_phase": (step - 1) // 10_000,
            "point": ["grid"] * 1000,
            "episodes": np.full(1000, 4),
            "return_mean": generator.normal(size=1000),
        }
        write_table(folder / "evaluations.parquet", EVALUATIONS, rows)
        columns = job_columns(job, suite_path="swap.toml", suite_text=text)
        write_table(folder / "job.parquet", JOB, columns)
    # Processor time, and beside reading the same files bare: the wall clock of a busy machine says nothing.
    started = time.process_time()
    for file in sorted(tmp_path.rglob("*.parquet")):
        pq.read_table(file)
    bare = time.process_time() - started
    started = time.process_time()
    assert execute(["report", str(tmp_path), "--out", str(tmp_path / "report.txt")]) == 0
    seconds = time.process_time() - started
    assert "complete" in (tmp_path / "report.txt").read_text(encoding="utf-8")
    assert seconds < 2 * bare, f"{seconds:.1f} s, reading alone {bare:.1f} s"
