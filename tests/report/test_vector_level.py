"""A report says when one suite's jobs were computed at several vector levels, and nothing of jobs that do not say."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from gtr_bench.report import text
from gtr_bench.report.build import build_report
from gtr_bench.report.explain import explain, render_explanation
from gtr_bench.suite.expand import Job
from gtr_bench.suite.load import parse_suite
from tests.helpers import SWAPPED_BACK, points_of, suite_text, write_finished

SUITE = suite_text("swap", tables="\n[evaluation]\nevery = 1024\n", seeds=3, sequences=SWAPPED_BACK)


@pytest.fixture
def fill(tmp_path: Path) -> Callable[..., Path]:
    """A results folder of three jobs with a `hardware` each."""

    def write(hardware: Sequence[str | None]) -> Path:
        jobs: list[Job] = parse_suite(SUITE, path="swap.toml", scale="laptop").jobs()
        for job, each in zip(jobs, hardware, strict=True):
            returns = [20.0 + job.seed] * len(points_of(job))
            write_finished(tmp_path, job, returns, hardware=each, suite_text=SUITE, suite_path="swap.toml")
        return tmp_path

    return write


def at(level: str | None) -> str:
    return json.dumps({"processor": "some", "vector_level": level})


def test_jobs_at_two_levels_are_counted_in_one_line(fill: Callable[..., Path]) -> None:
    (suite,) = build_report([fill([at("AVX2"), at("AVX512"), at("AVX2")])]).suites
    assert [line for line in text.suite_lines(suite) if "vector level" in line] == [
        "jobs computed at several vector levels (2 at AVX2, 1 at AVX512): between them numbers may differ in their "
        "last bits, and runs then part after some iterations"
    ]


@pytest.mark.parametrize("other", [at("AVX2"), at(None), '{"processor": "some"}', None])
def test_one_level_and_jobs_that_do_not_say_are_no_line(fill: Callable[..., Path], other: str | None) -> None:
    (suite,) = build_report([fill([at("AVX2"), other, at("AVX2")])]).suites
    assert "vector" not in "".join(text.suite_lines(suite))


def test_a_cell_is_explained_with_the_level_of_its_jobs(fill: Callable[..., Path]) -> None:
    lines = render_explanation(
        explain([fill([at("AVX2"), at("AVX512"), '{"processor": "some"}'])], "drop/cartpole/ppo")
    )
    assert "hardware: some (AVX2), " in lines
    assert "hardware: some (AVX512), " in lines
    assert "hardware: some, " in lines
