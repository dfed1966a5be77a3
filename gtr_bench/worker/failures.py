"""An exception as a failure's reason and message."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gtr_bench.errors import EnvironmentFault, GtrBenchError

__all__ = ["blamed", "message_of", "reason_of"]

_LONGEST_MESSAGE = 500
_NO_MEMORY = ("out of memory", "can't allocate memory")  # torch has an exception of its own for cards alone


def reason_of(error: BaseException) -> str:
    """`oom` where memory ran out, on the host or on a device; `error` otherwise."""
    return "oom" if any(_lacks_memory(each) for each in _chain(error)) else "error"


def blamed(error: BaseException) -> dict[str, Any]:
    """The `environment` and the `member` of the cohort that an error is of, each None where that is not known."""
    fault = next((each for each in _chain(error) if isinstance(each, EnvironmentFault)), None)
    return {"environment": fault and fault.environment, "member": fault and fault.member}


def message_of(error: BaseException) -> str:
    """One line for a reader, cut where somebody's exception tells a novel."""
    if isinstance(error, GtrBenchError):
        text = error.sentence if error.hint is None else f"{error.sentence} ({error.hint})"
    else:
        text = f"{type(error).__name__}: {error}".splitlines()[0]
    return text if len(text) <= _LONGEST_MESSAGE else f"{text[:_LONGEST_MESSAGE]} ..."


def _lacks_memory(error: BaseException) -> bool:
    text = str(error).lower()
    return isinstance(error, MemoryError) or any(words in text for words in _NO_MEMORY)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what it was raised from."""
    while error is not None:
        yield error
        error = error.__cause__
