"""The command to type after reading a report, of one suite."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gtr_bench.report.model import SuiteReport
from gtr_bench.wording import counted

__all__ = ["CommandLine", "next_lines"]

DEFAULT_SCALES = ("laptop", "default")
"""taken where no scale is named"""


@dataclass(frozen=True)
class CommandLine:
    """The command line a report answers: the results folders as given, none for the default one, and `--suite`."""

    results: tuple[Path, ...] = ()
    suite: str | None = None


def next_lines(suite: SuiteReport, asked: CommandLine) -> tuple[str, ...]:
    """Why and what to type next, and what shows the rest."""
    why, command = _next(suite, asked)
    named = asked.suite or suite.suite
    return why, f"next: {command}", f"all of it: {_report(asked, named)} --full"


def _next(suite: SuiteReport, asked: CommandLine) -> tuple[str, str]:
    """The first of these that holds: jobs are missing, or failed, the scale is too small, a claim is undecided."""
    claims = suite.sections.get("claims") or ()
    absences = suite.sections.get("missing") or ()
    named = asked.suite or suite.suite
    brief = suite.brief
    if suite.jobs.get("missing") and brief is not None:
        waves = ["--until-decided"] if any(claim.look is not None for claim in claims) else []
        run = ["gtr-bench", "run", brief.suite, *_scale(suite.scale), *_results(asked), *waves]
        return f"{counted(suite.jobs['missing'], 'job')} to train", shlex.join(run)
    failed = [absence.jobs[0] for absence in absences if absence.state == "failed"]
    if failed:
        return "why a job failed", shlex.join(["gtr-bench", "logs", failed[0], *_results(asked)])
    if suite.smoke and brief is not None and brief.full_scale:
        plan = ["gtr-bench", "plan", brief.suite, "--scale", brief.full_scale]
        return "this scale is too small for a claim: see what the full one takes", shlex.join(plan)
    undecided = [claim.id for claim in claims if claim.verdict == "undecided"]
    if undecided:
        return f"why `{undecided[0]}` is undecided", f"{_report(asked, named)} --explain {shlex.quote(undecided[0])}"
    return "a page with figures", f"{_report(asked, named)} --format html --out report.html"


def _report(asked: CommandLine, suite: str) -> str:
    return shlex.join(["gtr-bench", "report", *map(str, asked.results), "--suite", suite])


def _scale(name: str) -> Sequence[str]:
    return () if name in DEFAULT_SCALES else ("--scale", name)


def _results(asked: CommandLine) -> Iterator[str]:
    """The folder jobs are trained into: the first of several."""
    for folder in asked.results[:1]:
        yield from ("--results", str(folder))
