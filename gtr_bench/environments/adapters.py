"""What may stand between a simulator and a learner, by name: a job's definition lists the adapters of each phase.

A family that adapts anything offers `adapters(task, options) -> tuple of these names`, in the order in which they are
applied; options that they depend on (how many frames) are in the phase's `options`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gtr_bench.environments.registry import family_of
from gtr_bench.errors import RequestError

__all__ = ["ADAPTERS", "adapters_of"]

ADAPTERS = {
    "flatten": "the parts of an observation become one row of numbers, in the order of their names or places",
    "one_hot": "an integer of the observation becomes one number per value, 1 at its own",
    "pixels": "the observation is a rendered image instead of the simulator's numbers",
    "resize": "images are scaled to another size",
    "grayscale": "images lose their colours",
    "max_of_frames": "an image is the maximum over the last two frames the simulator drew",
    "action_repeat": "the simulator takes every action several times",
    "channels_first": "images are handed out as channels, rows, columns",
    "stack_frames": "an observation is the last few images, the newest last",
    "rescale_action": "actions from -1 to 1 are mapped linearly to the simulator's bounds",
    "clip_action": "continuous actions beyond the bounds are set to the bounds",
    "union_actions": "an action is one of all actions of the family's tasks, whichever this task needs",
    "clip_reward": "the learner is trained on the sign of the reward; evaluations keep the reward itself",
    "end_at_life_loss": "in training an episode ends where a life is lost",
    "random_start": "an episode begins with a random number of actions that do nothing",
    "fire_to_start": "an episode begins with the action that starts the game",
}
"""Every adapter there is and what it does. A name never changes its meaning: a new behaviour is a new name."""


def adapters_of(environment: str, options: Mapping[str, Any]) -> tuple[str, ...]:
    """The adapters of `family:task` with these options; empty where its family declares none.

    Raises:
        RequestError: no such family, an option the task does not have, or an adapter that is not in `ADAPTERS`.
    """
    family, task = family_of(environment)
    declare = getattr(family, "adapters", None)
    names = () if declare is None else tuple(declare(task, options))
    for name in names:
        if name not in ADAPTERS:
            raise RequestError(f"the environment family `{family.name}` declares the unknown adapter `{name}`")
    return names
