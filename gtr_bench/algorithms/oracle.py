"""The oracle: PPO re-initialised (network, optimizer, statistics) at every shift.

A calibration line, not an upper bound: it knows when the world changes and never carries anything over.
"""

from __future__ import annotations

from typing import ClassVar

from gtr_bench.algorithms.ppo import PPO

__all__ = ["Oracle"]


class Oracle(PPO):
    """PPO that starts anew at every shift.

    It knows when the world changes and carries nothing over: a calibration line, not an upper bound (protocols 1).
    """

    name: ClassVar[str] = "oracle"
    starts_anew_at_shift: ClassVar[bool] = True
    needs_boundaries: ClassVar[bool] = True
