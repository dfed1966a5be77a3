"""What a family may say about a task before it is built: the spaces of its environments, the options it has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from gtr_bench.environments.registry import family_of
from gtr_bench.environments.spaces import ActionSpace

__all__ = ["Misfit", "Spaces", "misfit", "options_of", "spaces_of"]


class Spaces(NamedTuple):
    """What a learner sees of an environment.

    Attributes:
        observation_size: D, numbers per observation.
        action_space: the actions.
        has_success: whether the task flags success; None: the family does not say.
    """

    observation_size: int
    action_space: ActionSpace
    has_success: bool | None = None


class Misfit(NamedTuple):
    """Why two environments cannot be phases of one sequence: a sentence and a hint."""

    sentence: str
    hint: str


def spaces_of(environment: str, options: Mapping[str, Any]) -> Spaces | None:
    """The spaces of `family:task`; None where its family has no method `spaces`, or that one does not know.

    Raises:
        EnvironmentFault: the family built an environment to look at, and that failed.
        RequestError: no such family.
    """
    family, task = family_of(environment)
    offered = getattr(family, "spaces", None)
    found = None if offered is None else offered(task, options)
    return None if found is None else Spaces(*found)


def options_of(environment: str) -> tuple[str, ...] | None:
    """The options of `family:task`, sorted; None where its family has no method `options`, or that one does not know.

    Raises:
        RequestError: no such family.
    """
    family, task = family_of(environment)
    offered = getattr(family, "options", None)
    known = None if offered is None else offered(task)
    return None if known is None else tuple(sorted(set(known)))


def misfit(name: str, spaces: Spaces, before: Spaces) -> Misfit | None:
    """Why the environment called `name` in the sentence cannot follow those `before`; None when it can."""
    if spaces.observation_size != before.observation_size:
        return Misfit(
            f"{name} has observations of {spaces.observation_size} numbers, "
            f"the phases before have {before.observation_size}",
            "all phases of a sequence need the same observation size",
        )
    if None not in (flags := (spaces.has_success, before.has_success)) and flags[0] != flags[1]:
        return Misfit(
            f"{name} {'has a' if spaces.has_success else 'has no'} success flag, unlike the phases before",
            "all phases of a sequence need tasks with a success flag, or all without",
        )
    if not spaces.action_space.matches(before.action_space):
        return Misfit(
            f"{name} has other actions ({spaces.action_space.describe()}) "
            f"than the phases before ({before.action_space.describe()})",
            "all phases of a sequence need the same action space, bounds included",
        )
    return None
