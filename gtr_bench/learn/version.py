"""The version of the learning loop all on-policy algorithms share; part of a job's identity, absent at 1."""

from __future__ import annotations

__all__ = ["LEARN_VERSION"]

LEARN_VERSION = 3
"""Raised when something in `learn/` or `networks/` changes the numbers of every job.

2: actor and critic are one stack of networks, Adam is torch's fused one, workers flush denormal numbers to zero.
3: seeds depend on the sequence, so that jobs on different sequences share no random number.
"""
