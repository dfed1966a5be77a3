"""Finished jobs of a suite as it was run before it was edited: nobody asks for them now, and they are still there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gtr_bench.errors import GtrBenchError
from gtr_bench.schedule.cached import labels_of
from gtr_bench.schedule.folders import ResultsFolder, State
from gtr_bench.store.requests import Ledger, ledger_name, ledger_names, read_ledger

if TYPE_CHECKING:
    from gtr_bench.suite import Suite

__all__ = ["count_earlier", "earlier_of_all"]


def count_earlier(suite: Suite, folder: ResultsFolder) -> int:
    """How many done jobs carry the suite's name and scale and are none of its jobs as it is now.

    Only where the ledger of requests has another text than this one: a suite nobody edited costs a look at it.
    """
    ledger = read_ledger([folder.root], ledger_name(suite.name, suite.scale), folder.warn)
    return _count(suite, ledger, folder)


def earlier_of_all(folder: ResultsFolder) -> dict[str, int]:
    """Name of a ledger -> as `count_earlier` of the newest text in it, of those that have any."""
    from gtr_bench.suite.load import parse_suite

    found = {}
    for name in ledger_names([folder.root]):
        ledger = read_ledger([folder.root], name, folder.warn)
        if len({request.text for request in ledger.requests}) < 2:
            continue
        newest = ledger.requests[-1]
        try:
            suite = parse_suite(newest.text, path=str(newest.file))
            scale = next((each for each in suite.scales if ledger_name(suite.name, each) == name), None)
            if scale is not None and scale != suite.scale:
                suite = parse_suite(newest.text, path=str(newest.file), scale=scale)
            count = 0 if scale is None else _count(suite, ledger, folder)
        except GtrBenchError as error:
            folder.warn(f"left out `{newest.file}`: {error.reason}")
            continue
        if count:
            found[name] = count
    return found


def _count(suite: Suite, ledger: Ledger, folder: ResultsFolder) -> int:
    if all(request.text == suite.text for request in ledger.requests):
        return 0
    own = {job.id for job in suite.jobs()}
    states = folder.survey(job_id for job_id in folder.job_ids() if job_id not in own)
    done = [job_id for job_id, state in states.items() if state.state is State.DONE]
    return sum(labels[:2] == (suite.name, suite.scale) for labels in labels_of(done, folder).values())
