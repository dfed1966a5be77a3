"""One Crafter world, made reproducible.

The package keeps the creatures of each part of the map in a set and draws from it by position. Creatures hash by their
address in memory, so the order of such a set, and with it who vanishes, differs between processes and even between
two worlds of one process, whatever the seed. Here they stay in the order in which they came.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import crafter
import numpy as np
from crafter import constants, engine, objects, worldgen
from numpy.typing import NDArray

from gtr_bench.environments.crafter_noise import Noise
from gtr_bench.environments.single import Outcome, SingleBatch
from gtr_bench.environments.spaces import Spaces

__all__ = ["CrafterSingle", "make_batch"]

_CHUNK = (12, 12)
"""fields of one part of the map, as in the package"""


def make_batch(task: str, members: int, envs: int, limit: int, spaces: Spaces) -> SingleBatch:
    """M x N worlds of one task.

    Raises:
        EnvironmentFault: an environment could not be built.
    """
    return SingleBatch(f"crafter:{task}", members, envs, limit, lambda: CrafterSingle(task, spaces))


class _Creatures(dict[Any, None]):
    """What the package needs of a set, in the order in which things were added."""

    def add(self, creature: Any) -> None:
        self[creature] = None

    def remove(self, creature: Any) -> None:
        del self[creature]


class _World(engine.World):  # type: ignore[misc]
    def reset(self, seed: int | None = None) -> None:
        super().reset(seed)
        self._chunks: Any = defaultdict(_Creatures)


class _Env(crafter.Env):  # type: ignore[misc]
    def __init__(self, reward: bool) -> None:
        super().__init__(reward=reward, length=None, seed=0)
        self._world = _World(self._area, constants.materials, _CHUNK)
        self._local_view: Any = engine.LocalView(self._world, self._textures, self._local_view._grid)
        self._sem_view = lambda: None  # a map for the package's info, which nobody reads here

    def begin(self, seed: int) -> NDArray[np.uint8]:
        """The package's `reset`, as in the first episode of an environment with this seed."""
        self._step = 0
        self._unlocked: set[str] = set()
        self._world.reset(seed=hash((seed, 1)) % (2**31 - 1))
        self._update_time()
        width, height = self._area
        self._player = objects.Player(self._world, (width // 2, height // 2))
        self._last_health = self._player.health
        self._world.add(self._player)
        _landscape(self._world, self._player)
        image: NDArray[np.uint8] = self.render()
        return image


def _landscape(world: _World, player: Any) -> None:
    """The package's `generate_world` with a faster noise."""
    noise = Noise(world.random.randint(0, 2**31 - 1))
    tunnels = np.zeros(world.area, bool)
    fields = [(x, y) for x in range(world.area[0]) for y in range(world.area[1])]
    for field in fields:
        worldgen._set_material(world, field, player, tunnels, noise)
    for field in fields:
        worldgen._set_object(world, field, player, tunnels)


class CrafterSingle:
    """A `SingleEnvironment` of Crafter; the batch counts the steps, only death ends an episode here."""

    def __init__(self, task: str, spaces: Spaces) -> None:
        self.spaces = spaces
        self._env = _Env(reward=task == "Reward")

    def reset(self, seed: int) -> NDArray[Any]:
        """Start an episode."""
        return self._env.begin(seed).transpose(2, 0, 1)

    def step(self, action: Any) -> Outcome:
        """Take one step; success is always false, there is no goal."""
        image, reward, dead, _ = self._env.step(int(action))
        return Outcome(image.transpose(2, 0, 1), float(reward), bool(dead), False, False)

    def achieved(self) -> NDArray[np.bool_]:
        """Which of the achievements the running episode has unlocked, [22]."""
        return np.array([name in self._env._unlocked for name in self.spaces.achievements])

    def set_physics(self, factors: Mapping[str, float]) -> None:
        """There is no physics to set."""

    def close(self) -> None:
        """There is nothing to free."""
