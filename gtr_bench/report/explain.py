"""What lies behind one cell of a report: jobs, seeds, values, files, and what they were made with."""

from __future__ import annotations

import difflib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gtr_bench.errors import RequestError, nearest
from gtr_bench.metrics.registry import metrics
from gtr_bench.metrics.run import Metric
from gtr_bench.report.attributes import oracle_of
from gtr_bench.report.bars import bar_sentence
from gtr_bench.report.behind import Behind, aligned, behind_cell, behind_claim, behind_lines, claim_ids
from gtr_bench.report.collect import Record, SuiteRecords, collect
from gtr_bench.report.model import cell_id
from gtr_bench.report.plain import plain
from gtr_bench.report.scores import Scores, load_evaluations, scores_of
from gtr_bench.report.statements import statements_of
from gtr_bench.report.text import ABSENT
from gtr_bench.report.waves import given
from gtr_bench.store.reader import Warn, read, warn_on_stderr
from gtr_bench.wording import counted

__all__ = ["Explanation", "JobBehind", "explain", "render_explanation", "render_explanation_json"]

_PROVENANCE = (
    *("job", "cohort", "device", "started", "finished", "gtr_bench_version", "git_sha", "git_dirty"),
    *("packages", "hardware", "command"),
)

_KEPT = frozenset({".parquet", ".json"})


@dataclass(frozen=True)
class JobBehind:
    """One expected job of a cell: its value (None where it has none, `reason` says why), files and provenance."""

    job: str
    seed: int
    state: str
    value: float | None
    reason: str
    files: tuple[str, ...]
    provenance: dict[str, Any]
    environment: str = ""
    algorithm: str = ""


@dataclass(frozen=True)
class Explanation:
    """A cell or a claim by its id: the metric's definition or the statement, the jobs by seed, and what was tested.

    `compared_with` are the ids of the finished reference and oracle runs the metric takes into account; `reference`
    says whose references they are, empty where there are none.
    """

    id: str
    definition: str
    jobs: tuple[JobBehind, ...]
    compared_with: tuple[str, ...]
    reference: str = ""
    behind: Behind | None = None


def explain(
    results: Sequence[Path], cell: str, *, suite: str | None = None, warn: Warn = warn_on_stderr
) -> Explanation:
    """The jobs behind a cell or a claim, diverged, failed and missing ones included.

    Args:
        results: results folders.
        cell: `suite/scale/metric/environment/algorithm`, or `suite/scale/CLAIM`, or the end of either where only one
            ends so.
        suite: as in `build_report`.
        warn: called with a sentence for each file that was left out.

    Raises:
        RequestError: no jobs, no such cell or claim, or several that end so.
        ResultsError: a file was written by a newer program.
    """
    suites = collect(results, suite, warn=warn, studies=True)
    claims = {f"{found.name}/{found.scale}/{name}": (found, name) for found in suites for name in claim_ids(found)}
    places = {
        cell_id(found.name, found.scale, metric, *place): (found, metric, place)
        for found in suites
        for metric in metrics.names()
        for place in dict.fromkeys((each.sequence, each.algorithm) for each in found.records if each.role == "run")
    }
    key = _key(cell, [*places, *claims])
    if key in claims:
        return _claim(key, *claims[key], warn)
    found, metric, place = places[key]
    evaluations = load_evaluations(found.records, warn=warn)
    found, _ = given(found, evaluations)
    own = [each for each in found.records if (each.sequence, each.algorithm) == place and each.role == "run"]
    scores = scores_of(found, evaluations)
    made = _made(own, warn)
    measure = metrics.get(metric)
    oracle = oracle_of((each.algorithm, each.algorithm_name) for each in found.records if each.role == "run")
    bars = {
        reference.job
        for record in own
        if record.summary
        for references in scores.references_of(record, measure).values()
        for reference, _ in references
    }
    behind = (_behind(record, scores, measure, made.get(record.job, {})) for record in own)
    return Explanation(
        key,
        measure.definition,
        tuple(sorted(behind, key=lambda each: each.seed)),
        tuple(each.job for each in found.records if each.job in bars or _is_oracle(each, place, measure, oracle)),
        scores.reference if bars else "",
        behind_cell(found, scores, measure, place),
    )


def _claim(key: str, found: SuiteRecords, name: str, warn: Warn) -> Explanation:
    evaluations = load_evaluations(found.records, warn=warn)
    found, course = given(found, evaluations)
    scores = scores_of(found, evaluations)
    assert found.suite is not None  # else it has no claims
    stated = next(each for each in statements_of(found.suite) if each.id == name)
    sides = (stated.better, stated.than)
    own = [
        each
        for each in found.records
        if each.algorithm in sides and each.sequence in stated.environments and each.role == "run"
    ]
    made = _made(own, warn)
    jobs = tuple(_behind(record, scores, stated.metric, made.get(record.job, {})) for record in own)
    return Explanation(key, stated.text, jobs, (), behind=behind_claim(found, scores, course, name))


def _made(records: Sequence[Record], warn: Warn) -> dict[str, dict[str, Any]]:
    """Job -> what it was made with."""
    folders = [each.folder for each in records if each.summary and each.folder]
    return {row.pop("job"): row for row in read(folders, "jobs", _PROVENANCE, warn=warn).to_pylist()}


def _is_oracle(record: Record, place: tuple[str, str], metric: type[Metric], oracle: str | None) -> bool:
    """Whether the metric of a cell compares it with this record."""
    return (
        bool(record.summary)
        and "oracle" in metric.needs
        and (record.sequence, record.algorithm, record.role) == (place[0], oracle, "run")
    )


def _key(cell: str, known: Sequence[str]) -> str:
    if cell in known:
        return cell
    ending = [each for each in known if each.endswith(f"/{cell}")]
    if len(ending) == 1:
        return ending[0]
    if ending:
        raise RequestError(f"{len(ending)} cells or claims end in `{cell}`", hint=f"one of them is `{ending[0]}`")
    claims = {each.split("/", 2)[2]: each for each in known if each.count("/") == 2}
    meant = nearest(cell, list(claims))
    near = [meant] if meant else difflib.get_close_matches(cell, known, n=1, cutoff=0.5)
    listed = "the column `id` of `gtr-bench report --format csv` lists them"
    raise RequestError(f"no cell or claim `{cell}`", hint=f"did you mean `{near[0]}`?" if near else listed)


def _behind(record: Record, scores: Scores, metric: type[Metric], made: dict[str, Any]) -> JobBehind:
    score = scores.score(record, metric)
    diverged = bool(record.summary) and scores.diverged(record)
    reason = ": ".join(part for part in (record.reason, record.message) if part) if score is None else score.reason
    return JobBehind(
        job=record.job,
        seed=record.seed,
        state="diverged" if diverged else record.state,
        value=score.value if score is not None and score.defined else None,
        reason=reason,
        files=tuple(str(path) for path in sorted(record.folder.iterdir()) if path.suffix in _KEPT)
        if record.folder
        else (),
        provenance={name: _parsed(name, value) for name, value in made.items()},
        environment=record.sequence,
        algorithm=record.algorithm,
    )


def _parsed(name: str, value: Any) -> Any:
    """Packages and hardware as objects; a text that is none stays what it is."""
    try:
        return json.loads(value) if name in ("packages", "hardware") and value else value
    except (ValueError, RecursionError):
        return value


def render_explanation_json(explanation: Explanation) -> str:
    """One indented JSON object."""
    return json.dumps(plain(asdict(explanation)), indent=2, allow_nan=False, ensure_ascii=False) + "\n"


def render_explanation(explanation: Explanation) -> str:
    """Lines for a terminal: a row per job, then its files, then what the jobs were made with, each value once."""
    lines = [explanation.id, explanation.definition, ""]
    lines += behind_lines(explanation.behind) if explanation.behind else []
    several = len({(each.environment, each.algorithm) for each in explanation.jobs}) > 1
    rows: list[tuple[str, ...]] = [
        (*(("environment", "algorithm") if several else ()), "seed", "value", "state", "job")
    ]
    for each in explanation.jobs:
        shown = ABSENT if each.value is None else repr(each.value)
        place = (each.environment, each.algorithm) if several else ()
        state = each.state + (f" ({each.reason})" if each.reason else "")
        rows.append((*place, str(each.seed), shown, state, each.job))
    lines += aligned(rows)
    lines += ["", "files", *(f"  {path}" for each in explanation.jobs for path in each.files), ""]
    if explanation.compared_with:
        lines += ["compared with", *(f"  {job}" for job in explanation.compared_with), ""]
    if explanation.reference:
        lines += [bar_sentence(explanation.reference), ""]
    lines += _made_with([each.provenance for each in explanation.jobs if each.provenance])
    return "\n".join(lines).rstrip("\n") + "\n"


def _made_with(provenances: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Each distinct value of each fact with how many jobs have it."""
    for name, read_off in _FACTS.items():
        counts = Counter(read_off(each) for each in provenances)
        for value, count in sorted(counts.items()):
            yield f"{name}: {value}" + (f" ({counted(count, 'job')})" if len(counts) > 1 else "")


def _packages(made: dict[str, Any]) -> str:
    found = made["packages"] or {}
    shown = [f"{name} {found[name]}" for name in ("python", "torch", "numpy", "gymnasium") if name in found]
    return (
        f"{', '.join(shown)} and {max(0, len(found) - len(shown))} more (`--json` lists them)" if found else "unknown"
    )


def _hardware(made: dict[str, Any]) -> str:
    found = made["hardware"] or {}
    if not found:
        return "unknown"
    graphics = f", {', '.join(found['gpus'])}" if found.get("gpus") else ""
    level = f" ({found['vector_level']})" if found.get("vector_level") else ""
    return f"{found.get('processor')}{level}, {found.get('usable_cores')} usable cores, {found.get('system')}{graphics}"


_FACTS: dict[str, Callable[[dict[str, Any]], str]] = {
    "git": lambda made: (made["git_sha"] or "unknown") + (" (dirty)" if made["git_dirty"] else ""),
    "gtr-bench": lambda made: made["gtr_bench_version"] or "unknown",
    "packages": _packages,
    "hardware": _hardware,
    "device": lambda made: made["device"] or "unknown",
    "command": lambda made: made["command"] or "unknown",
}
