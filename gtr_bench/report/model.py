"""The numbers of a report as plain data: what `gtr_bench.report.build` computes and every format renders.

The data of a section is beside what computes it, such as `gtr_bench.report.tables`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gtr_bench.report.figures.notebook import Figure
    from gtr_bench.report.figures.suites import FigureName

__all__ = [
    "Brief",
    "Difference",
    "Interval",
    "LearningCurve",
    "Picture",
    "Provenance",
    "Report",
    "SeedLine",
    "SuiteReport",
    "cell_id",
]


def cell_id(suite: str, scale: str, metric: str, environment: str, algorithm: str) -> str:
    """What `report --explain` takes."""
    return "/".join((suite, scale, metric, environment, algorithm))


@dataclass(frozen=True)
class Interval:
    """A number over `n` seeds with its 95 % interval; no interval for one seed."""

    value: float
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True)
class Difference:
    """Mean over seeds both have of (algorithm - baseline), in the metric's unit; `n` pairs."""

    baseline: str
    value: float
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True)
class SeedLine:
    """One seed's values at the steps of its curve; None where it has no evaluation there."""

    seed: int
    job: str
    values: tuple[float | None, ...]


@dataclass(frozen=True)
class LearningCurve:
    """Evaluated return of one algorithm in one environment: mean over seeds with a pointwise 95 % band.

    `steps` holds a shift's step twice, just before and just after it. `boundaries` are the steps at which the phases
    after the first begin; `worlds` has a letter per phase, equal ones for the same world; `total` steps are the end.
    Of one seed, `low` and `high` equal the mean.
    """

    environment: str
    algorithm: str
    steps: tuple[int, ...]
    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    seeds: tuple[SeedLine, ...]
    boundaries: tuple[int, ...]
    worlds: tuple[str, ...]
    total: int


@dataclass(frozen=True)
class Picture:
    """One world of a suite as people see it: `png` is a file's content, or None, and then `why` says why not."""

    environment: str
    sequences: tuple[str, ...]
    png: bytes | None
    why: str


@dataclass(frozen=True)
class Brief:
    """What the short report needs beside the numbers; no other format shows it.

    Attributes:
        metrics: those it shows: the ones asked for, else the suite's primary one.
        suite: what `gtr-bench run` takes: the name of a shipped suite, else the path the suite was run from.
        full_scale: the scale a smoke scale is small beside; empty where the suite calls none `full`.
        notes: those of the suite without what the short report shows otherwise.
    """

    metrics: tuple[str, ...]
    suite: str
    full_scale: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class SuiteReport:
    """One suite at one scale; `reconstructions` are the labels whose form is this project's reconstruction.

    A section's data is also an attribute: `suite.claims` is `suite.sections["claims"]`. `curves` are empty unless they
    were asked for. `reconstructed` are the registered names behind `reconstructions`; `told_boundaries` are the labels
    whose algorithm, or one of its add-ons, is told where phases begin. `brief` is None where the suite's text could not
    be expanded. `pictures` are there where a page asked for them (`report/pictures.py`).
    """

    suite: str
    scale: str
    question: str
    smoke: bool
    baseline: str | None
    algorithms: tuple[str, ...]
    reconstructions: tuple[str, ...]
    jobs: dict[str, int]
    notes: tuple[str, ...]
    sections: Mapping[str, Any]
    """name of a section -> its data, in the order they are shown; None where it has nothing to say"""
    curves: tuple[LearningCurve, ...] = ()
    reconstructed: tuple[str, ...] = ()
    told_boundaries: tuple[str, ...] = ()
    brief: Brief | None = None
    pictures: tuple[Picture, ...] = ()

    def __getattr__(self, name: str) -> Any:
        found = self.__dict__.get("sections", {})
        if name not in found:
            raise AttributeError(f"a report of a suite has no `{name}`", name=name, obj=self)
        return found[name]

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self.sections})


@dataclass(frozen=True)
class Provenance:
    """What produced the numbers; sorted, each value once."""

    jobs: int
    jobs_digest: str
    gtr_bench: tuple[str, ...]
    git: tuple[str, ...]
    packages_digests: tuple[str, ...]
    devices: tuple[str, ...]
    reported_by: str


@dataclass(frozen=True)
class Report:
    """Everything a format renders."""

    suites: tuple[SuiteReport, ...]
    method: str
    provenance: Provenance

    def _repr_html_(self) -> str:
        """What a notebook shows of it: the claims and tables."""
        # By its name: what renders a report knows this module, and not the other way round.
        return str(import_module("gtr_bench.report.notebook").render_notebook(self))

    def plot(self, figure: FigureName = "curves") -> Figure:
        """A figure, as `gtr-bench report --plot` draws it: a notebook shows it, and `.save(file)` writes it.

        Args:
            figure: `curves`, `claims` or `profiles`.

        Raises:
            UnknownNameError: there is no such figure.
            RequestError: there is nothing to draw, such as the curves of a report built with `curves=False`.
        """
        found: Figure = import_module("gtr_bench.report.figures.notebook").figure_of(self, figure)
        return found
