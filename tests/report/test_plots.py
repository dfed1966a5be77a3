"""Learning curves: every panel, line and shift is there, and equal results give an equal file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gtr_bench.errors import RequestError
from gtr_bench.report.plots import learning_curves
from gtr_bench.suite.expand import Job

from .conftest import SUITE, write_job

Fill = Callable[..., Path]


def test_an_svg_names_sequences_algorithms_seeds_worlds_and_what_it_is(
    fill: Fill, jobs: list[Job], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import matplotlib

    monkeypatch.setitem(matplotlib.rcParams, "svg.fonttype", "none")
    learning_curves([fill(jobs)], tmp_path / "curves.svg")
    text = (tmp_path / "curves.svg").read_text(encoding="utf-8")
    for words in ("cartpole_swap", "acrobot_swap", "ppo (n = 5)", "gtr † (n = 5)", "world B", "environment steps"):
        assert words in text
    assert "this project's reconstruction" in text
    assert "smoke scale: no claim" in text


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_equal_results_give_an_equal_file(fill: Fill, jobs: list[Job], tmp_path: Path, suffix: str) -> None:
    few = [job for job in jobs if job.sequence == "cartpole_swap" and job.seed < 2]
    results = fill(few)
    learning_curves([results], tmp_path / f"one{suffix}")
    learning_curves([results], tmp_path / f"two{suffix}")
    assert (tmp_path / f"one{suffix}").read_bytes() == (tmp_path / f"two{suffix}").read_bytes()


def test_unfinished_jobs_alone_and_unknown_suffixes_are_refused(jobs: list[Job], fill: Fill, tmp_path: Path) -> None:
    write_job(tmp_path / "young", jobs[0], SUITE, finished=False, stop=2000)
    with pytest.raises(RequestError, match="no finished job to draw"):
        learning_curves([tmp_path / "young"], tmp_path / "curves.png")
    with pytest.raises(RequestError, match="should end in"):
        learning_curves([fill(jobs[:1])], tmp_path / "curves.bmp")
    assert not (tmp_path / "curves.png").exists()
