"""The diagnostics of jobs, read once for every section of a report that asks for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gtr_bench.report.collect import Record
from gtr_bench.report.columns import Columns, by_job, numpy_of
from gtr_bench.store.reader import Warn, read

__all__ = ["Iterations"]

_ALWAYS = ("job", "iteration", "phase")


class Iterations:
    """Rows of the finished jobs of a suite; a job's file is opened when it is first asked for, and once.

    Args:
        columns: the diagnostics that are decoded, beside `iteration` and `phase`.
        warn: called with a sentence for each file that was left out.
    """

    def __init__(self, columns: Iterable[str], warn: Warn) -> None:
        self._columns = tuple(dict.fromkeys((*_ALWAYS, *columns)))
        self._warn = warn
        self._asked: set[str] = set()
        self._rows: dict[str, Columns] = {}

    def of(self, records: Sequence[Record]) -> dict[str, Columns]:
        """Job -> column -> its rows sorted by `iteration`, of those of `records` that have any.

        Raises:
            ResultsError: a file was written by a newer program.
        """
        folders = {each.job: each.folder for each in records if each.folder is not None}
        fresh = [folder for job, folder in folders.items() if job not in self._asked]
        if fresh:
            self._asked |= folders.keys()
            table = read(fresh, "iterations", self._columns, warn=self._warn)
            columns = {name: numpy_of(table[name]) for name in self._columns if name != "job"}
            self._rows |= by_job(table, columns, ("iteration",))
        return {job: self._rows[job] for job in folders if job in self._rows}
