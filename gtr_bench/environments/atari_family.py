"""The `atari:` family: the games of the Arcade Learning Environment with the usual preprocessing (protocols 5)."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from gtr_bench.environments.atari_games import ALL_ACTIONS, SIDE, Settings, flavour_of, games, scores
from gtr_bench.environments.base import BatchedEnvironment
from gtr_bench.environments.registry import Availability
from gtr_bench.environments.spaces import ActionSpace, ObservationSpace, Spaces
from gtr_bench.errors import MissingExtraError

__all__ = ["AtariFamily"]


class AtariFamily:
    """Games named as in the package, `atari:Breakout`; `atari:Breakout-m4d1` is its mode 4 with difficulty 1.

    Images of 4 x 84 x 84, the last four in grey; one step is four frames of the console; no success flag. A game is
    cut off after 108,000 frames. In training rewards are clipped to their sign and an episode ends where a life is
    lost; evaluations play whole games for their score.
    """

    name = "atari"

    def check(self, task: str) -> None:
        """Raise UnknownNameError or MissingExtraError when the task cannot be made; imports nothing."""
        flavour_of(task, {})
        if find_spec("ale_py") is None:
            raise MissingExtraError(f"the environment `atari:{task}`", "atari")

    def packages(self, task: str) -> tuple[str, ...]:
        """Distributions whose versions change the numbers."""
        return ("ale-py",)

    def tasks(self) -> tuple[str, ...]:
        """The games in their default mode."""
        return tuple(games())

    def physics(self, task: str) -> dict[str, str]:
        """There are none."""
        return {}

    def options(self, task: str) -> tuple[str, ...]:
        """The fields of `Settings`."""
        return Settings._fields

    def adapters(self, task: str, options: Mapping[str, Any]) -> tuple[str, ...]:
        """What stands between the console and a learner.

        Raises:
            RequestError: an unknown option, or a value that makes no sense.
        """
        settings = Settings.of(task, options)
        applied = {
            "fire_to_start": settings.fire_to_start,
            "random_start": settings.noop_max > 0,
            "action_repeat": settings.frame_skip > 1,
            "union_actions": settings.full_action_space,
            "grayscale": True,
            "max_of_frames": True,
            "resize": True,
            "stack_frames": settings.stack > 1,
            "end_at_life_loss": settings.end_at_life_loss,
            "clip_reward": settings.clip_reward,
        }
        return tuple(name for name, applies in applied.items() if applies)

    def evaluation_options(self, task: str, options: Mapping[str, Any]) -> dict[str, Any]:
        """Whole games and their score."""
        return {"clip_reward": False, "end_at_life_loss": False}

    def normalisations(self, task: str, options: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
        """`human`: a random player's return is 0, a human's is 1 (57 games in their default mode)."""
        flavour = flavour_of(task, options)
        return {"human": scores()[flavour.name]} if flavour.standard and flavour.name in scores() else {}

    def spaces(self, task: str, options: Mapping[str, Any]) -> Spaces:
        """What a learner sees; imports nothing.

        Raises:
            RequestError: an unknown option, or a value that makes no sense.
        """
        settings, flavour = Settings.of(task, options), flavour_of(task, options)
        actions = ALL_ACTIONS if settings.full_action_space else flavour.game.actions
        observation = ObservationSpace((settings.stack, SIDE, SIDE), "uint8", frames=settings.stack)
        return Spaces(observation, ActionSpace("discrete", (actions,)), has_success=False)

    def make(
        self, task: str, *, members: int, envs: int, max_episode_steps: int | None, options: Mapping[str, Any]
    ) -> BatchedEnvironment:
        """Build the batch.

        Raises:
            EnvironmentFault: an environment could not be built.
            MissingExtraError: ale-py is not installed.
            RequestError: an unknown option, or a value that makes no sense.
            UnknownNameError: no such task.
        """
        self.check(task)
        spaces = self.spaces(task, options)
        from gtr_bench.environments.atari_batch import AtariBatch

        return AtariBatch(task, members, envs, max_episode_steps, Settings.of(task, options), options, spaces)

    def availability(self) -> list[Availability]:
        """One row."""
        usable = find_spec("ale_py") is not None
        return [Availability("atari", usable, None if usable else MissingExtraError("`atari:`", "atari").hint)]
