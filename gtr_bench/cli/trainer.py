"""What commands that make suites of their own, `ablate` and `tune`, train them with."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from gtr_bench.cli.options import DeviceChoice

if TYPE_CHECKING:
    from gtr_bench.schedule.observer import Outcome
    from gtr_bench.suite.expand import Suite

__all__ = ["Trainer", "study_name"]

_STOPPED_EARLY = 130


class Trainer:
    """Trains the missing jobs of suites one after the other and remembers how that ended."""

    def __init__(
        self,
        results: Path,
        jobs: int | None,
        device: DeviceChoice,
        jobs_per_gpu: int,
        cohort: int | None,
        retry_failed: bool,
        *,
        progress: bool,
    ) -> None:
        self._options = (results, jobs, device, jobs_per_gpu, cohort, retry_failed, progress)
        self.exit_code = 0

    def train(self, suite: Suite) -> None:
        """Train what is missing; stops the program where the user interrupted it."""
        import contextlib

        from gtr_bench.schedule.display import make_display
        from gtr_bench.schedule.folders import ResultsFolder, State
        from gtr_bench.schedule.run import record_request, run_suite
        from gtr_bench.schedule.settings import Settings

        results, jobs, device, jobs_per_gpu, cohort, retry_failed, progress = self._options
        folder = ResultsFolder(results)
        states = folder.survey(job.id for job in suite.jobs())
        command = ["gtr-bench", *sys.argv[1:]]
        if all(state.state is State.DONE for state in states.values()):
            unrecorded = record_request(suite, folder, command=command)
            if unrecorded:
                print(unrecorded, file=sys.stderr)
            return
        with contextlib.redirect_stdout(sys.stderr):
            outcome = run_suite(
                suite,
                folder,
                selection=None,
                settings=Settings(
                    device=device.value,
                    jobs=jobs,
                    jobs_per_gpu=jobs_per_gpu,
                    cohort=cohort,
                    retry_failed=retry_failed,
                ),
                observer=make_display(sys.stderr, progress=progress),
                command=command,
            )
        self._note(outcome)

    def _note(self, outcome: Outcome) -> None:
        import shlex

        if outcome.exit_code == _STOPPED_EARLY:
            print(f"to continue: {shlex.join(['gtr-bench', *sys.argv[1:]])}", file=sys.stderr)
            raise typer.Exit(_STOPPED_EARLY)
        if outcome.message:
            print(outcome.message, file=sys.stderr)
        self.exit_code = max(self.exit_code, outcome.exit_code)


def study_name(name: str | None) -> str | None:
    """A study's name is a folder's: the same rules as for names in a suite."""
    from gtr_bench.errors import RequestError
    from gtr_bench.names import why_unusable

    if name is not None and (reason := why_unusable(name)) is not None:
        raise RequestError(f"`--study`: {reason}")
    return name
