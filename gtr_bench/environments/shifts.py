"""What may change between two phases: one class per shift kind, its parameters checked by pydantic.

A shift turns a variant (an integer written into every phase) into values, one set per member of the cohort, drawn from
the hash of (the member's shift seed, the shift's place in the list, the variant). `SequenceEnvironment` draws the
values at a phase's start and applies them to arrays [M, N, ...] at every step. Third parties register further kinds in
the entry-point group `gtr_bench.shifts`.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from gtr_bench.environments.base import FloatArray, SeedArray
from gtr_bench.environments.hashing import mix, normal, permutations, uniform
from gtr_bench.environments.shift import Shift, Values, World
from gtr_bench.environments.spaces import ActionSpace, Spaces
from gtr_bench.errors import RequestError
from gtr_bench.registry import Registry

__all__ = [
    "ActionPermutation",
    "ObservationNoise",
    "ObservationOffset",
    "ObservationPermutation",
    "Physics",
    "RewardFlip",
    "RewardScale",
    "parse_shift",
    "shifts",
]

PositiveFloat = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]

shifts = Registry(
    "shift kind",
    "gtr_bench.shifts",
    {
        "observation_mask": "gtr_bench.environments.observation_mask:ObservationMask",
        "observation_offset": "gtr_bench.environments.shifts:ObservationOffset",
        "observation_noise": "gtr_bench.environments.shifts:ObservationNoise",
        "observation_permutation": "gtr_bench.environments.shifts:ObservationPermutation",
        "action_permutation": "gtr_bench.environments.shifts:ActionPermutation",
        "reward_scale": "gtr_bench.environments.shifts:RewardScale",
        "reward_flip": "gtr_bench.environments.shifts:RewardFlip",
        "physics": "gtr_bench.environments.shifts:Physics",
        "task_id": "gtr_bench.environments.task_id:TaskId",
    },
)


def parse_shift(mapping: Mapping[str, Any]) -> Shift:
    """The shift that a table of a suite or of a job's definition describes.

    Raises:
        RequestError: `kind` is missing.
        UnknownNameError: no shift of this kind is registered.
        pydantic.ValidationError: an unknown key, a wrong type or an impossible value.
    """
    kind = mapping.get("kind")
    if not isinstance(kind, str):
        known = ", ".join(f"`{name}`" for name in shifts.names())
        raise RequestError("a shift needs a `kind`", hint=f"kinds: {known}")
    shift = shifts.get(kind).model_validate(mapping)
    assert isinstance(shift, Shift)
    return shift


class ObservationOffset(Shift):
    """Add one vector, normal with standard deviation `std` in every coordinate, to all observations of a variant."""

    kind: Literal["observation_offset"] = "observation_offset"
    std: PositiveFloat = Field(description="standard deviation")

    def fits(self, spaces: Spaces) -> str | None:
        return cannot_add(spaces)

    def identity(self, world: World) -> Values:
        return np.zeros((world.members, world.spaces.observation.size))

    def draw(self, keys: SeedArray, variant: int, world: World) -> Values:
        return self.std * normal(mix(keys[:, None], np.arange(world.spaces.observation.size)))

    def change_observation(self, observation: NDArray[Any], values: Values, keys: SeedArray) -> NDArray[Any]:
        return observation + values[:, None].astype(np.float32)


class ObservationNoise(Shift):
    """Add fresh normal noise of standard deviation `std` to every coordinate of every observation."""

    noisy: ClassVar[bool] = True
    kind: Literal["observation_noise"] = "observation_noise"
    std: PositiveFloat = Field(description="standard deviation")

    def fits(self, spaces: Spaces) -> str | None:
        return cannot_add(spaces)

    def identity(self, world: World) -> Values:
        return np.zeros(world.members)

    def draw(self, keys: SeedArray, variant: int, world: World) -> Values:
        return np.full(world.members, self.std)

    def change_observation(self, observation: NDArray[Any], values: Values, keys: SeedArray) -> NDArray[Any]:
        noise = normal(mix(keys[..., None], np.arange(observation.shape[-1])))
        return observation + (values[:, None, None] * noise).astype(np.float32)


class ObservationPermutation(Shift):
    """Reorder the coordinates of a vector, or the pixels of an image: all its channels in the same way.

    Values: the source of each coordinate [M, D], or of each pixel [M, H * W]. Permuted pixels: Goodfellow et al., "An
    empirical investigation of catastrophic forgetting", 2013.
    """

    numeric: ClassVar[bool] = False
    kind: Literal["observation_permutation"] = "observation_permutation"

    def fits(self, spaces: Spaces) -> str | None:
        if _places(spaces) > 1:
            return None
        return f"has nothing to permute: the observation has one {'pixel' if spaces.observation.is_image else 'number'}"

    def identity(self, world: World) -> Values:
        return np.tile(np.arange(_places(world.spaces)), (world.members, 1))

    def draw(self, keys: SeedArray, variant: int, world: World) -> Values:
        return permutations(keys, _places(world.spaces))

    def change_observation(self, observation: NDArray[Any], values: Values, keys: SeedArray) -> NDArray[Any]:
        channels = observation.reshape(*observation.shape[:2], -1, values.shape[1])
        return np.take_along_axis(channels, values[:, None, None], axis=3).reshape(observation.shape)


class ActionPermutation(Shift):
    """Reorder the choices of discrete actions; reorder and flip the dimensions of continuous ones.

    Values: discrete, the choice carried out for each choice [M, n]; multi-discrete, the same per component
    [M, K, largest n]; continuous, the source dimension and the sign of each dimension [M, 2, A].
    """

    numeric: ClassVar[bool] = False
    kind: Literal["action_permutation"] = "action_permutation"

    def fits(self, spaces: Spaces) -> str | None:
        if spaces.action.kind == "continuous" or max(spaces.action.sizes) > 1:
            return None
        return "has nothing to permute: there is one action"

    def identity(self, world: World) -> Values:
        space = world.spaces.action
        if space.kind == "discrete":
            one: Values = np.arange(space.sizes[0])
        elif space.kind == "multi_discrete":
            one = np.tile(np.arange(max(space.sizes)), (len(space.sizes), 1))
        else:
            one = np.stack([np.arange(space.sizes[0]), np.ones(space.sizes[0], dtype=np.int64)])
        return np.tile(one, (world.members,) + (1,) * one.ndim)

    def draw(self, keys: SeedArray, variant: int, world: World) -> Values:
        space = world.spaces.action
        if space.kind == "discrete":
            return permutations(keys, space.sizes[0])
        result = self.identity(world)
        if space.kind == "multi_discrete":
            for component, size in enumerate(space.sizes):
                if size > 1:
                    result[:, component, :size] = permutations(mix(keys, component), size)
            return result
        dimensions = space.sizes[0]
        if dimensions > 1:
            result[:, 0] = permutations(keys, dimensions)
            result[:, 1] = np.where(mix(keys[:, None], -1, np.arange(dimensions)) >> np.uint64(63), -1, 1)
        else:
            result[:, 1] = -1
        return result

    def change_action(self, actions: NDArray[Any], values: Values, space: ActionSpace) -> NDArray[Any]:
        if space.kind == "discrete":
            return np.take_along_axis(values, actions.astype(np.int64), axis=1)
        if space.kind == "multi_discrete":
            # values [M, K, n] by component, actions [M, N, K]
            chosen = np.take_along_axis(values, actions.astype(np.int64).transpose(0, 2, 1), axis=2)
            return chosen.transpose(0, 2, 1)
        assert space.low is not None
        assert space.high is not None
        centre = (space.high + space.low) / 2.0
        half = (space.high - space.low) / 2.0
        if not np.isfinite(half).all():
            centre, half = np.zeros_like(half), np.ones_like(half)
        # Dimensions may have unequal bounds, so what is permuted is the place within the bounds, in [-1, 1].
        relative: Values = np.take_along_axis((actions - centre) / half, values[:, :1], axis=2) * values[:, 1:]
        relative = relative * half + centre
        return relative


class RewardScale(Shift):
    """Multiply rewards: by `factors[variant]`, or by a number drawn log-uniformly between `low` and `high`."""

    kind: Literal["reward_scale"] = "reward_scale"
    factors: tuple[PositiveFloat, ...] | None = Field(
        default=None, min_length=1, strict=False, description="factors, one per variant"
    )
    low: PositiveFloat | None = Field(default=None, description="draw log-uniformly from here")
    high: PositiveFloat | None = Field(default=None, description="to here; with `low`")

    @model_validator(mode="after")
    def _check_range(self) -> RewardScale:
        check_choice(self.factors, self.low, self.high, "factors")
        return self

    @property
    def variants(self) -> int | None:
        return None if self.factors is None else len(self.factors)

    def identity(self, world: World) -> Values:
        return np.ones(world.members)

    def draw(self, keys: SeedArray, variant: int, world: World) -> Values:
        return choose_factor(self.factors, self.low, self.high, keys, variant)

    def change_reward(self, reward: FloatArray, values: Values) -> FloatArray:
        result: FloatArray = reward * values[:, None]
        return result


class RewardFlip(Shift):
    """Turn the sign of all rewards."""

    kind: Literal["reward_flip"] = "reward_flip"

    def identity(self, world: World) -> Values:
        return np.ones(world.members)

    def draw(self, keys: SeedArray, variant: int, world: World) -> Values:
        return np.full(world.members, -1.0)

    def change_reward(self, reward: FloatArray, values: Values) -> FloatArray:
        result: FloatArray = reward * values[:, None]
        return result


class Physics(Shift):
    """Multiply a physics parameter of the simulator: by `values[variant]`, or by a log-uniform number in [low, high].

    Which parameters there are depends on the environment's family: `Family.physics(task)`.
    """

    kind: Literal["physics"] = "physics"
    parameter: str = Field(description="which one; `gtr-bench list environments ENV` lists those of an environment")
    values: tuple[PositiveFloat, ...] | None = Field(
        default=None, min_length=1, strict=False, description="factors, one per variant"
    )
    low: PositiveFloat | None = Field(default=None, description="draw log-uniformly from here")
    high: PositiveFloat | None = Field(default=None, description="to here; with `low`")

    @model_validator(mode="after")
    def _check_range(self) -> Physics:
        check_choice(self.values, self.low, self.high, "values")
        return self

    @property
    def variants(self) -> int | None:
        return None if self.values is None else len(self.values)

    def identity(self, world: World) -> Values:
        return np.ones(world.members)

    def draw(self, keys: SeedArray, variant: int, world: World) -> Values:
        return choose_factor(self.values, self.low, self.high, keys, variant)

    @property
    def physics_names(self) -> tuple[str, ...]:
        return (self.parameter,)

    def physics_factors(self, values: Values) -> dict[str, FloatArray]:
        return {self.parameter: values}


def cannot_add(spaces: Spaces) -> str | None:
    """Why nothing can be added to the observations; None when it can."""
    space = spaces.observation
    return None if space.dtype == "float32" else f"adds to numbers, which means nothing to {space.describe()}"


def _places(spaces: Spaces) -> int:
    """How many coordinates or pixels of an observation can change places."""
    return prod(spaces.observation.shape[-2:])


def check_choice(factors: tuple[float, ...] | None, low: float | None, high: float | None, name: str) -> None:
    """Raise ValueError unless there is either an explicit list or a range low < high."""
    if (factors is None) == (low is None and high is None):
        raise ValueError(f"give either `{name}` or `low` and `high`")
    if factors is None and (low is None or high is None or low >= high):
        raise ValueError("`low` and `high` are needed together, `low` below `high`")


def choose_factor(
    factors: tuple[float, ...] | None, low: float | None, high: float | None, keys: SeedArray, variant: int
) -> FloatArray:
    """The variant's factor [M]: the listed one for every member, or one per member, log-uniform in [low, high)."""
    if factors is not None:
        return np.full(keys.size, float(factors[variant]))
    assert low is not None
    assert high is not None
    result: FloatArray = np.exp(np.log(low) + uniform(keys) * (np.log(high) - np.log(low)))
    return result
