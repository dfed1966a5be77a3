"""One MinAtar game, taken from the package's game modules alone: its front imports what draws pictures.

The five lines of that front which play, sticky actions, are here; the rest of it renders.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gtr_bench.environments.minatar_games import ALL_ACTIONS, GAMES, Settings
from gtr_bench.environments.single import Outcome, SingleBatch
from gtr_bench.environments.spaces import Spaces

__all__ = ["MinAtarSingle", "make_batch"]


def make_batch(
    task: str, members: int, envs: int, max_episode_steps: int | None, settings: Settings, spaces: Spaces
) -> SingleBatch:
    """M x N environments of one game.

    Raises:
        EnvironmentFault: an environment could not be built.
    """
    return SingleBatch(
        f"minatar:{task}", members, envs, max_episode_steps, lambda: MinAtarSingle(task, settings, spaces)
    )


@cache
def _game(task: str) -> ModuleType:
    """The module of a game, which imports numpy and nothing else."""
    package = find_spec("minatar")
    assert package is not None
    assert package.submodule_search_locations is not None
    path = Path(package.submodule_search_locations[0]) / "environments" / f"{task}.py"
    spec = spec_from_file_location(f"gtr_bench.environments._minatar_{task}", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class MinAtarSingle:
    """A `SingleEnvironment` of a game; nothing of an episode reaches the next one, not even its last action."""

    def __init__(self, task: str, settings: Settings, spaces: Spaces) -> None:
        self.spaces = spaces
        self._game: Any = _game(task).Env(ramping=settings.difficulty_ramping)
        self._sticky = settings.sticky_action_prob
        self._actions = GAMES[task].minimal_actions if settings.minimal_actions else ALL_ACTIONS
        self._channels = GAMES[task].channels
        self._image = np.zeros(spaces.observation.shape, np.uint8)
        self._random = np.random.RandomState(0)
        self._last = 0

    def reset(self, seed: int) -> NDArray[Any]:
        """Start an episode."""
        self._random.seed(seed)
        self._game.random = self._random
        self._game.reset()
        self._last = 0
        return self._observe()

    def step(self, action: Any) -> Outcome:
        """Take one step; success is always false, the games have no such flag."""
        if self._random.rand() >= self._sticky:
            self._last = self._actions[action]
        reward, ended = self._game.act(self._last)
        return Outcome(self._observe(), float(reward), bool(ended), False, False)

    def _observe(self) -> NDArray[np.uint8]:
        """The image [C, 10, 10], overwritten by the next step."""
        self._image[: self._channels] = self._game.state().transpose(2, 0, 1)
        return self._image

    def set_physics(self, factors: Mapping[str, float]) -> None:
        """There is no physics to set."""

    def close(self) -> None:
        """There is nothing to free."""
