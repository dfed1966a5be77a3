"""Which jobs a report is about: what a suite expects, joined with what the results folders hold.

The suite's own text, the newest that it was run with, is expanded again, so a job that never ran is a missing cell and
a job of an earlier version of the suite is left out. Where the text cannot be expanded (an extra is missing here), the
labels stored with the jobs are taken as they are and the report says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from gtr_bench.errors import GtrBenchError, RequestError, UnknownNameError
from gtr_bench.report.attributes import warn_of_strangers
from gtr_bench.report.registration import History, history_of, newest_suite, registration_notes, suite_of_ledger
from gtr_bench.store.definitions import with_definitions
from gtr_bench.store.failures import Failure
from gtr_bench.store.reader import Warn, failures, job_folders, read, unfinished_jobs
from gtr_bench.store.requests import Ledger, ledger_name, ledger_names, read_ledger
from gtr_bench.suite.bars import referred_to
from gtr_bench.suite.expand import Suite
from gtr_bench.suite.identity import canonical_json
from gtr_bench.suite.load import find_suite, load_suite, parse_suite
from gtr_bench.wording import counted

__all__ = [
    "FoundJobs",
    "Record",
    "State",
    "SuiteRecords",
    "age",
    "algorithms_of",
    "collect",
    "collect_suite",
    "find_jobs",
    "stored_suite",
]

State = Literal["complete", "diverged", "failed", "missing"]

_LABELS = ("suite", "scale", "algorithm", "sequence", "role", "seed")
_COLUMNS = (
    *("job", "status", *_LABELS, "definition", "finished", "learner", "diverged_step", "suite_path", "suite_text"),
    *("git_sha", "git_dirty", "packages", "device", "gtr_bench_version", "steps_per_second", "hardware"),
)


@dataclass(frozen=True)
class Record:
    """One expected job and what became of it.

    `folder` is where its files are, None when there are none; `summary` is its row of `job.parquet`, else empty;
    `reason` and `message` are failure.json's where it failed.
    """

    job: str
    algorithm: str
    sequence: str
    role: str
    seed: int
    definition: Mapping[str, Any] = field(repr=False)
    state: State
    folder: Path | None = None
    summary: Mapping[str, Any] = field(default_factory=dict, repr=False)
    reason: str = ""
    message: str = ""

    @property
    def algorithm_name(self) -> str:
        """The registered name behind the label."""
        return str(self.definition["algorithm"]["name"])


@dataclass(frozen=True)
class SuiteRecords:
    """One suite at one scale: its records in the suite's order, and what the reader must be told.

    `suite` is None when its text could not be expanded; then missing jobs are unknown. `history` are the texts it was
    run with, None where nobody asked.
    """

    name: str
    scale: str
    suite: Suite | None
    records: tuple[Record, ...]
    notes: tuple[str, ...]
    history: History | None = field(default=None, repr=False)

    @property
    def smoke(self) -> bool:
        """Whether the scale is too small for a claim; there is none where the suite's text could not be expanded."""
        return self.suite is not None and self.suite.smoke


def algorithms_of(found: SuiteRecords) -> list[str]:
    """Labels in the suite's order, else sorted."""
    present = {record.algorithm for record in found.records if record.role == "run"}
    order = found.suite.algorithms if found.suite else sorted(present)
    return [label for label in order if label in present]


@dataclass
class FoundJobs:
    """Everything the results folders hold, by job id: `jobs` are rows of job.parquet, or a cohort's labels before."""

    jobs: dict[str, dict[str, Any]]
    finished: set[str]
    failed: dict[str, Failure]
    folders: dict[str, Path]

    def record(self, job: str, labels: Mapping[str, Any], definition: Mapping[str, Any]) -> Record:
        """What became of `job`, which may be one that was never started."""
        summary = self.jobs[job] if job in self.finished else {}
        state: State = summary["status"] if summary else ("failed" if job in self.failed else "missing")
        failure = self.failed[job] if state == "failed" else None
        return Record(
            job=job,
            algorithm=labels["algorithm"],
            sequence=labels["sequence"],
            role=labels["role"],
            seed=labels["seed"],
            definition=definition,
            state=state,
            folder=self.folders.get(job),
            summary=summary,
            reason="" if failure is None else failure.reason,
            message="" if failure is None else failure.message,
        )


def collect(results: Sequence[Path], suite: str | None, *, warn: Warn, studies: bool = False) -> list[SuiteRecords]:
    """The suites in `results` and the records of each, sorted by name and scale.

    Args:
        results: results folders.
        suite: only this suite: a name among the results, or a suite file, whose text then replaces the stored one.
        warn: called with a sentence for each file that was left out.
        studies: also those of `gtr-bench ablate` where no suite is named; else they are left out beside other suites,
            and the first suite's notes say so.

    Raises:
        RequestError: no jobs, or a suite that is not among them.
        SuiteError: the suite file given is wrong.
    """
    found = find_jobs(results, warn)
    warn_of_strangers((job["definition"]["algorithm"]["name"] for job in found.jobs.values()), warn)
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for job in found.jobs.values():
        groups.setdefault((job["suite"], job["scale"] or ""), []).append(job)
    present: dict[tuple[str, str], SuiteRecords] = {}
    of_studies = [key for key, jobs in groups.items() if all(_of_a_study(job["suite_path"]) for job in jobs)]
    for key, jobs in sorted(groups.items()):
        if suite in (None, key[0]):
            present[key] = _labelled(*key, found, jobs, read_ledger(results, ledger_name(*key), warn), warn)
    for name in sorted(set(ledger_names(results)) - {ledger_name(*key) for key in groups}):
        ledger = read_ledger(results, name, warn)
        own = suite_of_ledger(ledger, name, warn)
        if own is not None and suite in (None, own.name):
            records = _registered(_from_suite(own, found, []), ledger, [], warn)
            if any(record.folder is not None for record in records.records):
                present[own.name, own.scale] = records
                of_studies += [(own.name, own.scale)] * any(_of_a_study(each.suite_path) for each in ledger.requests)
    if suite is None and not studies:
        present = _without_studies(present, of_studies)
    if present or suite is None:
        return [present[key] for key in sorted(present)]
    names = sorted({name for name, _ in groups})
    try:
        path = find_suite(suite)
    except GtrBenchError:
        raise UnknownNameError("suite", suite, names) from None
    return [
        _registered(each, read_ledger(results, ledger_name(*key), warn), groups.get(key, []), warn)
        for each in _from_file(path, found, groups)
        for key in [(each.name, each.scale)]
    ]


def _of_a_study(suite_path: str | None) -> bool:
    return Path(suite_path or "").parts[-3::2] == ("studies", "suite.toml")


def _without_studies(
    present: Mapping[tuple[str, str], SuiteRecords], studies: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], SuiteRecords]:
    """The suites that are no study, of which the first is told how many are left out; all where there is no other."""
    kept = {key: found for key, found in sorted(present.items()) if key not in studies}
    if not kept or len(kept) == len(present):
        return dict(present)
    which = "1 study is" if len(studies) == 1 else f"{len(studies)} studies are"
    note = f"{which} left out ({min(studies)[0]}{', ...' if len(studies) > 1 else ''}): `--suite NAME` shows one, "
    first = next(iter(kept))
    return kept | {first: replace(kept[first], notes=(*kept[first].notes, f"{note}`gtr-bench ablate` what it found"))}


def collect_suite(results: Sequence[Path], suite: Suite, *, warn: Warn) -> SuiteRecords:
    """What `results` hold of the jobs of a suite, whatever texts are stored with them. Raises as `collect`."""
    return _from_suite(suite, find_jobs(results, warn), [])


def find_jobs(results: Sequence[Path], warn: Warn) -> FoundJobs:
    """All jobs in the folders, finished or started; raises as `collect` does."""
    folders = job_folders(results, warn=warn)
    rows = read(folders.values(), "jobs", _COLUMNS, warn=warn).to_pylist()
    finished = {row["job"]: row for row in with_definitions(rows, folders, warn)}
    started = {
        job["id"]: {**job, "job": job["id"], "finished": ""} for job in unfinished_jobs(results, finished, warn=warn)
    }
    waiting = [folder for job, folder in folders.items() if job not in finished]
    return FoundJobs({**started, **finished}, set(finished), failures(waiting, warn=warn), folders)


def _labelled(
    name: str, scale: str, found: FoundJobs, jobs: Sequence[dict[str, Any]], ledger: Ledger, warn: Warn
) -> SuiteRecords:
    """Expand the newest request, or without one the text of the job that finished last; else labels, with a note."""
    suite = newest_suite(ledger, name, scale, warn) or stored_suite(name, scale, jobs)
    if isinstance(suite, str):
        note = f"{suite}: jobs that never started are not counted as missing"
        return _from_labels(name, scale, found, jobs, note)
    return _registered(_from_suite(suite, found, jobs), ledger, jobs, warn)


def _registered(found: SuiteRecords, ledger: Ledger, jobs: Sequence[Mapping[str, Any]], warn: Warn) -> SuiteRecords:
    """With what the suite was run with, and the notes on that; `jobs` carry its labels."""
    if found.suite is None:
        return found
    history = history_of(ledger, found.suite, jobs, warn)
    notes = registration_notes(history, found.suite, found.records)
    return replace(found, history=history, notes=(*found.notes, *notes))


def stored_suite(name: str, scale: str, jobs: Sequence[dict[str, Any]]) -> Suite | str:
    """The suite by the text stored with the job that finished last; a sentence where it cannot be expanded."""
    newest = max(jobs, key=age)
    try:
        return parse_suite(newest["suite_text"] or "", path=newest["suite_path"] or f"{name}.toml", scale=scale or None)
    except GtrBenchError as error:
        return f"the suite cannot be expanded here ({error.reason})"


def _from_file(
    path: Path, found: FoundJobs, groups: Mapping[tuple[str, str], Sequence[dict[str, Any]]]
) -> list[SuiteRecords]:
    """The given file at each of its scales that has a started job in the results."""
    default = load_suite(path)
    suites = [default if scale == default.scale else load_suite(path, scale=scale) for scale in default.scales]
    expanded = [_from_suite(suite, found, groups.get((suite.name, suite.scale), [])) for suite in suites]
    present = [each for each in expanded if any(record.folder is not None for record in each.records)]
    if not present:
        known = ", ".join(f"`{name}`" for name in sorted({name for name, _ in groups}))
        raise RequestError(f"no job of suite `{default.name}` is in the results", hint=f"they hold jobs of {known}")
    return present


def _without_packages(definition: Mapping[str, Any]) -> str:
    return canonical_json({key: value for key, value in definition.items() if key != "packages"})


def _from_suite(suite: Suite, found: FoundJobs, labelled: Sequence[dict[str, Any]]) -> SuiteRecords:
    """Expected jobs by identity; where only package versions differ from those installed here, by the rest of it."""
    expected = suite.jobs()
    own = {job.id for job in expected}
    strangers = {_without_packages(row["definition"]): key for key, row in sorted(found.jobs.items()) if key not in own}
    records, moved = [], 0
    for job in expected:
        key, definition = job.id, job.definition
        if strangers and job.id not in found.jobs:
            stranger = strangers.get(_without_packages(definition))
            if stranger is not None:
                key, definition = stranger, found.jobs[stranger]["definition"]
                moved += 1
        labels = {"algorithm": job.algorithm, "sequence": job.sequence, "role": job.role, "seed": job.seed}
        records.append(found.record(key, labels, definition))
    notes = [f"{counted(moved, 'job')} ran with other package versions than those installed here"] if moved else []
    used = {record.job for record in records}
    unused = [row for row in labelled if row["job"] in found.finished and row["job"] not in used]
    referred = referred_to(suite.reference, suite.algorithms)
    idle = sum(row["role"] == "reference" and row["algorithm"] not in referred for row in unused)
    if idle:
        notes.append(f"{counted(idle, 'reference run')} of algorithms that are not the bar left out")
    stale = len(unused) - idle
    if stale:
        notes.append(f"{counted(stale, 'job')} of an earlier version of the suite left out")
    return SuiteRecords(suite.name, suite.scale, suite, tuple(records), tuple(notes))


def _from_labels(name: str, scale: str, found: FoundJobs, jobs: Sequence[dict[str, Any]], note: str) -> SuiteRecords:
    """Records from the stored labels alone; of two jobs under the same labels the one that finished last counts."""
    newest: dict[tuple[Any, ...], Record] = {}
    repeated = 0
    for job in sorted(jobs, key=age):
        record = found.record(job["job"], job, job["definition"])
        key = (
            record.sequence,
            record.algorithm,
            record.role,
            canonical_json(record.definition["sequence"]),
            record.seed,
        )
        repeated += key in newest
        newest[key] = record
    notes = [note] + ([f"{counted(repeated, 'job')} under labels that a later job has left out"] if repeated else [])
    return SuiteRecords(name, scale, None, tuple(newest[key] for key in sorted(newest)), tuple(notes))


def age(row: Mapping[str, Any]) -> tuple[str, str]:
    """When a job finished; the empty text before it did. Ties are broken by identity, so a report is reproducible."""
    return row["finished"] or "", row["job"]
