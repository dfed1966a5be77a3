"""Comparisons of what real folders hold: jobs that are missing, unfinished, failed, diverged early or not finite."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest

from gtr_bench.compare.build import compare
from gtr_bench.compare.render import render_comparison

from .conftest import NEW, OLD, Fill, jobs_of, write_run, write_unfinished


def _fill(results: Path, draw: random.Random) -> None:
    def bend(job: object, returns: np.ndarray) -> np.ndarray:
        bent = returns + draw.choice([0, 0, draw.gauss(0, 10)])
        bent[-3:] *= draw.choice([1, 1, 1, 0, np.nan])
        bent[0] += draw.choice([0, 0, 0, np.inf])
        return bent

    for job in jobs_of():
        sha, speed = draw.choice([OLD, NEW, None]), draw.choice([None, 0.0, 100.0])
        state = draw.choice(["missing", "started", "failed", "diverged", *["complete"] * 8])
        if state in ("started", "failed"):
            write_unfinished(results, [job], reason="error" if state == "failed" else "", sha=sha)
        elif state == "diverged":
            step, upto = draw.choice([None, 0, 5000]), draw.choice([-1, 0, 2048])
            write_run(results, job, sha=sha, bend=bend, status=state, diverged_step=step, upto=upto)
        elif state == "complete":
            write_run(results, job, sha=sha, bend=bend, steps_per_second=speed)


@pytest.mark.parametrize("seed", range(6))
def test_half_finished_results_are_compared_in_either_direction(fill: Fill, tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    sides = [tmp_path / name for name in ("a", "b")]
    for side in sides:
        _fill(side, draw)
    for a, b in (("a", "b"), ("b", "a"), (OLD[:6], NEW[:6])):
        for names in (["lifetime_return"], ["recovery_steps", "drop"]):
            found = compare(a, b, results=sides, metric_names=names)
            told = json.loads(render_comparison(found, "json"))
            assert found.regression == any(cell["verdict"] in ("worse", "failed") for cell in told["cells"])
            assert found.undecided == any(cell["verdict"] == "cannot decide" for cell in told["cells"])
            assert bool(found.unjudged) >= found.undecided
            for cell in told["cells"]:
                outcomes = {change["outcome"] for change in cell["metrics"]}
                assert (cell["verdict"] == "worse") == ("worse" in outcomes)
                if cell["verdict"] == "no difference found":
                    assert not outcomes & {"worse", "better", "changed", "cannot decide"}
            text = render_comparison(found, "markdown")
            for cell in found.cells:
                assert cell.algorithm in text
                assert cell.verdict in text


def test_what_is_compared_with_itself_is_identical_however_ragged(fill: Fill, tmp_path: Path) -> None:
    _fill(tmp_path / "a", random.Random(0))
    found = compare("a", "a")
    assert {cell.verdict for cell in found.cells} == {"identical"}
