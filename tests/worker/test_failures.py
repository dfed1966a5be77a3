"""An exception as reason and message."""

from __future__ import annotations

import pytest

from gtr_bench.errors import EnvironmentFault
from gtr_bench.worker.failures import message_of, reason_of


def caused(error: Exception, by: Exception) -> Exception:
    error.__cause__ = by
    return error


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (MemoryError(), "oom"),
        (RuntimeError("CUDA out of memory. Tried to allocate"), "oom"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), "oom"),
        (caused(EnvironmentFault("x"), caused(ValueError("y"), MemoryError())), "oom"),
        (SystemExit(75), "error"),
        (ValueError("no memory of it"), "error"),
    ],
)
def test_lack_of_memory_is_found_behind_other_errors(error: BaseException, reason: str) -> None:
    assert reason_of(error) == reason


def test_a_message_is_one_line_of_a_sane_length() -> None:
    assert message_of(SystemExit(75)) == "SystemExit: 75"
    assert message_of(ValueError("one\ntwo")) == "ValueError: one"
    assert message_of(EnvironmentFault("one", hint="two")) == "one (two)"
    for error in (ValueError("x" * 10**6), EnvironmentFault("x" * 10**6)):
        assert len(message_of(error)) < 600
