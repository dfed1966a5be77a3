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

    def _repr_html_(self) -> str:
        """What a notebook shows: the finished jobs, a row per suite, scale and algorithm."""
        from html import escape

        groups = self.jobs.groupby(["suite", "scale", "algorithm"], sort=True, dropna=False)
        table = groups.agg(
            sequences=("sequence", "nunique"),
            seeds=("seed", "nunique"),
            jobs=("job", "size"),
            diverged=("status", lambda states: (states == "diverged").sum()),
        )
        named = ", ".join(f"<code>{escape(str(folder))}</code>" for folder in self.folders)
        return f"<p>Finished jobs in {named}</p>\n{table.reset_index().to_html(index=False)}"


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
    metrics: str | Sequence[str] = (),
    baseline: str | None = None,
    environments: str | Sequence[str] = (),
    curves: bool = True,
    published: bool = False,
) -> Report:
    """The numbers `gtr-bench report` shows, as plain data (`gtr_bench.report.model`).

    Args:
        results: results folders; `results` by default.
        suite: only this suite (a name, or a suite file).
        metrics: the metrics shown, or the only one; by default the suite's primary one and `lifetime_return`.
        baseline: the algorithm label the others are compared with; by default `ppo` where the suite has it.
        environments: sequence ids, or the only one, whose rows are shown; claims are decided on all of theirs anyway.
        curves: also the learning curves, which HTML shows and `plot()` draws.
        published: also the numbers published elsewhere on the same worlds, which nothing is computed from.

    Raises:
        RequestError: no jobs, or an unknown suite, metric, baseline or environment.
        ResultsError: a file was written by a newer program.
    """
    from gtr_bench.report.build import build_report

    return build_report(
        _folders(results),
        suite=suite,
        metric_names=_several(metrics),
        baseline=baseline,
        environments=_several(environments),
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


def _several(names: str | Sequence[str]) -> Sequence[str]:
    """One name is a list of one: taken for a list, its letters would be the names."""
    return [names] if isinstance(names, str) else names


def _folders(results: Sequence[Folder]) -> list[Path]:
    return [Path(each) for each in results or ("results",)]
