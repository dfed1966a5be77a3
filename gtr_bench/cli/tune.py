"""`gtr-bench tune`: the same number of trials for every algorithm of a suite, and the suite with what was best."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from gtr_bench.cli import completion
from gtr_bench.cli.given import refuse_given
from gtr_bench.cli.options import (
    DEFAULT_RESULTS,
    CohortOption,
    DeviceChoice,
    DeviceOption,
    GpuJobsOption,
    JobsOption,
    JsonOption,
    NoProgressOption,
    ResultsOption,
    RetryFailedOption,
    ScaleOption,
    SuiteArgument,
)
from gtr_bench.cli.trainer import Trainer, study_name

if TYPE_CHECKING:
    from gtr_bench.ablation.trials import SuiteTemplate
    from gtr_bench.tuning.run import Request

__all__ = ["register"]

DEFAULT_OUT = Path("tuned.toml")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("tune")(tune)


def tune(
    context: typer.Context,
    suite: SuiteArgument,
    budget: Annotated[int, typer.Option("--budget", min=2, max=1000, metavar="N", help="Trials of every algorithm.")],
    param: Annotated[
        list[str] | None,
        typer.Option(
            "--param",
            metavar="ALG.NAME",
            help="A parameter of an algorithm to search; may be repeated.  [default: the algorithm's own choice]",
            autocompletion=completion.tuned_parameters,
        ),
    ] = None,
    range_: Annotated[
        list[str] | None,
        typer.Option(
            "--range",
            metavar="NAME=RANGE",
            help="Such as gtr.sigma=0.05:2:log, or learning_rate=1e-4:1e-2:log.  [default: the parameter's own]",
            autocompletion=completion.tuned_ranges,
        ),
    ] = None,
    scale: ScaleOption = None,
    seeds: Annotated[
        str | None,
        typer.Option("--seeds", metavar="N|LIST", help="A count, or such as 9000,9001.  [default: 3 from 9000 on]"),
    ] = None,
    tune_fraction: Annotated[
        float,
        typer.Option(
            "--tune-fraction", min=0.01, max=1.0, metavar="SHARE", help="Train only the first share of the phases."
        ),
    ] = 0.5,
    metric: Annotated[
        str | None,
        typer.Option(
            "--metric",
            metavar="NAME",
            help="What trials are judged by.  [default: the suite's primary metric]",
            autocompletion=completion.metrics,
        ),
    ] = None,
    sampler: Annotated[
        Literal["qmc", "tpe", "random"], typer.Option("--sampler", help="How settings are chosen.")
    ] = "qmc",
    batch: Annotated[
        int, typer.Option("--batch", min=1, max=1000, metavar="N", help="With tpe: trials trained at a time.")
    ] = 4,
    study: Annotated[
        str | None, typer.Option("--study", metavar="NAME", help="Name of the study.  [default: from the request]")
    ] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Say what would be trained; starts nothing.")] = False,
    results: ResultsOption = DEFAULT_RESULTS,
    jobs: JobsOption = None,
    device: DeviceOption = DeviceChoice.AUTO,
    jobs_per_gpu: GpuJobsOption = 1,
    cohort: CohortOption = None,
    retry_failed: RetryFailedOption = False,
    no_progress: NoProgressOption = False,
    json: JsonOption = False,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Where the tuned suite goes.")] = DEFAULT_OUT,
) -> None:
    """Tune every algorithm of SUITE with the same number of trials.

    Tunes on seeds that the suite does not report. Trials are ordinary jobs, shared with `run`; the same command
    continues where it was. `gtr-bench run` and `report` take the file it writes. GTR is this project's
    reconstruction.
    """
    from gtr_bench.cli.output import layout, write_text
    from gtr_bench.report.terminal import terminal_text
    from gtr_bench.store.reader import warn_on_stderr
    from gtr_bench.suite.source import parse_source
    from gtr_bench.tuning.layout import tuning_blocks, tuning_json
    from gtr_bench.tuning.run import Request, run_tuning
    from gtr_bench.tuning.seeds import reported_seeds, tuning_seeds
    from gtr_bench.tuning.spaces import spaces_of
    from gtr_bench.tuning.write import tuned_text

    if sampler != "tpe":
        refuse_given(context, {"batch": "--batch"}, "goes with `--sampler tpe`", "add `--sampler tpe`")
    template = _template(suite, scale, metric)
    _check_out(out, template)
    source = parse_source(template.suite.text, template.suite.path)
    names = list(dict.fromkeys(label.partition("[")[0] for label in template.suite.algorithms))
    request = Request(
        template=template,
        spaces=spaces_of(template, names, param or [], range_ or []),
        budget=budget,
        sampler=sampler,
        batch=batch,
        seeds=tuning_seeds(seeds, reported_seeds(source.tree)),
        tune_fraction=tune_fraction,
        name=study_name(study),
    )
    if plan:
        typer.echo(_planned(request, results, jobs, device, jobs_per_gpu, cohort, retry_failed, json=json))
        return
    trainer = Trainer(results, jobs, device, jobs_per_gpu, cohort, retry_failed, progress=not no_progress)
    tuning = run_tuning(request, results, trainer.train, warn=warn_on_stderr)
    written = None
    if tuning.complete:
        write_text(tuned_text(source, tuning, shlex.join(["gtr-bench", *sys.argv[1:]]), str(out)), out)
        written = str(out)
    width, colour = layout(None)
    shown = (
        tuning_json(tuning, written)
        if json
        else terminal_text(tuning_blocks(tuning, written), width=width, colour=colour)
    )
    write_text(shown, None)
    if written is not None:
        print(f"next: gtr-bench run {shlex.quote(written)}{_scale(template)}", file=sys.stderr)
    raise typer.Exit(trainer.exit_code or int(not tuning.complete))


def _planned(
    request: Request,
    results: Path,
    jobs: int | None,
    device: DeviceChoice,
    jobs_per_gpu: int,
    cohort: int | None,
    retry_failed: bool,
    *,
    json: bool,
) -> str:
    """What the trials cost that are not there yet; settings of an adaptive sampler are not known, but how many."""
    from gtr_bench.cli.plan import plan_text
    from gtr_bench.schedule.folders import ResultsFolder
    from gtr_bench.schedule.plan import make_plan
    from gtr_bench.schedule.slots import make_slots
    from gtr_bench.tuning.run import first_round

    suite = request.suite_of(first_round(request), results / "studies" / request.study / "suite.toml")
    slots = len(make_slots(device=device.value, jobs=jobs, jobs_per_gpu=jobs_per_gpu))
    made = make_plan(suite.jobs(), ResultsFolder(results), slots=slots, cohort=cohort, retry_failed=retry_failed)
    return plan_text(suite, results, made, {}, json=json)


def _template(suite: str, scale: str | None, metric: str | None) -> SuiteTemplate:
    from gtr_bench.ablation.trials import load_template
    from gtr_bench.suite.load import load_suite

    return load_template(suite, scale, metric or load_suite(suite, scale=scale).primary_metric)


def _check_out(out: Path, template: SuiteTemplate) -> None:
    """The tuned suite may replace an earlier one of the same suite, but no other file."""
    import tomllib

    from gtr_bench.errors import RequestError
    from gtr_bench.store.writer import check_output

    check_output(out)
    if not out.is_file():
        return
    if out.resolve() == Path(template.suite.path).resolve():
        raise RequestError(f"`--out {out}` is the suite that is tuned", hint="choose another file")
    try:
        earlier = tomllib.loads(out.read_text(encoding="utf-8-sig")).get("tuned", {}).get("suite")
    except (OSError, ValueError, AttributeError):
        earlier = None
    if earlier != template.suite.name:
        raise RequestError(
            f"`{out}` is there already, and is no tuned `{template.suite.name}`",
            hint="choose another file with `--out`",
        )


def _scale(template: SuiteTemplate) -> str:
    """The option that names the scale, where it is not the one that is taken anyway."""
    from gtr_bench.suite.load import load_suite

    default = load_suite(template.suite.path).scale
    return "" if default == template.suite.scale else f" --scale {shlex.quote(template.suite.scale)}"
