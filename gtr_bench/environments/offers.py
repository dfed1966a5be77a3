"""What a family says about a task before it is built, and whether tasks can follow each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from gtr_bench.environments.registry import family_of
from gtr_bench.environments.spaces import ObservationSpace, Spaces

__all__ = ["Misfit", "evaluated_options", "misfit", "normalisations_of", "options_of", "spaces_of"]


class Misfit(NamedTuple):
    """Why two environments cannot be phases of one sequence: a sentence and a hint."""

    sentence: str
    hint: str


def spaces_of(environment: str, options: Mapping[str, Any]) -> Spaces:
    """The spaces of `family:task`.

    Raises:
        EnvironmentFault: the family built an environment to look at, and that failed, or no learner could use it.
        RequestError: no such family, or an option the task does not have.
    """
    family, task = family_of(environment)
    return family.spaces(task, options)


def options_of(environment: str) -> tuple[str, ...] | None:
    """The options of `family:task`, sorted; None where its family has no method `options`, or that one does not know.

    Raises:
        RequestError: no such family.
    """
    family, task = family_of(environment)
    offered = getattr(family, "options", None)
    known = None if offered is None else offered(task)
    return None if known is None else tuple(sorted(set(known)))


def evaluated_options(environment: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options with which a policy is evaluated: those of training, but for what the family replaces.

    Raises:
        RequestError: no such family.
    """
    family, task = family_of(environment)
    replace = getattr(family, "evaluation_options", None)
    return {**options, **(replace(task, options) if replace is not None else {})}


def normalisations_of(environment: str, options: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    """The returns that count as 0 and as 1, by the name a suite gives for them; none where the family offers none.

    Raises:
        RequestError: no such family.
    """
    family, task = family_of(environment)
    offered = getattr(family, "normalisations", None)
    return {} if offered is None else dict(offered(task, options))


def misfit(name: str, spaces: Spaces, before: Spaces) -> Misfit | None:
    """Why the environment called `name` in the sentence cannot follow those `before`; None when it can."""
    if not spaces.observation.matches(before.observation):
        return _other_observations(name, spaces.observation, before.observation)
    if None not in (flags := (spaces.has_success, before.has_success)) and flags[0] != flags[1]:
        return Misfit(
            f"{name} {'has a' if spaces.has_success else 'has no'} success flag, unlike the phases before",
            "all phases of a sequence need tasks with a success flag, or all without",
        )
    if not spaces.action.matches(before.action):
        return Misfit(
            f"{name} has other actions ({spaces.action.describe()}) "
            f"than the phases before ({before.action.describe()})",
            "all phases of a sequence need the same action space, bounds included",
        )
    return None


def _other_observations(name: str, space: ObservationSpace, before: ObservationSpace) -> Misfit:
    if not (space.is_image or before.is_image) and space.dtype == before.dtype:
        return Misfit(
            f"{name} has observations of {space.size} numbers, the phases before have {before.size}",
            "all phases of a sequence need the same observation size",
        )
    sentence = f"{name} shows {space.describe()}, the phases before {before.describe()}"
    if space.is_image and before.is_image and space.shape[0] != before.shape[0] and space.shape[1:] == before.shape[1:]:
        return Misfit(sentence, "a family's option `channels`, where it has one, fills images up to so many channels")
    return Misfit(sentence, "all phases of a sequence need observations of the same shape and type")
