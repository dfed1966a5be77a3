"""`gtr-bench run --until-decided`: the options that go with it, and the run in waves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gtr_bench.schedule.folders import ResultsFolder
    from gtr_bench.schedule.observer import Observer, Outcome
    from gtr_bench.schedule.settings import Settings
    from gtr_bench.suite import Job, Suite

__all__ = ["MaxSeedsOption", "UntilDecidedOption", "WaveOption", "check_waves", "run_waves"]

UntilDecidedOption = Annotated[
    bool,
    typer.Option("--until-decided", help="Train seeds in waves until the suite's claims and comparisons are decided."),
]
WaveOption = Annotated[
    int | None,
    typer.Option(min=1, max=1000, metavar="N", help="With --until-decided: seeds at a time.  [default: 5]"),
]
MaxSeedsOption = Annotated[
    int | None,
    typer.Option(min=1, max=1000, metavar="N", help="With --until-decided: seeds at most.  [default: 25]"),
]


def check_waves(selection: str | None, *, until_decided: bool, wave: int | None, max_seeds: int | None) -> None:
    """Refuse options that mean nothing together."""
    from gtr_bench.errors import RequestError

    for option, value in (("--wave", wave), ("--max-seeds", max_seeds)):
        if value is not None and not until_decided:
            raise RequestError(
                f"`{option}` goes with `--until-decided`", hint=f"add `--until-decided` or drop `{option}`"
            )
    if until_decided and selection is not None:
        raise RequestError(
            "`-k` and `--until-decided` exclude each other: which jobs run follows from what is undecided",
            hint="drop `-k`, or make a suite of the algorithms you want to compare",
        )


def run_waves(
    suite: Suite,
    folder: ResultsFolder,
    *,
    wave: int | None,
    max_seeds: int | None,
    settings: Settings,
    observer: Observer,
    command: Sequence[str],
) -> tuple[Outcome, str | None]:
    """Train in waves. Returns the end, and what a report should be asked with where that is not the suite's file: its
    name, under which the ledger of requests has the text with the table."""
    from gtr_bench.schedule.run import run_jobs
    from gtr_bench.sequential.rule import in_waves
    from gtr_bench.sequential.run import run_until_decided
    from gtr_bench.store.reader import warn_on_stderr

    waved = in_waves(suite, wave=wave, max_seeds=max_seeds)

    def train(jobs: Sequence[Job], told: Observer) -> Outcome:
        return run_jobs(jobs, waved, folder, settings=settings, observer=told, command=command)

    outcome = run_until_decided(waved, folder, train, observer, warn=warn_on_stderr)
    return outcome, None if suite.sequential is not None else suite.name
