"""A run as a person sees it, on stderr: a live table on a terminal, plain lines otherwise."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from gtr_bench.schedule.observer import FailedCohort, Launch, Observer, Snapshot, WaveResult, WorkerView
from gtr_bench.schedule.wording import cohort_name
from gtr_bench.screen import clean_console
from gtr_bench.wording import compact, counted, duration

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

__all__ = ["LiveDisplay", "PlainDisplay", "make_display"]

PLAIN_EVERY_SECONDS = 30.0
_LIVE_EVERY_SECONDS = 0.5
_BAR = 30
_GAP = 2
_SHORTEST_NAME = 8
_NARROW = 70
"""columns below which speeds of single cohorts give their room to names"""


def make_display(stream: TextIO, *, progress: bool) -> Observer:
    """The live table if the stream is a terminal that can redraw and progress is wanted, else lines."""
    if progress and stream.isatty() and os.environ.get("TERM") != "dumb":
        return LiveDisplay(clean_console(stream, force_terminal=True))
    return PlainDisplay(stream, progress=progress)


def launch_lines(launch: Launch) -> list[str]:
    """What is about to happen, in one or two lines."""
    counts = launch.counts
    before = [
        f"{counts[state]:,} {word}"
        for state, word in (("done", "done"), ("failed", "failed"), ("running", "running elsewhere"))
        if counts[state]
    ]
    where = f"{launch.suite} ({launch.scale}): " if launch.scale else f"{launch.suite}: "
    lines = [f"{where}{counted(launch.jobs, 'job')}" + (f", {', '.join(before)} before" if before else "")]
    if launch.starting:
        resumed = f", {launch.resumed} from a checkpoint" if launch.resumed else ""
        lines.append(
            f"training {counted(launch.starting, 'job')} in {counted(launch.cohorts, 'cohort')} "
            f"on {counted(launch.slots, 'slot')}{resumed}; results in {launch.results}"
        )
    return lines


def failure_lines(failed: FailedCohort) -> list[str]:
    """A failure with its reason, its last log lines and where to read more."""
    fate = "is tried again" if failed.retried else f"{counted(len(failed.job_ids), 'job')} failed"
    fate += " in halves" if failed.halved else ""
    lines = [f"failed: {cohort_name(failed.assignment)}: {failed.failure.reason}: {failed.failure.message}; {fate}"]
    lines += [f"    {line}" for line in failed.last_lines]
    lines.append(f"  environment: {failed.failure.environment}")
    at_fault = next((job for job in failed.assignment.jobs if job.id == failed.failure.at_fault), None)
    shown = (at_fault or failed.assignment.jobs[0]).id
    which = f"{at_fault.id} (seed {at_fault.seed})" if at_fault else "a job of this cohort, not known which"
    if failed.failure.reason != "timeout":  # which is nobody's fault alone
        lines.append(f"  at fault: {which}")
    # A worker's log lies in <results>/cohorts/<cohort>/.
    results = shlex.quote(str(Path(failed.log).parents[2]))
    lines.append(f"  log: {failed.log}; of a job: gtr-bench logs {shown} --results {results}")
    if failed.hint:
        lines.append(f"  hint: {failed.hint}")
    return lines


def finished_line(worker: WorkerView, diverged: Sequence[str]) -> str:
    note = f"; {counted(len(diverged), 'job')} diverged: {', '.join(diverged)}" if diverged else ""
    return f"finished: {cohort_name(worker.assignment)} in {duration(worker.seconds)}{note}"


def stopped_line(worker: WorkerView) -> str:
    step = f" at step {worker.heartbeat.step:,}" if worker.heartbeat else ""
    return f"stopped: {cohort_name(worker.assignment)}{step}"


def preempted_line(worker: WorkerView) -> str:
    step = f" at step {worker.heartbeat.step:,}" if worker.heartbeat else ""
    return f"preempted: {cohort_name(worker.assignment)}{step}: stopped from outside, continues from its checkpoint"


def wave_lines(wave: WaveResult) -> list[str]:
    """What a wave decided: a line per statement."""
    lines = [f"wave {wave.number} of at most {wave.waves}: level spent {wave.spent:.2g} of {wave.alpha:g}"]
    width = max((len(each.id) for each in wave.statements), default=0)
    for each in wave.statements:
        if each.p is None or each.effect is None:
            lines.append(f"  {each.id:<{width}}  {each.verdict}: {each.reason}")
        else:
            before = f" (wave {each.wave})" if each.wave < wave.number else ""
            size = f"difference {each.effect:.4g} ({each.unit}), p = {each.p:.2g}"
            lines.append(f"  {each.id:<{width}}  {each.verdict}{before}: {size}")
    return lines


class PlainDisplay(Observer):
    """One line per start, finish and failure, and one of progress every 30 s."""

    def __init__(self, stream: TextIO, *, progress: bool = True) -> None:
        self._stream = stream
        self._progress = progress
        self._told = time.monotonic()

    def _say(self, *lines: str) -> None:
        for line in lines:
            print(line, file=self._stream, flush=True)

    def launch(self, launch: Launch) -> None:
        self._say(*launch_lines(launch))

    def started(self, worker: WorkerView) -> None:
        resumed = ", from its checkpoint" if worker.assignment.resumes else ""
        self._say(f"started: {cohort_name(worker.assignment)}{resumed}")

    def progress(self, snapshot: Snapshot) -> None:
        now = time.monotonic()
        if not self._progress or now - self._told < PLAIN_EVERY_SECONDS:
            return
        self._told = now
        self._say(progress_line(snapshot))

    def finished(self, worker: WorkerView, diverged: Sequence[str]) -> None:
        self._say(finished_line(worker, diverged))

    def stopped(self, worker: WorkerView) -> None:
        self._say(stopped_line(worker))

    def preempted(self, worker: WorkerView) -> None:
        self._say(preempted_line(worker))

    def failed(self, failed: FailedCohort) -> None:
        self._say(*failure_lines(failed))

    def message(self, text: str) -> None:
        self._say(text)

    def wave(self, wave: WaveResult) -> None:
        self._say(*wave_lines(wave))


def progress_line(snapshot: Snapshot) -> str:
    """How far a run is, in one line."""
    share = snapshot.done_steps / snapshot.total_steps if snapshot.total_steps else 1.0
    failed = f", {snapshot.failed} failed" if snapshot.failed else ""
    return (
        f"progress: {snapshot.done} of {counted(snapshot.jobs, 'job')} done{failed}, {share:.0%} of steps, "
        f"{compact(snapshot.steps_per_second)} steps/s, {duration(snapshot.remaining_seconds)} left"
    )


class LiveDisplay(Observer):
    """A bar over all steps and a line per running cohort, redrawn in place; everything else scrolls above."""

    def __init__(self, console: Console) -> None:
        from rich.live import Live

        self._console = console
        # Drawn only when told: rich's own refresh thread would redraw what has not changed.
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._drawn = 0.0

    def launch(self, launch: Launch) -> None:
        self._say(*launch_lines(launch))
        self._live.start()

    def progress(self, snapshot: Snapshot) -> None:
        now = time.monotonic()
        if now - self._drawn >= _LIVE_EVERY_SECONDS:
            self._drawn = now
            self._live.update(render(snapshot, self._console.width), refresh=True)

    def finished(self, worker: WorkerView, diverged: Sequence[str]) -> None:
        self._say(finished_line(worker, diverged), style="green")

    def stopped(self, worker: WorkerView) -> None:
        self._say(stopped_line(worker), style="yellow")

    def preempted(self, worker: WorkerView) -> None:
        self._say(preempted_line(worker), style="yellow")

    def failed(self, failed: FailedCohort) -> None:
        first, *rest = failure_lines(failed)
        self._say(first, style="red")
        self._say(*rest)

    def message(self, text: str) -> None:
        self._say(text, style="yellow")

    def wave(self, wave: WaveResult) -> None:
        self._say(*wave_lines(wave))

    def close(self) -> None:
        self._live.stop()

    def _say(self, *lines: str, style: str | None = None) -> None:
        # Not markup: labels such as gtr[sigma=0.1] would be taken for it.
        for line in lines:
            self._console.print(line, style=style, markup=False, highlight=False, soft_wrap=True)


def waiting_line(snapshot: Snapshot) -> str | None:
    """How many cohorts wait for a slot, and which comes next; None where none does."""
    if not snapshot.waiting:
        return None
    return f"waiting: {counted(len(snapshot.waiting), 'cohort')}, next {cohort_name(snapshot.waiting[0])}"


def render(snapshot: Snapshot, width: int) -> RenderableType:
    """The live part at so many columns: a bar, what waits, and a table of workers that keeps its numbers whole."""
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.text import Text

    line = f"{progress_line(snapshot).removeprefix('progress: ')}, {duration(snapshot.seconds)} so far"
    bar = ProgressBar(total=max(1, snapshot.total_steps), completed=snapshot.done_steps, width=min(_BAR, width))
    waiting = waiting_line(snapshot)
    parts: list[RenderableType] = (
        [_beside(bar, Text(line))] if _BAR + 1 + len(line) <= width else [_beside(bar), Text(line)]
    )
    parts += [Text(waiting, no_wrap=True, overflow="ellipsis")] if waiting else []
    return Group(*parts, _workers(snapshot, width))


def _beside(*parts: RenderableType) -> Table:
    from rich.table import Table

    grid = Table.grid(padding=(0, 1))
    grid.add_row(*parts)
    return grid


def _workers(snapshot: Snapshot, width: int) -> Table:
    """A line per worker. Where the terminal is narrow the cohort's name is cut, and speeds are left out before that."""
    from rich.table import Table
    from rich.text import Text

    titles = ("cohort", "state", "phase", "steps", "steps/s", "return")
    rows = [_row(view) for view in snapshot.workers]
    widths = [max(map(len, column)) for column in zip(titles, *rows, strict=True)]
    shown = [place for place in range(len(titles)) if titles[place] != "steps/s" or width >= _NARROW]
    rest = sum(widths[place] + _GAP for place in shown if place)
    name = max(_SHORTEST_NAME, min(widths[0], width - rest))
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0))
    for place in shown:
        table.add_column(
            titles[place],
            justify="left" if titles[place] in {"cohort", "state"} else "right",
            no_wrap=True,
            overflow="ellipsis",
            width=widths[place] if place else name,
        )
    for row in rows:
        table.add_row(*(Text(row[place]) for place in shown))
    return table


def _row(view: WorkerView) -> tuple[str, ...]:
    beat = view.heartbeat
    name = cohort_name(view.assignment)
    silence = f"silent for {duration(view.silent_seconds)}" if view.silent else None
    if beat is None:
        return name, silence or "starting", "-", "-", "-", "-"
    return (
        name,
        silence or beat.state,
        f"{beat.phase + 1}/{beat.phases}" if beat.phases else "-",
        f"{beat.step / beat.steps:.0%}" if beat.steps else "-",
        compact(view.steps_per_second),
        compact(beat.training_return),
    )
