"""Which of a suite's statements were registered before their results, by the ledger of requests.

A statement is registered when the text that the suite was last run with before the first of its jobs had finished
states the same. What is stated is everything that can move its verdict and is no part of a job's definition.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from gtr_bench.errors import GtrBenchError
from gtr_bench.report.statements import Statement, statements_of
from gtr_bench.report.text import ranges
from gtr_bench.store.requests import Ledger, ledger_name, stamp, time_of
from gtr_bench.suite.expand import Suite
from gtr_bench.suite.load import parse_suite
from gtr_bench.suite.model import SuiteTable

if TYPE_CHECKING:
    from gtr_bench.report.collect import Record
    from gtr_bench.store.reader import Warn

__all__ = [
    "CHANGED",
    "NOT_REGISTERED",
    "History",
    "Text",
    "changed",
    "history_of",
    "newest_suite",
    "registration_notes",
    "suite_of_ledger",
]

CHANGED = "changed after results"
NOT_REGISTERED = "not registered"
UNKNOWN_TIME = "claims and comparisons were registered before the ledger of requests: time unknown"

Terms: TypeAlias = Mapping[str, Any]

_MISNAMED = "not the text of the suite and scale that its name says"
_LABELS = frozenset({"name", "question"})
_IN_STATEMENTS = frozenset({"primary_metric", "metric_direction", "alpha", "comparisons", "seeds"})
_SUITE_TERMS = tuple(
    name
    for name in SuiteTable.model_fields
    if name not in _LABELS | _IN_STATEMENTS | {field.name for field in fields(Statement)}
)
"""Keys of `[suite]` that decide: all, also those that come later, but labels and what every statement says itself."""


@dataclass(frozen=True)
class Text:
    """A text the suite was run with; `since` when, None where no ledger says; `place` is what a reader calls it."""

    place: str
    since: datetime | None
    suite: Suite

    @cached_property
    def stated(self) -> Mapping[str, Terms]:
        """Every statement's terms by its id."""
        return {each.id: terms_of(self.suite, each) for each in statements_of(self.suite)}


@dataclass(frozen=True)
class History:
    """The texts a suite was run with at one scale, oldest first; those from before the ledger stand first.

    `notes` are of the ledger they are from.
    """

    texts: tuple[Text, ...] = ()
    notes: tuple[str, ...] = ()


def newest_suite(ledger: Ledger, name: str, scale: str, warn: Warn) -> Suite | None:
    """The suite by its newest request that can be read; None where there is none."""
    for request in reversed(ledger.requests):
        suite = _parsed(request.text, str(request.file), name, scale, warn)
        if suite is not None:
            return suite
    return None


def suite_of_ledger(ledger: Ledger, name: str, warn: Warn) -> Suite | None:
    """The suite, at its scale, that a ledger of that name is about, by its newest text; None where none can be read."""
    texts = [(request.file, request.text) for request in reversed(ledger.requests)] + list(ledger.earlier)
    for path, text in texts:
        try:
            suite = parse_suite(text, path=str(path))
        except GtrBenchError as error:
            warn(f"left out `{path}`: {error.reason}")
            continue
        scale = next((each for each in suite.scales if ledger_name(suite.name, each) == name), None)
        if scale is None:
            warn(f"left out `{path}`: {_MISNAMED}")
        else:
            return suite if scale == suite.scale else _parsed(text, str(path), suite.name, scale, warn)
    return None


def history_of(ledger: Ledger, suite: Suite, rows: Sequence[Mapping[str, Any]], warn: Warn) -> History:
    """All texts that can be read, of a suite that states something; no others are looked at.

    Args:
        ledger: of the suite.
        suite: as it is reported.
        rows: of jobs that carry its labels, with `suite_text` and `finished`: they count where no ledger reaches back.
        warn: called with a sentence for each text that was left out.
    """
    if not suite.claims and not suite.comparisons:
        return History((), ledger.notes)
    known: dict[str, Suite | None] = {suite.text: suite}

    def texts(stated: Iterable[tuple[str, str, str, datetime | None]]) -> list[Text]:
        found = []
        for path, text, place, since in stated:
            if text not in known:
                known[text] = _parsed(text, path, suite.name, suite.scale, warn)
            read = known[text]
            found += [] if read is None else [Text(place, since, read)]
        return found

    requests = texts((str(each.file), each.text, f"request {each.number}", each.since) for each in ledger.requests)
    began = requests[0].since if requests else None
    earlier = [(str(path), text) for path, text in ledger.earlier]
    stored = [row for row in rows if row["suite_text"] and (began is None or _before(row, began))]
    if stored:
        newest = max(stored, key=lambda row: (row["finished"] or "", row["job"]))
        earlier.append((newest["suite_path"] or "", newest["suite_text"]))
    return History(
        (*texts((path, text, "a text from before the ledger", None) for path, text in earlier), *requests), ledger.notes
    )


def changed(history: History, suite: Suite, statement: Statement, records: Sequence[Record]) -> str:
    """How a statement differs from what was registered, in one sentence without a full stop; empty where it does not.

    Args:
        history: what the suite was run with.
        suite: as it is reported.
        statement: one of the suite's.
        records: of its jobs.
    """
    own = terms_of(suite, statement)
    first = _first_finish(statement, records)
    before = [text for text in history.texts if _stood(text, first)]
    if any(own in text.stated.values() for text in _in_force(before)):
        return ""
    later = [text for text in history.texts if not _stood(text, first) and own in text.stated.values()]
    if later and first is not None and later[0].since is not None:
        what = _difference(before[-1], statement.id, own) if before else "first stated"
        made = f"{what} in {later[0].place} of {stamp(later[0].since)}"
        return f"{CHANGED}: {made}; the first of its jobs had finished at {stamp(first)}"
    if not history.texts:
        return f"{NOT_REGISTERED}: this suite was never run here"
    return f"{NOT_REGISTERED}: differs from what was run: {_difference(history.texts[-1], statement.id, own)}"


def registration_notes(history: History, suite: Suite, records: Sequence[Record]) -> Iterator[str]:
    """What a report on the suite says of its texts beside the marks of its statements."""
    yield from history.notes
    if any(text.since is None for text in history.texts):
        yield UNKNOWN_TIME
    stated = {each.id: terms_of(suite, each) for each in statements_of(suite)}
    unordered = [text.suite.text for text in history.texts if text.since is None]
    last = {each.id: (place, each) for place, text in enumerate(history.texts) for each in statements_of(text.suite)}
    for place, statement in last.values():
        text, first = history.texts[place], _first_finish(statement, records)
        kept = statement.id in stated or text.stated[statement.id] in stated.values()
        kept |= text.since is None and suite.text in unordered
        if not kept and first is not None and not any(_stood(each, first) for each in history.texts[place + 1 :]):
            yield f"dropped after results: {statement.id} ({statement.text}), last stated in {text.place}"
    if not suite.comparisons and (sentence := _primary_metric_moved(history, suite, records)):
        yield sentence


def _primary_metric_moved(history: History, suite: Suite, records: Sequence[Record]) -> str:
    """That the tables had another metric before the first result; comparisons, whose metric it is, say it alone."""
    first = min((time for each in records if (time := _finished(each.summary)) is not None), default=None)
    before = _in_force([text for text in history.texts if _stood(text, first)])
    if first is None or not before or any(text.suite.primary_metric == suite.primary_metric for text in before):
        return ""
    return f"primary metric {CHANGED}: {before[-1].suite.primary_metric} -> {suite.primary_metric}"


def terms_of(suite: Suite, statement: Statement) -> Terms:
    """What decides a statement, by name; labels such as its id are none."""
    own = {
        each.name: getattr(statement, each.name) for each in fields(statement) if each.name not in ("id", "declared")
    }
    rule = suite.sequential
    return {
        **own,
        **{name: getattr(suite, name) for name in _SUITE_TERMS},
        "metric": statement.metric.name,
        "normalise": {world.id: world.normalise for world in suite.worlds if world.id in statement.environments},
        "seeds": suite.seeds,
        "sequential": rule and f"wave {rule.wave}, max_seeds {rule.max_seeds}",
    }


def _in_force(before: Sequence[Text]) -> Sequence[Text]:
    """The last text; of those before the ledger nobody knows the order."""
    return before if before and before[-1].since is None else before[-1:]


def _stood(text: Text, first: datetime | None) -> bool:
    """Whether a text had been run when the first job finished."""
    return text.since is None or first is None or text.since <= first


def _first_finish(statement: Statement, records: Sequence[Record]) -> datetime | None:
    """When the first job a statement is about had finished, references included."""
    both = (statement.better, statement.than)
    about = (each for each in records if each.algorithm in both and each.sequence in statement.environments)
    return min((time for each in about if (time := _finished(each.summary)) is not None), default=None)


def _finished(row: Mapping[str, Any]) -> datetime | None:
    """When a job finished; None before it has, or where that is no time."""
    try:
        return time_of(row["finished"]) if row.get("finished") else None
    except (ValueError, OverflowError):
        return None


def _before(row: Mapping[str, Any], time: datetime) -> bool:
    finished = _finished(row)
    return finished is not None and finished < time


def _difference(text: Text, identifier: str, own: Terms) -> str:
    """What of a statement is another than in an earlier text."""
    other = text.stated.get(identifier)
    if other is None:
        return "first stated"
    names = [name for name in own if own[name] != other.get(name)]
    if "sequential" in names and "seeds" in names:
        names.remove("seeds")  # which follow from it
    return ", ".join(f"{name} {_value(other.get(name))} -> {_value(own[name])}" for name in names)


def _value(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Mapping):
        return "; ".join(f"{name} {_value(each)}" for name, each in value.items())
    if isinstance(value, tuple) and value and all(type(each) is int for each in value):
        return ranges(value)
    return ", ".join(map(_value, value)) or "none" if isinstance(value, tuple) else str(value)


def _parsed(text: str, path: str, name: str, scale: str, warn: Warn) -> Suite | None:
    """The suite of a text; where it is none, or another one, None and a warning."""
    try:
        suite = parse_suite(text, path=path, scale=scale or None)
    except GtrBenchError as error:
        warn(f"left out `{path}`: {error.reason}")
        return None
    if suite.name != name:
        warn(f"left out `{path}`: {_MISNAMED}")
        return None
    return suite
