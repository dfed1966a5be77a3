"""The diagnostics around shifts, and the sentence on whether a gain comes with the mechanism."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gtr_bench.algorithms.gtr.algorithm import GTR
from gtr_bench.learners.policy import PolicyLearner
from gtr_bench.report.build import build_report
from gtr_bench.report.collect import Record
from gtr_bench.report.mechanism import (
    QUANTITIES,
    WINDOW,
    Mechanism,
    MechanismRow,
    kernel_left,
    most_escape,
    never_left,
    windows,
    within_kernel,
)
from gtr_bench.store import reader
from gtr_bench.store.schema import iterations_schema
from gtr_bench.store.writer import write_table
from gtr_bench.suite.expand import Job
from gtr_bench.suite.load import parse_suite

from .conftest import SUITE

Fill = Callable[..., Path]
PER_PHASE = 20

ITERATIONS = iterations_schema({**PolicyLearner.columns, **GTR.columns})


def rows_of(phases: int, per_phase: int, **given: float) -> dict[str, np.ndarray]:
    """Iterations with every quantity at its own number, by position, or constant where it is given."""
    count = phases * per_phase
    rows = {name: np.arange(count, dtype=np.float32) + 1000 * index for index, name in enumerate(QUANTITIES)}
    rows |= {name: np.full(count, value, dtype=np.float32) for name, value in given.items()}
    return {**rows, "phase": np.repeat(np.arange(phases), per_phase), "iteration": np.arange(count)}


def test_windows_are_the_last_and_the_first_iterations_around_a_shift() -> None:
    found = windows(rows_of(2, PER_PHASE))
    # averaged: rows 4..19 before the shift, 20..35 after it; taken over a window already: rows 19 and 35
    assert found["exact_kl"] == (3000 + np.mean(range(4, 20)), 3000 + np.mean(range(20, 36)))
    assert found["path_efficiency"] == (19.0, 35.0)


def test_windows_are_averaged_over_shifts() -> None:
    found = windows(rows_of(3, PER_PHASE))
    assert found["path_efficiency"] == (np.mean([19, 39]), np.mean([35, 55]))


def test_a_shift_next_to_a_phase_shorter_than_a_window_does_not_count() -> None:
    found = windows(rows_of(2, WINDOW - 1))
    assert np.all(np.isnan(np.array(list(found.values()))))


def write_iterations(results: Path, job: Job, path: float, *, escape: float | None = None) -> None:
    """Replace a job's iterations by ones with a constant path efficiency."""
    phases = len(job.definition["sequence"]["phases"])
    count = phases * PER_PHASE
    columns: dict[str, Any] = {
        "job": [job.id] * count,
        "iteration": range(count),
        "step": range(count),
        "phase": np.repeat(np.arange(phases), PER_PHASE),
        "exact_kl": np.full(count, 0.01),
        "path_length": np.full(count, 0.5),
        "path_efficiency": np.full(count, path + 0.001 * job.seed),
    }
    if escape is not None:
        columns["escape_fraction"] = np.full(count, escape)
    write_table(results / "jobs" / job.id / "iterations.parquet", ITERATIONS, columns)


def answer(fill: Fill, *, gtr: float, seeds: int = 5, escape: float = 0.25) -> Mechanism:
    """The mechanism of a report in which GTR has the higher returns, and PPO's path efficiency is 0.5."""
    text = SUITE.replace("seeds = 5\n", f"seeds = {seeds}\n")
    jobs = parse_suite(text, path="swap.toml", scale="laptop").jobs()
    results = fill(jobs, text=text)
    for job in jobs:
        ours = job.algorithm == "gtr"
        write_iterations(results, job, gtr if ours else 0.5, escape=escape if ours else None)
    (suite,) = build_report([results]).suites
    found: Mechanism = suite.mechanism
    return found


def row(found: Mechanism, algorithm: str, quantity: str) -> MechanismRow:
    """One row in the first environment."""
    return next(each for each in found.rows if (each.algorithm, each.quantity) == (algorithm, quantity))


def test_a_gain_with_more_direct_moves_comes_with_the_mechanism(fill: Fill) -> None:
    found = answer(fill, gtr=0.7)
    (sentence,) = found.sentences
    assert sentence.startswith(
        "gtr: the gain in return comes with the mechanism the paper names, higher path_efficiency"
    )
    path = row(found, "gtr", "path_efficiency")
    assert path.after is not None
    assert (path.after.value, path.after.n) == (pytest.approx(0.702), 5)
    assert path.difference is not None
    assert path.difference.value == pytest.approx(0.2)


def test_a_gain_without_more_direct_moves_leaves_the_mechanism_unsupported(fill: Fill) -> None:
    (sentence,) = answer(fill, gtr=0.3).sentences
    assert sentence.startswith("gtr: the return is higher, but path_efficiency is lower: the mechanism is unsupported")


def test_without_a_gain_there_is_nothing_to_explain(fill: Fill) -> None:
    (sentence,) = answer(fill, gtr=0.7, seeds=2).sentences
    assert sentence.startswith("gtr: no gain in return is shown, so there is no gain for the mechanism to explain")
    assert re.search(r"p = 0\.\d+", sentence)


def test_runs_that_all_stayed_inside_the_kernel_did_not_test_it(fill: Fill) -> None:
    _, sentence = answer(fill, gtr=0.7, escape=0.009).sentences
    assert sentence == (
        "gtr: the kernel was never left: GTR acted as a plain KL penalty "
        "(escape_fraction below 1 % in every iteration of all 10 runs)"
    )


def test_runs_that_left_the_kernel_are_not_said_to_have_stayed_inside(fill: Fill) -> None:
    assert not any("never left" in sentence for sentence in answer(fill, gtr=0.7, escape=0.011).sentences)


@pytest.mark.parametrize(
    ("forms", "sentence"),
    [
        (["saturating", "gated_divergence"], "the kernel was never left: GTR acted as a plain KL penalty"),
        (["gated_surrogate"], "the kernel was never left: GTR acted as its surrogate alone"),
        (["gated_spo"], "the kernel was never left: GTR acted as SPO"),
        (["saturating", "gated_spo"], "the kernel was never left"),
        (["of a third party"], "the kernel was never left"),
    ],
)
def test_what_gtr_is_within_its_kernel_follows_from_its_form(forms: list[str], sentence: str) -> None:
    def runs(form: str) -> list[Record]:
        definition = {"algorithm": {"parameters": {"kernel": "gaussian", "form": form}}}
        return [Record("0", "gtr", "world", "run", 0, definition, "complete", summary={"status": "complete"})]

    assert never_left(within_kernel(runs(form)) for form in forms) == sentence
    assert never_left([within_kernel([each for form in forms for each in runs(form)])]) == sentence


def test_one_run_that_left_the_kernel_once_has_tested_it() -> None:
    kernel = {"algorithm": {"parameters": {"kernel": "gaussian"}}}
    runs = [
        Record(str(seed), "gtr", "world", "run", seed, kernel, "complete", summary={"status": "complete"})
        for seed in (0, 1)
    ]
    inside, once = (most_escape({"escape_fraction": np.array([np.nan, 0.0, peak])}) for peak in (0.001, 0.02))
    assert kernel_left(runs, {"0": inside, "1": inside}) is False
    assert kernel_left(runs, {"0": inside, "1": once}) is True
    assert kernel_left(runs, {"0": np.nan}) is None
    plain = [replace(run, definition={"algorithm": {"parameters": {"kernel": "none"}}}) for run in runs]
    assert kernel_left(plain, {"0": inside, "1": inside}) is None


def test_a_quantity_an_algorithm_does_not_have_has_no_row(fill: Fill) -> None:
    found = answer(fill, gtr=0.7)
    assert {each.algorithm for each in found.rows if each.quantity == "escape_fraction"} == {"gtr"}
    escape = row(found, "gtr", "escape_fraction")
    assert escape.before is not None
    assert (escape.before.value, escape.difference) == (0.25, None)


def test_iterations_too_few_for_a_window_are_said_to_be(fill: Fill, jobs: list[Job]) -> None:
    (suite,) = build_report([fill(jobs)]).suites
    assert suite.mechanism is not None
    assert (suite.mechanism.rows, suite.mechanism.sentences) == ((), ())
    assert suite.mechanism.notes == ("no phase has the 16 iterations a window needs",)


def test_only_the_columns_of_the_diagnostics_are_read_and_only_where_something_shifts(
    fill: Fill, jobs: list[Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[set[str]] = []
    plain = reader._read_file

    def watched(path: Path, kind: Any, frame: Any, select: Any) -> Any:
        if path.name == "iterations.parquet":
            asked.append({*frame.names, *select})
        return plain(path, kind, frame, select)

    monkeypatch.setattr(reader, "_read_file", watched)
    build_report([fill(jobs)])
    assert asked == [{"job", "iteration", "phase", *QUANTITIES, "training_return"}] * 20
    asked.clear()
    text = SUITE.replace("phases = 3\n", "phases = 1\n").replace("references = true\n", "")
    text = text.replace('primary_metric = "recovery_steps"', 'primary_metric = "lifetime_return"')
    text = re.sub(r"shift = .*\n", "", text)
    still = parse_suite(text, path="swap.toml", scale="laptop").jobs()
    (suite,) = build_report([fill(still, text=text, name="still")]).suites
    assert asked == []
    assert suite.mechanism is None
