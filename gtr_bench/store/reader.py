"""Read what jobs left in one or more results folders, while a run goes on or after it.

Each job's file is opened once, in threads, and only the asked columns are decoded. Nothing there is trusted: a file
that is not whole, not as it was written, not ours or not of its folder's job is named in a warning and left out. A
file newer than this program is refused: its columns may mean other things.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from gtr_bench.errors import RequestError, ResultsError, did_you_mean, nearest
from gtr_bench.files import is_folder, kind_of_entry, read_regular
from gtr_bench.learners.columns import declarations
from gtr_bench.store.checksum import matches
from gtr_bench.store.cohorts import IDENTIFIER, cohort_files, read_cohort
from gtr_bench.store.failures import Failure, read_failure
from gtr_bench.store.rows import ROW_KEYS, sound_rows, why_not_rows
from gtr_bench.store.schema import EVALUATIONS, ITERATIONS, JOB, SCHEMA_KEY, SCHEMA_VERSION
from gtr_bench.store.state import damage_in, way_out
from gtr_bench.store.warn import Warn, warn_on_stderr
from gtr_bench.wording import one_line

__all__ = ["Kind", "Warn", "failures", "job_folders", "read", "unfinished_jobs", "warn_on_stderr"]

Kind = Literal["jobs", "evaluations", "iterations"]
_MOST_BYTES = 1 << 32
_LONGEST_VERSION = 9
"""digits of a schema version; int() refuses some thousands"""
_FILES: dict[str, tuple[str, pa.Schema]] = {
    "jobs": ("job.parquet", JOB),
    "evaluations": ("evaluations.parquet", EVALUATIONS),
    "iterations": ("iterations.parquet", ITERATIONS),
}

# Opening a small file is mostly Python's own work: with more threads than cores they wait for its lock, and eight on
# two cores take twice as long as two.
_THREADS = max(2, min(8, len(os.sched_getaffinity(0))))


def job_folders(results: Sequence[Path], *, warn: Warn = warn_on_stderr) -> dict[str, Path]:
    """Job id -> folder, over all results folders, sorted by id; the first results folder that has a job wins.

    One job has one identity, so a second copy holds the same numbers and must not count twice. What has a job's name
    and is no folder, or a link to one, is left out.

    Args:
        results: results folders.
        warn: called with a sentence for each entry that was left out.

    Raises:
        RequestError: a results folder does not exist, cannot be listed, or none of them holds a job.
    """
    found: dict[str, Path] = {}
    for folder in results:
        if not folder.is_dir():
            raise RequestError(f"`{folder}` is not a results folder", hint=_beside(folder))
        jobs = folder / "jobs"
        if not is_folder(jobs):
            if os.path.lexists(jobs):
                warn(f"left out `{jobs}`: {kind_of_entry(jobs)}, not a folder")
            continue
        try:
            with os.scandir(jobs) as entries:
                for entry in entries:
                    if not IDENTIFIER.fullmatch(entry.name):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        found.setdefault(entry.name, Path(entry.path))
                    else:
                        warn(f"left out `{entry.path}`: {kind_of_entry(entry.path)}, not a folder")
        except OSError as error:
            raise RequestError(f"`{jobs}` cannot be listed: {error.strerror}") from error
    if not found:
        names = ", ".join(f"`{folder}`" for folder in results)
        raise RequestError(
            f"no jobs in {names}", hint="`gtr-bench run SUITE` trains some; `--results DIR` names the folder"
        )
    return dict(sorted(found.items()))


def _beside(folder: Path) -> str:
    """A results folder beside it whose name is near, else how to make one."""
    others = sorted(folder.parent.iterdir()) if folder.parent.is_dir() else []
    near = nearest(folder.name, [each.name for each in others if (each / "jobs").is_dir()])
    made = "`gtr-bench run SUITE --results DIR` makes one"
    return f"did you mean `{folder.parent / near}`?" if near else made


def read(
    folders: Iterable[Path], kind: Kind, columns: Sequence[str] | None = None, *, warn: Warn = warn_on_stderr
) -> pa.Table:
    """One table of `kind` over all job folders that have such a file, in the order of `folders`.

    Args:
        folders: job folders, as `job_folders` gives them.
        kind: which of a job's three files.
        columns: the columns to decode, in this order; all by default. Of iterations, all that any of the files has, or
            that something installed declares: null where a job does not log it.
        warn: called with a sentence for each file that was left out.

    Raises:
        RequestError: an unknown column.
        ResultsError: a file was written by a newer program.
    """
    name, schema = _FILES[kind]
    asked = schema.names if columns is None else list(columns)
    declared = [column for column in asked if column not in schema.names]
    if declared and kind != "iterations":
        raise _unknown(declared[0], schema.names)
    # Files are read in their own order of columns, which needs no work per file, and put into the asked one at the end.
    frame = pa.schema([field for field in schema if field.name in asked or field.name in ROW_KEYS[kind]])
    select = None if kind == "iterations" and columns is None else declared
    paths = [folder / name for folder in folders]
    # A share per thread: handing over every small file by itself costs as much as opening it.
    share = -(-len(paths) // _THREADS) or 1
    shares = [paths[start : start + share] for start in range(0, len(paths), share)]
    with ThreadPoolExecutor(_THREADS) as pool:
        done = list(pool.map(lambda some: [_read_file(path, kind, frame, select) for path in some], shares))
    tables = _those_of_their_jobs(paths, [outcome for some in done for outcome in some], kind, warn)
    # Comparing the columns of thousands of files one by one is only needed where they differ.
    alike = all(table.schema.equals(tables[0].schema) for table in tables)
    table = pa.concat_tables(tables or [frame.empty_table()], promote_options="none" if alike else "default")
    for column in declared:
        if column not in table.column_names:
            _require_declared(column, paths)
            table = table.append_column(column, pa.nulls(len(table), pa.float32()))
    whole = kind == "iterations" and columns is None
    return (table if whole else table.select(asked)).replace_schema_metadata()


def _those_of_their_jobs(
    paths: Sequence[Path], outcomes: Sequence[pa.Table | str | None], kind: Kind, warn: Warn
) -> list[pa.Table]:
    """The tables whose rows are those of their jobs; warns of the others, in the order of `paths`."""
    read = [(path, outcome) for path, outcome in zip(paths, outcomes, strict=True) if isinstance(outcome, pa.Table)]
    try:
        sound = sound_rows([table for _, table in read], kind, [path.parent.name for path, _ in read])
    except Exception:
        # A crafted file can break the look at all of them; then each is looked at by itself.
        sound = [False] * len(read)
    passed = dict(zip((path for path, _ in read), sound, strict=True))
    tables = []
    for path, outcome in zip(paths, outcomes, strict=True):
        if outcome is None:
            continue
        if isinstance(outcome, pa.Table):
            problem = None if passed[path] else _problem(path, outcome, kind)
            if problem is None:
                tables.append(outcome)
                continue
            outcome = _left_out(path, problem)
        warn(outcome)
    return tables


def _problem(path: Path, table: pa.Table, kind: Kind) -> str | None:
    """What is wrong with the rows of one file."""
    try:
        return why_not_rows(table, kind, path.parent.name)
    except Exception as error:
        return _reason(error)


def _require_declared(column: str, paths: Sequence[Path]) -> None:
    """Raise RequestError unless something installed declares a column that none of the files has."""
    known = [*ITERATIONS.names]
    for _, _, columns in declarations():
        if column in columns:
            return
        known += columns
    for path in paths:
        # Whatever a damaged file raises, it helps nobody to a name.
        with contextlib.suppress(Exception):
            known += pq.read_schema(pa.BufferReader(read_regular(path, _MOST_BYTES))).names
    raise _unknown(column, list(dict.fromkeys(known)))


def _unknown(column: str, known: Sequence[str]) -> RequestError:
    return RequestError(f"unknown column `{column}`", hint=did_you_mean(column, known))


def _read_file(path: Path, kind: Kind, frame: pa.Schema, select: Sequence[str] | None) -> pa.Table | str | None:
    """The table, None where there is no such file (yet), or the sentence that says why it was left out.

    Args:
        path: the file.
        kind: which of a job's.
        frame: columns that the table has in any case.
        select: those it has besides, where the file has them; None means all of the file's.
    """
    try:
        content = read_regular(path, _MOST_BYTES)
        if kind == "jobs":
            damage = damage_in(content, path.parent)
        else:
            damage = None if matches(content) else "it does not match its checksum"
        if damage is not None:
            return _left_out(path, damage)
        with pq.ParquetFile(pa.BufferReader(content), pre_buffer=False, page_checksum_verification=True) as file:
            version = (file.metadata.metadata or {}).get(SCHEMA_KEY)
            if version is None or not version.isdigit() or len(version) > _LONGEST_VERSION:
                return f"left out `{path}`: not written by gtr-bench"
            if int(version) > SCHEMA_VERSION:
                raise ResultsError(
                    f"`{path}` has schema version {int(version)}, newer than this program's {SCHEMA_VERSION}",
                    hint="update gtr-bench, or read the folder with the version that wrote it",
                )
            # Names that a file does not have are passed over.
            wanted = None if select is None else [*frame.names, *select]
            table = file.read(columns=wanted, use_threads=False)
        return _conform(table, frame)
    except FileNotFoundError:
        return None
    except ResultsError:
        raise
    except Exception as error:
        # A crafted file makes Arrow raise nearly anything: UnicodeDecodeError of a name, OverflowError of a size.
        return _left_out(path, _reason(error))


def _reason(error: Exception) -> str:
    return one_line(getattr(error, "strerror", None) or str(error) or type(error).__name__, 200).rstrip(".")


def _left_out(path: Path, reason: str) -> str:
    return f"left out `{path}`: truncated or damaged ({reason}); {way_out()}"


def _conform(table: pa.Table, frame: pa.Schema) -> pa.Table:
    """The columns in the order and types of `frame`, and the others after them as float32.

    One an older program did not write is null.
    """
    # Nearly every file has these very columns; the table's metadata are not compared.
    if table.schema.equals(frame):
        return table
    known = frozenset(frame.names)
    others = [name for name in table.column_names if name not in known]
    wanted = pa.schema([*frame, *(pa.field(name, pa.float32()) for name in others)])
    # A column that is required in the file's own schema has no nulls.
    if table.schema.equals(wanted):
        return table
    arrays = [
        table[field.name].cast(field.type) if field.name in table.column_names else pa.nulls(len(table), field.type)
        for field in wanted
    ]
    for field, array in zip(wanted, arrays, strict=True):
        if not field.nullable and array.null_count:
            raise pa.ArrowInvalid(f"column {field.name} is missing or has nulls")
    return pa.Table.from_arrays(arrays, schema=wanted)


def unfinished_jobs(
    results: Sequence[Path], finished: Iterable[str], *, warn: Warn = warn_on_stderr
) -> list[dict[str, Any]]:
    """Jobs that were started and have no `job.parquet`, from the cohorts' files.

    Each entry is the cohort's own (`id`, `definition` and labels) plus `suite_text`, `suite_path` and `git_sha`; a
    job that was regrouped into another cohort is listed once.
    """
    done = set(finished)
    found: dict[str, dict[str, Any]] = {}
    for folder in results:
        for path in cohort_files(folder):
            try:
                cohort = read_cohort(path)
            except ResultsError as error:
                warn(f"left out: {error.sentence}")
                continue
            provenance = cohort.get("provenance", {})
            texts = {key: provenance.get(key) for key in ("suite_text", "suite_path", "git_sha")}
            for job in cohort["jobs"]:
                if job["id"] not in done:
                    found.setdefault(job["id"], {**job, **texts})
    return [found[job] for job in sorted(found)]


def failures(folders: Iterable[Path], *, warn: Warn = warn_on_stderr) -> dict[str, Failure]:
    """Job id -> what `failure.json` says, for the jobs that have one."""
    found: dict[str, Failure] = {}
    for folder in folders:
        if os.path.lexists(folder / "failure.json"):
            try:
                found[folder.name] = read_failure(folder)
            except ResultsError as error:
                warn(f"left out: {error.sentence}")
    return found
