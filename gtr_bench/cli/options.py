"""Arguments and options several commands share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from gtr_bench.cli import completion

__all__ = [
    "DEFAULT_RESULTS",
    "FORMAT_OPTION",
    "CohortOption",
    "DeviceChoice",
    "DeviceOption",
    "GpuJobsOption",
    "JobsOption",
    "JsonOption",
    "NoProgressOption",
    "OutOption",
    "PoliciesOption",
    "ResultsArgument",
    "ResultsOption",
    "ResultsOptions",
    "RetryFailedOption",
    "ScaleOption",
    "SelectOption",
    "SuiteArgument",
    "folders_given",
    "metric_option",
]

DEFAULT_RESULTS = Path("results")


class DeviceChoice(StrEnum):
    """Where workers train."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


SuiteArgument = Annotated[
    str,
    typer.Argument(
        metavar="SUITE", help="A suite file, or the name of a shipped one.", autocompletion=completion.suites
    ),
]
ScaleOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Scale of the suite: laptop, medium or full.  [default: laptop]",
        autocompletion=completion.scales,
    ),
]
ResultsOption = Annotated[Path, typer.Option(metavar="DIR", help="Results folder.")]
SelectOption = Annotated[
    str | None,
    typer.Option(
        "-k",
        metavar="EXPR",
        help='Only jobs that match, such as "ppo* and not seed=3": algorithm, sequence, seed=N, id.',
        autocompletion=completion.selection,
    ),
]
JobsOption = Annotated[
    int | None,
    typer.Option("--jobs", "-j", min=1, metavar="N", help="Workers at once.  [default: usable cores or GPUs]"),
]
GpuJobsOption = Annotated[int, typer.Option(min=1, max=64, metavar="N", help="Workers per GPU.")]
DeviceOption = Annotated[DeviceChoice, typer.Option(help="Where to train; auto takes the GPUs if there are any.")]
CohortOption = Annotated[
    int | None,
    typer.Option(
        min=1, max=1024, metavar="N", help="Jobs trained together at most; 1 = each alone.  [default: chosen]"
    ),
]
RetryFailedOption = Annotated[bool, typer.Option("--retry-failed", help="Also run jobs that failed before.")]
PoliciesOption = Annotated[
    bool, typer.Option("--policies/--no-policies", help="Keep the trained policies, for `gtr-bench play`.")
]
NoProgressOption = Annotated[
    bool, typer.Option("--no-progress", envvar="GTR_BENCH_NO_PROGRESS", help="Only starts, ends and failures.")
]
OutOption = Annotated[
    Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write there instead of to stdout.")
]
ResultsArgument = Annotated[
    list[Path] | None, typer.Argument(help="Results folders.", show_default="results", metavar="RESULTS...")
]
ResultsOptions = Annotated[
    list[Path] | None, typer.Option("--results", metavar="DIR", help="The same as an option; may be repeated.")
]
"""The same as `ResultsArgument`, written as every other command has it."""
FORMAT_OPTION = typer.Option("--format", "-f", help="How to write the numbers.")
"""Which formats there are, each command says by its type."""
JsonOption = Annotated[bool, typer.Option("--json", help="JSON on stdout.")]


def folders_given(arguments: list[Path] | None, options: list[Path] | None) -> list[Path]:
    """The results folders of a command line that takes them either way, the default where it has none."""
    return [*(arguments or []), *(options or [])] or [DEFAULT_RESULTS]


def metric_option(text: str, default: str) -> Any:
    """`--metric`, with its help, and which metric the command takes where none is given."""
    return typer.Option(
        "--metric",
        metavar="NAME",
        help=text,
        show_default=default,
        autocompletion=completion.metrics,
    )
