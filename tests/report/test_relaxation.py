"""Does relaxation follow advantage or noise: found where it is there, and rarely where it is not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gtr_bench.algorithms.gtr.algorithm import GTR
from gtr_bench.learners.policy import PolicyLearner
from gtr_bench.report import relaxation as module
from gtr_bench.report.build import build_report
from gtr_bench.report.relaxation import FEWEST, SPAN, Relaxation, Series, correlations, relaxation_of, series_of
from gtr_bench.store.schema import iterations_schema
from gtr_bench.store.writer import write_table
from gtr_bench.suite.expand import Job
from gtr_bench.suite.load import parse_suite
from tests.metrics.helpers import within_band

from .conftest import SUITE

Fill = Callable[..., Path]
PER_PHASE = 40

ITERATIONS = iterations_schema({**PolicyLearner.columns, **GTR.columns})


def iterations(
    generator: np.random.Generator, *, effect: float = 0.0, trend: str = "none", memory: float = 0.0, phases: int = 3
) -> dict[str, np.ndarray]:
    """Noise around common trends; with `effect` every escape lifts the returns after it."""
    place = np.arange(PER_PHASE)
    shape = {
        "none": np.zeros(PER_PHASE),
        "saturating": 1 - np.exp(-place / 8),
        "breakthrough": 1 / (1 + np.exp(-(place - 15) / 2)),
    }[trend]
    slope = np.gradient(shape)
    rows: dict[str, list[np.ndarray]] = {"escape_fraction": [], "training_return": [], "phase": []}
    for phase in range(phases):
        noise = generator.normal(size=(2, PER_PHASE))
        for index in range(1, PER_PHASE):
            noise[:, index] += memory * noise[:, index - 1]
        escape = 0.5 + slope + 0.05 * noise[0]
        gained = np.concatenate([[0.0], np.cumsum(escape - escape.mean())[:-1]])
        rows["escape_fraction"].append(escape)
        rows["training_return"].append(100 * shape + 10 * noise[1] + effect * gained)
        rows["phase"].append(np.full(PER_PHASE, phase))
    return {name: np.concatenate(parts) for name, parts in rows.items()}


def said(jobs: Sequence[Sequence[dict[str, np.ndarray]]], alpha: float = 0.05) -> str:
    """The sentence on one algorithm whose jobs are given by environment."""
    records: list[Any] = [
        SimpleNamespace(
            sequence=f"world {place}",
            algorithm="gtr",
            job=f"{place}-{seed}",
            seed=seed,
            definition={"learn": 3, "sequence": {"phases": [{"environment": f"world {place}"}], "shifts": []}},
        )
        for place, own in enumerate(jobs)
        for seed in range(len(own))
    ]
    flat = [rows for own in jobs for rows in own]
    found = {record.job: series for record, rows in zip(records, flat, strict=True) if (series := series_of(rows))}
    (sentence,) = relaxation_of(records, found, ["gtr"], alpha).sentences
    return sentence


@pytest.mark.parametrize(("effect", "words"), [(200.0, "is followed by improvement"), (-200.0, "is followed by loss")])
def test_an_effect_of_relaxation_is_found_on_its_side(effect: float, words: str) -> None:
    generator = np.random.default_rng(51)
    jobs = [[iterations(generator, effect=effect, trend="saturating") for _ in range(6)] for _ in range(2)]
    assert said(jobs).startswith(f"gtr: relaxation {words}, beyond what the iteration explains (escape_follows_return ")


def test_a_trend_both_follow_is_no_association() -> None:
    generator = np.random.default_rng(52)
    jobs = [iterations(generator, trend="breakthrough") for _ in range(6)]
    table = correlations([series for rows in jobs if (series := series_of(rows))])
    assert np.diagonal(table).mean() > 0.2
    assert "is not shown to be followed by improvement or by loss" in said([jobs])


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [(6,), (5, 5)])
@pytest.mark.parametrize(("trend", "memory"), [("none", 0.0), ("saturating", 0.7), ("breakthrough", 0.7)])
def test_of_independent_series_with_any_common_trend_something_is_said_at_the_level(
    trend: str, memory: float, seeds: tuple[int, ...]
) -> None:
    generator = np.random.default_rng(53)
    wrong = sum(
        "is not shown"
        not in said([[iterations(generator, trend=trend, memory=memory) for _ in range(n)] for n in seeds])
        for _ in range(400)
    )
    assert within_band(wrong, 400, 0.05)


def test_the_correlation_is_that_of_ranks_freed_from_a_cubic() -> None:
    generator = np.random.default_rng(54)
    rows = iterations(generator, phases=1)
    escape, returns = rows["escape_fraction"], rows["training_return"]
    gain = np.array(
        [returns[i + 1 : i + 1 + SPAN].mean() - returns[i - SPAN : i].mean() for i in range(SPAN, PER_PHASE - SPAN)]
    )
    place = np.arange(len(gain))
    freed = []
    for values in (escape[SPAN:-SPAN], gain):
        ranks = np.argsort(np.argsort(values))
        freed.append(ranks - np.polyval(np.polyfit(place, ranks, 3), place))
    (value,) = correlations([series_of(rows)]).ravel()  # type: ignore[list-item]
    assert value == pytest.approx(np.corrcoef(*freed)[0, 1], abs=1e-9)


def test_a_lucky_rollout_that_relaxes_the_policy_is_neither_improvement_nor_loss() -> None:
    """Escape answers to the iteration's own return alone, which is noise."""
    generator = np.random.default_rng(55)
    values = []
    for _ in range(200):
        rows = iterations(generator, phases=1)
        rows["escape_fraction"] = 0.5 + rows["training_return"] / 100
        values.append(correlations([series_of(rows)]).item())  # type: ignore[list-item]
    assert abs(np.mean(values)) < 3 * np.std(values) / np.sqrt(len(values))


def test_without_escape_or_with_phases_too_short_or_constant_there_is_no_series() -> None:
    rows = iterations(np.random.default_rng(56))
    assert isinstance(series_of(rows), Series)
    assert series_of({**rows, "escape_fraction": np.full(len(rows["phase"]), np.nan)}) is None
    assert series_of({**rows, "escape_fraction": np.full(len(rows["phase"]), 0.25)}) is None
    assert series_of({name: values[: FEWEST + 2 * SPAN - 1] for name, values in rows.items()}) is None


def test_iterations_without_an_ended_episode_are_left_out() -> None:
    rows = iterations(np.random.default_rng(57))
    rows["training_return"][::3] = np.nan
    found = series_of(rows)
    assert found is not None
    assert np.all(np.isfinite(found.gain))


def relaxation(fill: Fill, *, short: int = 0) -> Relaxation:
    """A report on jobs of which gtr's relax before they improve; `short` of them diverged early."""
    text = SUITE.replace("seeds = 5\n", "seeds = 6\n")
    jobs: list[Job] = parse_suite(text, path="swap.toml", scale="laptop").jobs()
    results = fill(jobs, text=text)
    generator = np.random.default_rng(58)
    for job in jobs:
        rows = iterations(generator, effect=200.0, phases=len(job.definition["sequence"]["phases"]))
        if job.algorithm != "gtr":
            del rows["escape_fraction"]
        elif job.seed < short:
            rows = {name: values[:-5] for name, values in rows.items()}
        count = len(rows["phase"])
        columns = {"job": [job.id] * count, "iteration": range(count), "step": range(count), **rows}
        columns["path_efficiency"] = np.full(count, 0.5)
        write_table(results / "jobs" / job.id / "iterations.parquet", ITERATIONS, columns)
    (suite,) = build_report([results]).suites
    found: Relaxation = suite.relaxation
    return found


def test_a_report_shows_it_for_algorithms_that_log_it(fill: Fill) -> None:
    found = relaxation(fill)
    assert [(each.algorithm, each.association.n, len(each.jobs)) for each in found.rows] == [("gtr", 6, 6)] * 2
    assert all(each.association.value > 0.1 for each in found.rows)
    (sentence,) = found.sentences
    assert sentence.startswith("gtr: relaxation is followed by improvement")


def test_a_job_with_fewer_iterations_is_left_out_and_n_says_so(fill: Fill) -> None:
    assert [each.association.n for each in relaxation(fill, short=2).rows] == [4, 4]


@pytest.mark.parametrize("ties", [False, True])
def test_series_freed_together_are_those_freed_alone_to_the_bit(ties: bool) -> None:
    generator = np.random.default_rng(0)
    for _ in range(50):
        n = int(generator.integers(FEWEST, 200))
        rows = list(generator.integers(0, 5, (8, n)).astype(float) if ties else generator.normal(size=(8, n)))
        rows[3] = np.ones(n)
        together = module._all_freed(rows)
        assert [row.tobytes() for row in together] == [module._freed(row).tobytes() for row in rows]
        assert not together[3].any()
