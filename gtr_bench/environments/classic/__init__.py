"""Gymnasium's classic control, vectorised in numpy over members and environments.

Dynamics, rewards, termination and time limits are those of Gymnasium 1.4; initial states have its distributions but
are drawn from the hash of the episode's seed.
"""

from __future__ import annotations

from gtr_bench.environments.classic.acrobot import Acrobot
from gtr_bench.environments.classic.batch import ClassicControl
from gtr_bench.environments.classic.cartpole import CartPole, ShortCartPole
from gtr_bench.environments.classic.mountain_car import ContinuousMountainCar, MountainCar
from gtr_bench.environments.classic.pendulum import Pendulum

__all__ = ["CLASSIC_CONTROL", "ClassicControl"]

CLASSIC_CONTROL: dict[str, type[ClassicControl]] = {
    "Acrobot-v1": Acrobot,
    "CartPole-v0": ShortCartPole,
    "CartPole-v1": CartPole,
    "MountainCar-v0": MountainCar,
    "MountainCarContinuous-v0": ContinuousMountainCar,
    "Pendulum-v1": Pendulum,
}
"""Gymnasium id -> our class; called with members, envs and max_episode_steps."""
