"""The claims a worker inherits, kept from whatever its environments start."""

from __future__ import annotations

import contextlib
import os

__all__ = ["CLAIMS_VARIABLE", "keep_from_children"]

CLAIMS_VARIABLE = "GTR_BENCH_CLAIMS"
"""Descriptors of the claims on the jobs, with commas; absent where an executor hands none over."""


def keep_from_children() -> None:
    """Let no child of this process hold the claims: one that outlives the worker would keep its jobs claimed.

    Programs it executes do not get the descriptors, and a child that Python forks closes them at once.
    """
    descriptors = [int(number) for number in os.environ.pop(CLAIMS_VARIABLE, "").split(",") if number]
    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)

    def close() -> None:
        for descriptor in descriptors:
            with contextlib.suppress(OSError):
                os.close(descriptor)

    os.register_at_fork(after_in_child=close)
