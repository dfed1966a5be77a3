"""`gtr-bench ablate`: how much an algorithm depends on its parameters, and which of its parts matter."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from gtr_bench.cli import completion
from gtr_bench.cli.given import one_format, refuse_given, seed_numbers
from gtr_bench.cli.options import (
    DEFAULT_RESULTS,
    FORMAT_OPTION,
    CohortOption,
    DeviceChoice,
    DeviceOption,
    GpuJobsOption,
    JobsOption,
    JsonOption,
    NoProgressOption,
    OutOption,
    ResultsOption,
    RetryFailedOption,
    ScaleOption,
)
from gtr_bench.cli.trainer import Trainer, study_name

if TYPE_CHECKING:
    from gtr_bench.ablation.run import Request
    from gtr_bench.ablation.trials import SuiteTemplate

__all__ = ["register"]

Format = Literal["terminal", "markdown", "html", "json"]
DEFAULT_SUITE = "kernel_ablation"
ParamOption = Annotated[
    list[str] | None,
    typer.Option(
        "--param", metavar="NAME", help="A parameter to vary; may be repeated.", autocompletion=completion.parameters
    ),
]
RangeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--range",
        metavar="NAME=RANGE",
        help="Such as sigma=0.05:2:log or anchors=1,2,4.  [default: the parameter's own]",
        autocompletion=completion.ranges,
    ),
]
PathOption = Annotated[bool, typer.Option("--path", help="From PPO to GTR one component at a time, each step tested.")]
ComponentsOption = Annotated[
    str,
    typer.Option(
        "--components",
        metavar="LIST",
        help="With --path: the components in their order.",
        autocompletion=completion.components,
    ),
]
SuiteOption = Annotated[
    str,
    typer.Option(
        "--suite",
        metavar="SUITE",
        help="A suite file, or the name of a shipped one.",
        autocompletion=completion.suites,
    ),
]
AlgorithmOption = Annotated[
    str,
    typer.Option(
        "--algorithm",
        metavar="NAME",
        help="The algorithm, as the suite or the program calls it.",
        autocompletion=completion.algorithms,
    ),
]
TrialsOption = Annotated[
    int, typer.Option("--trials", min=2, max=10_000, metavar="N", help="Settings; with grid, values per parameter.")
]
SamplerOption = Annotated[
    Literal["grid", "qmc", "tpe", "random"] | None,
    typer.Option("--sampler", help="How settings are chosen.  [default: grid for one parameter, else qmc]"),
]
BatchOption = Annotated[
    int, typer.Option("--batch", min=1, max=1000, metavar="N", help="With tpe: settings trained at a time.")
]
SeedsOption = Annotated[
    str | None,
    typer.Option(
        "--seeds", metavar="N|LIST", help="A count, or such as 1000,1001.  [default: the scale's, at least 3]"
    ),
]
MetricOption = Annotated[
    str,
    typer.Option("--metric", metavar="NAME", help="What settings are judged by.", autocompletion=completion.metrics),
]
TuneFractionOption = Annotated[
    float,
    typer.Option(
        "--tune-fraction", min=0.01, max=1.0, metavar="SHARE", help="Train only the first share of the phases."
    ),
]
ReferenceOption = Annotated[
    bool,
    typer.Option(
        "--reference/--no-reference", help="Also vary as many parameters of PPO as often, the same ones where it can."
    ),
]
StudyOption = Annotated[
    str | None, typer.Option("--study", metavar="NAME", help="Name of the study.  [default: from the request]")
]
PlotOption = Annotated[
    Path | None, typer.Option("--plot", metavar="FILE", help="Also draw the response: .png, .svg, .pdf or .html.")
]

_STUDY_OPTIONS = {
    "algorithm": "--algorithm",
    "range_": "--range",
    "trials": "--trials",
    "sampler": "--sampler",
    "batch": "--batch",
    "tune_fraction": "--tune-fraction",
    "reference": "--reference/--no-reference",
    "study": "--study",
}
"""Parameter -> option, of those that choose or name the settings of a study."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("ablate")(ablate)


def ablate(
    context: typer.Context,
    param: ParamOption = None,
    range_: RangeOption = None,
    path: PathOption = False,
    components: ComponentsOption = "kernel,anchor,surrogate,gate",
    suite: SuiteOption = DEFAULT_SUITE,
    scale: ScaleOption = None,
    algorithm: AlgorithmOption = "gtr",
    trials: TrialsOption = 16,
    sampler: SamplerOption = None,
    batch: BatchOption = 8,
    seeds: SeedsOption = None,
    metric: MetricOption = "lifetime_return",
    tune_fraction: TuneFractionOption = 1.0,
    reference: ReferenceOption = True,
    study: StudyOption = None,
    results: ResultsOption = DEFAULT_RESULTS,
    jobs: JobsOption = None,
    device: DeviceOption = DeviceChoice.AUTO,
    jobs_per_gpu: GpuJobsOption = 1,
    cohort: CohortOption = None,
    retry_failed: RetryFailedOption = False,
    no_progress: NoProgressOption = False,
    format: Annotated[Format, FORMAT_OPTION] = "terminal",
    json: JsonOption = False,
    out: OutOption = None,
    plot: PlotOption = None,
) -> None:
    """Vary an algorithm's parameters on a suite, and say whether they need tuning per task.

    Trains what is missing and prints; safe to repeat. Trials are ordinary jobs, shared with `run`. GTR is this
    project's reconstruction.
    """
    from gtr_bench.ablation.run import Request
    from gtr_bench.ablation.trials import load_template

    _check_options(context, param or [], path=path, sampler=sampler)
    form: Format = one_format(context, format, json=json)
    _check_files(out, plot)
    template = load_template(suite, scale, metric)
    chosen = _seeds(seeds, template.suite.first_seeds)
    trainer = Trainer(results, jobs, device, jobs_per_gpu, cohort, retry_failed, progress=not no_progress)
    if path:
        _path(template, components.split(","), chosen, results, trainer, form, out, plot)
    else:
        request = Request(
            template=template,
            algorithm=algorithm,
            parameters=tuple(param or ()),
            ranges=_ranges(range_ or []),
            trials=trials,
            batch=batch,
            sampler=sampler or ("grid" if len(param or ()) == 1 else "qmc"),
            seeds=chosen,
            tune_fraction=tune_fraction,
            reference=reference,
            name=study_name(study),
        )
        _study(request, results, trainer, form, out, plot)
    raise typer.Exit(trainer.exit_code)


def _check_options(context: typer.Context, param: list[str], *, path: bool, sampler: str | None) -> None:
    """Refuse options that mean nothing together."""
    from gtr_bench.errors import RequestError

    if path == bool(param):
        raise RequestError(
            "`ablate` needs `--param NAME` or `--path`" if not param else "`--param` and `--path` exclude each other",
            hint="such as `gtr-bench ablate --param sigma`",
        )
    if path:
        refuse_given(context, _STUDY_OPTIONS, "does not go with `--path`, whose settings follow from `--components`")
    else:
        refuse_given(context, {"components": "--components"}, "goes with `--path`")
    if sampler != "tpe":
        refuse_given(context, {"batch": "--batch"}, "goes with `--sampler tpe`", "add `--sampler tpe`")
    if twice := [name for name in param if param.count(name) > 1]:
        raise RequestError(f"`--param` names `{twice[0]}` twice", hint="name every parameter once")


def _check_files(out: Path | None, plot: Path | None) -> None:
    """Find out before the training whether its result can be written."""
    from gtr_bench.report.figures.save import check_suffix
    from gtr_bench.store.writer import check_output

    if plot is not None:
        check_suffix(plot)
    for path in (out, plot):
        if path is not None:
            check_output(path)


def _study(
    request: Request, results: Path, trainer: Trainer, form: Format, out: Path | None, plot: Path | None
) -> None:
    """Train the settings of a study and print what they say."""
    from gtr_bench.ablation.analysis import analyse
    from gtr_bench.ablation.render import draw_response, render_study
    from gtr_bench.ablation.run import run_study
    from gtr_bench.cli.output import layout, write_text
    from gtr_bench.store.reader import warn_on_stderr

    report = analyse(run_study(request, results, trainer.train, warn=warn_on_stderr))
    width, colour = layout(out)
    write_text(render_study(report, form, width=width, colour=colour), out)
    if plot is not None:
        draw_response(report, plot)


def _path(
    template: SuiteTemplate,
    components: list[str],
    seeds: tuple[int, ...],
    results: Path,
    trainer: Trainer,
    form: Format,
    out: Path | None,
    plot: Path | None,
) -> None:
    """Train the steps of the path and print the ordinary report, which decides them."""
    from gtr_bench.ablation.path import path_suite
    from gtr_bench.cli.output import report_text, write_text
    from gtr_bench.report.build import build_report
    from gtr_bench.report.figures.save import save_chart
    from gtr_bench.report.figures.suites import suites_chart
    from gtr_bench.suite.bars import PREVIOUS

    suite = path_suite(template, components, seeds, results)
    trainer.train(suite)
    built = build_report([results], suite=suite.path, baseline=PREVIOUS, curves=form == "html" or plot is not None)
    write_text(report_text(built, form, out), out)
    if plot is not None:
        save_chart(suites_chart(built.suites, "curves"), plot)


def _seeds(text: str | None, scale: tuple[int, ...]) -> tuple[int, ...]:
    from gtr_bench.ablation.trials import fewest_seeds

    return tuple(fewest_seeds(scale)) if text is None else seed_numbers(text)


def _ranges(texts: list[str]) -> dict[str, str]:
    from gtr_bench.ablation.space import parse_ranges

    return parse_ranges(texts)
