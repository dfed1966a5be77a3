"""What a learner sees of the Gymnasium tasks that suites name most, known without loading their simulators."""

from __future__ import annotations

from gtr_bench.environments.spaces import ActionSpace, ObservationSpace, Spaces, symmetric

__all__ = ["KNOWN_SPACES"]


def _vector(size: int, action: ActionSpace) -> Spaces:
    return Spaces(ObservationSpace((size,)), action, has_success=False)


KNOWN_SPACES: dict[str, Spaces] = {
    "Ant-v5": _vector(105, symmetric(8, 1.0)),
    "BipedalWalker-v3": _vector(24, symmetric(4, 1.0)),
    "HalfCheetah-v5": _vector(17, symmetric(6, 1.0)),
    "Hopper-v5": _vector(11, symmetric(3, 1.0)),
    "Humanoid-v5": _vector(348, symmetric(17, 0.4)),
    "HumanoidStandup-v5": _vector(348, symmetric(17, 0.4)),
    "InvertedDoublePendulum-v5": _vector(9, symmetric(1, 1.0)),
    "InvertedPendulum-v5": _vector(4, symmetric(1, 3.0)),
    "LunarLander-v3": _vector(8, ActionSpace("discrete", (4,))),
    "Pusher-v5": _vector(23, symmetric(7, 2.0)),
    "Reacher-v5": _vector(10, symmetric(2, 1.0)),
    "Swimmer-v5": _vector(8, symmetric(2, 1.0)),
    "Walker2d-v5": _vector(17, symmetric(6, 1.0)),
}
"""Without options (gymnasium 1.4.0). Kept here because planning would build each of them, which loads its simulator."""
