"""What a script or a notebook uses: the results as pandas frames, and the same report as the command line's."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import pandas as pd

    from gtr_bench.report.model import Report
    from gtr_bench.store.reader import Kind

__all__ = ["Folder", "Results", "load", "render", "report"]

Folder: TypeAlias = str | PathLike[str]


class Results:
    """One or more results folders as pandas frames, each read when it is first used.

    Every frame has the labels of its rows' jobs (`suite`, `scale`, `algorithm`, `sequence`, `role`, `seed`, `status`)
    and a column `parameter.NAME` per parameter; docs/results.md says what the other columns mean.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self.folders = tuple(folders)

    @cached_property
    def jobs(self) -> pd.DataFrame:
        """One row per finished job."""
        return self._frame("jobs")

    @cached_property
    def evaluations(self) -> pd.DataFrame:
        """One row per evaluation point and evaluated phase, of unfinished jobs too."""
        return self._frame("evaluations")

    @cached_property
    def iterations(self) -> pd.DataFrame:
        """One row per policy iteration, with its diagnostics, of unfinished jobs too."""
        return self._frame("iterations")

    def _frame(self, what: Kind) -> pd.DataFrame:
        from gtr_bench.store.export import tidy

        frame: pd.DataFrame = tidy(self.folders, what).to_pandas(maps_as_pydicts="strict")
        return frame

    def __repr__(self) -> str:
        return f"Results({', '.join(repr(str(folder)) for folder in self.folders)})"


def load(*results: Folder) -> Results:
    """The results in one or more folders; `results` by default. A job in two of them counts once.

    Raises:
        RequestError: a folder is not a results folder, or none of them holds a job.
    """
    from gtr_bench.store.reader import job_folders

    folders = _folders(results)
    job_folders(folders)
    return Results(folders)


def report(
    *results: Folder,
    suite: str | None = None,
    metrics: Sequence[str] = (),
    baseline: str | None = None,
    environments: Sequence[str] = (),
    curves: bool = False,
    published: bool = False,
) -> Report:
    """The numbers `gtr-bench report` shows, as plain data (`gtr_bench.report.model`).

    Args:
        results: results folders; `results` by default.
        suite: only this suite (a name, or a suite file).
        metrics: the metrics shown; by default the suite's primary one and `lifetime_return`.
        baseline: the algorithm label the others are compared with; by default `ppo` where the suite has it.
        environments: sequence ids whose rows are shown; claims are decided on all of theirs anyway.
        curves: also the learning curves, which HTML shows.
        published: also the numbers published elsewhere on the same worlds, which nothing is computed from.

    Raises:
        RequestError: no jobs, or an unknown suite, metric, baseline or environment.
        ResultsError: a file was written by a newer program.
    """
    from gtr_bench.report.build import build_report

    return build_report(
        _folders(results),
        suite=suite,
        metric_names=metrics,
        baseline=baseline,
        environments=environments,
        curves=curves,
        also=["published"] if published else [],
    )


def render(report: Report, format: str = "terminal") -> str:
    """A report as text: `terminal`, `markdown`, `html`, `latex`, `csv` or `json`.

    Raises:
        UnknownNameError: no such format.
    """
    from gtr_bench.report.formats import render as rendered

    return rendered(report, format)


def _folders(results: Sequence[Folder]) -> list[Path]:
    return [Path(each) for each in results or ("results",)]
