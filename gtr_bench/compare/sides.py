"""What stands on either side of a comparison: a results folder, or the jobs of one commit."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from gtr_bench.compare.definitions import setting
from gtr_bench.errors import RequestError, did_you_mean
from gtr_bench.report.attributes import warn_of_strangers
from gtr_bench.report.collect import FoundJobs, Record, SuiteRecords, age, find_jobs, stored_suite
from gtr_bench.report.scores import Evaluations, as_read, load_evaluations
from gtr_bench.store.reader import Warn, job_folders
from gtr_bench.suite.identity import canonical_json
from gtr_bench.wording import counted

__all__ = ["Key", "Loaded", "load_sides"]

Key: TypeAlias = tuple[str, str]
"""Name of a suite, and its scale."""
_LABELS = ("suite", "scale", "algorithm", "sequence", "role", "suite_path", "suite_text")


@dataclass(frozen=True)
class Loaded:
    """One side: its jobs by suite and scale, as their labels say, and the rows of the finished ones."""

    name: str
    suites: Mapping[Key, SuiteRecords]
    evaluations: Evaluations

    @property
    def records(self) -> list[Record]:
        """All of them."""
        return [record for found in self.suites.values() for record in found.records]


def load_sides(a: str, b: str, results: Sequence[Path], *, warn: Warn) -> tuple[Loaded, Loaded]:
    """The two sides a user named; a job on both has B's labels on both, whichever suite trained it first.

    Args:
        a, b: a results folder, else the first hexadecimal digits of a commit, at least 4.
        results: the folders in which the jobs of a commit are looked for.
        warn: called with a sentence for each file that was left out.

    Raises:
        RequestError: neither of the two, no jobs, no job of that commit, or several commits that begin so.
        ResultsError: a file was written by a newer program.
    """
    (first, before), (second, after) = _find(a, results, warn), _find(b, results, warn)
    every = (*before.jobs.values(), *after.jobs.values())
    warn_of_strangers((row["definition"]["algorithm"]["name"] for row in every), warn)
    for job in before.jobs.keys() & after.jobs.keys():
        before.jobs[job] |= {name: after.jobs[job][name] for name in _LABELS}
    return _load(first, before, warn), _load(second, after, warn)


def _find(given: str, results: Sequence[Path], warn: Warn) -> tuple[str, FoundJobs]:
    """What a side is called, and its jobs."""
    folder = Path(given)
    if folder.is_dir():
        return given, find_jobs([folder], warn)
    if re.fullmatch(r"[0-9a-fA-F]{4,40}", given):
        sha, found = _of_commit(given.lower(), results, warn)
        return f"commit {sha[:12]}", found
    raise RequestError(f"`{given}` is neither a results folder nor a commit", hint=_neither(folder))


def _load(name: str, found: FoundJobs, warn: Warn) -> Loaded:
    groups: dict[Key, list[dict[str, Any]]] = {}
    for row in found.jobs.values():
        groups.setdefault((row["suite"], row["scale"] or ""), []).append(row)
    suites = {key: _suite_records(*key, found, rows) for key, rows in sorted(groups.items())}
    every = {record.job: record for each in suites.values() for record in each.records}
    evaluations = load_evaluations(list(every.values()), warn=warn)
    return Loaded(name, {key: as_read(each, evaluations) for key, each in suites.items()}, evaluations)


def _neither(folder: Path) -> str:
    beside = sorted(folder.parent.iterdir()) if folder.parent.is_dir() else []
    known = [str(each) for each in beside if (each / "jobs").is_dir()]
    return did_you_mean(str(folder), known) if known else "a commit is written as 4 to 40 hexadecimal digits"


def _of_commit(prefix: str, results: Sequence[Path], warn: Warn) -> tuple[str, FoundJobs]:
    """The whole commit and its jobs. Folder by folder: the same job may be in two of them, trained by two commits."""
    job_folders(results)  # refuses what is no results folder
    parts = [find_jobs([folder], warn) for folder in results if any((folder / "jobs").glob("*/"))]
    there = Counter(row["git_sha"] for part in parts for row in part.jobs.values())
    matching = [sha for sha in there if sha and sha.startswith(prefix)]
    if len(matching) != 1:
        names = ", ".join(f"`{folder}`" for folder in results)
        wrong = f"{len(matching)} commits in {names} begin with" if matching else f"no job in {names} is of commit"
        listed = sorted(there.items(), key=lambda item: item[0] or "~")
        shown = ", ".join(f"{sha[:12] if sha else 'no commit'} ({counted(jobs, 'job')})" for sha, jobs in listed)
        raise RequestError(
            f"{wrong} `{prefix}`", hint=f"they hold jobs of {shown}; `--results DIR` names other folders"
        )
    (sha,) = matching
    chosen = FoundJobs({}, set(), {}, {})
    for part in parts:
        for job, row in part.jobs.items():
            if row["git_sha"] == sha and job not in chosen.jobs:
                chosen.jobs[job] = row
                chosen.folders |= {job: part.folders[job]} if job in part.folders else {}
                chosen.finished |= {job} & part.finished
                chosen.failed |= {job: part.failed[job]} if job in part.failed else {}
    return sha, chosen


def _suite_records(name: str, scale: str, found: FoundJobs, rows: Sequence[dict[str, Any]]) -> SuiteRecords:
    """By the stored labels, not by the suite's text: this program may give the same jobs other identities.

    Of several definitions under one label the one that finished last counts, of one definition under several versions
    of code the job that finished last.
    """
    suite = stored_suite(name, scale, rows)
    notes = []
    if isinstance(suite, str):
        notes.append(f"{name}: {suite}: returns are not normalised, and diverged jobs count the worst return seen")
    places: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in sorted(rows, key=age):
        # References of one label differ in their world; runs of one label are meant to be the same.
        world = "" if row["role"] == "run" else canonical_json(row["definition"]["sequence"])
        places.setdefault((row["sequence"], row["algorithm"], row["role"], world), []).append(row)
    records = []
    for _, here in sorted(places.items()):
        newest = setting(here[-1]["definition"])
        by_seed = {row["seed"]: row for row in here if setting(row["definition"]) == newest}
        records += [found.record(row["job"], row, row["definition"]) for _, row in sorted(by_seed.items())]
    if len(records) < len(rows):
        left = counted(len(rows) - len(records), "job")
        notes.append(f"{name}: {left} of an earlier definition under the same labels left out")
    return SuiteRecords(name, scale, None if isinstance(suite, str) else suite, tuple(records), tuple(notes))
