"""What every shift kind is made of: the common fields, and how a variant becomes values for each member."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from gtr_bench.environments.base import FloatArray, SeedArray
from gtr_bench.environments.hashing import mix
from gtr_bench.environments.spaces import ActionSpace, Spaces
from gtr_bench.errors import EnvironmentFault

__all__ = ["Shift", "Values", "World", "worlds_of"]

Values = NDArray[Any]
"""What one variant is for each member, `[M, ...]`; each kind says what its numbers mean."""


class World(NamedTuple):
    """What a shift must know about the world it changes.

    Attributes:
        members: M.
        spaces: what the shifts before it in the list leave to see.
        worlds: how many distinct worlds the phases of the sequence are (`worlds_of`).
        place: which of them the phase is, from 0.
    """

    members: int
    spaces: Spaces
    worlds: int = 1
    place: int = 0


def worlds_of(phases: Sequence[Mapping[str, Any]]) -> list[int]:
    """The number of each phase's world, counted from 0 in the order in which they are first met.

    A world is an environment with its options and the variant of the shifts.
    """
    numbers: dict[str, int] = {}
    return [
        numbers.setdefault(
            json.dumps([phase["environment"], phase.get("options", {}), phase["variant"]], sort_keys=True), len(numbers)
        )
        for phase in phases
    ]


class Shift(BaseModel):
    """Fields and behaviour all kinds share.

    A kind overrides `identity`, `draw` and what it changes, perhaps `fits`, and `shown` where observations get another
    size.

    Attributes:
        kind: the kind's registered name.
        first_clean: variant 0 is the unshifted world. Lists of explicit values name variant 0 too and ignore this.
        cycle: phase p uses variant p modulo this number (carried out by the suite); None counts on without end.
        mode: abrupt, or drift: the values move linearly over the phase from those of the phase before.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    numeric: ClassVar[bool] = True
    """Whether values between two variants' values make sense, so that the shift can drift."""

    noisy: ClassVar[bool] = False
    """Whether `change_observation` needs keys that differ from step to step, which cost a few hashes per step."""

    varies: ClassVar[bool] = True
    """Whether a phase's variant changes what the kind does; where no shift of a sequence varies, all variants are 0."""

    needs_boundaries: ClassVar[bool] = False
    """Whether it tells learners where phases begin, which those of the real world are not told; reports say so."""

    kind: str = Field(description="which kind")
    first_clean: bool = Field(
        default=True,
        description="the first variant is the unshifted world; kinds given a list of values take them as they are",
    )
    cycle: Annotated[int, Field(ge=1)] | None = Field(
        default=None,
        description="after so many variants start again with the first: 2 alternates; none = every phase a new one",
    )
    mode: Literal["abrupt", "drift"] = Field(
        default="abrupt",
        description='`"abrupt"`, or `"drift"`: move linearly through the phase from the values before (permutations '
        "cannot)",
    )

    @model_validator(mode="after")
    def _check_drift(self) -> Shift:
        if self.mode == "drift" and not self.numeric:
            raise ValueError(f"a shift of kind `{self.kind}` cannot drift")
        return self

    @property
    def variants(self) -> int | None:
        """How many variants there are; None when they can be drawn without end."""
        return None

    @property
    def physics_names(self) -> tuple[str, ...]:
        """The physics parameters the shift changes."""
        return ()

    def fits(self, spaces: Spaces) -> str | None:
        """Why the kind cannot act in such an environment, to follow its name in a sentence; None when it can.

        Asked at planning; environments ask again.
        """
        return None

    def require_fit(self, spaces: Spaces) -> None:
        """Raise EnvironmentFault where `fits` objects."""
        reason = self.fits(spaces)
        if reason is not None:
            raise EnvironmentFault(f"the shift `{self.kind}` {reason}")

    def shown(self, spaces: Spaces, worlds: int) -> Spaces:
        """What a learner sees, under the shift, of spaces that it `fits`, in a sequence of so many worlds.

        A kind that changes them comes last in a sequence's list.
        """
        return spaces

    def resolve(self, keys: SeedArray, variant: int, world: World) -> Values:
        """The values [M, ...] of a variant.

        Args:
            keys: uint64 [M], hashed from each member's shift seed and the shift's place in the list.
            variant: counts from 0.
            world: what it acts on.

        Raises:
            EnvironmentFault: the variant does not exist, or the kind makes no sense for this world.
        """
        if self.variants is not None and variant >= self.variants:
            raise EnvironmentFault(
                f"variant {variant} of the shift `{self.kind}` does not exist",
                hint=f"it has {self.variants} explicit values; set `cycle` to use them in turn",
            )
        self.require_fit(world.spaces)
        if variant == 0 and self.first_clean and self.variants is None and self.varies:
            return self.identity(world)
        return self.draw(mix(keys, variant), variant, world)

    def identity(self, world: World) -> Values:
        """The values [M, ...] of the unshifted world."""
        raise NotImplementedError

    def draw(self, keys: SeedArray, variant: int, world: World) -> Values:
        """The values [M, ...] of a shifted variant, from keys uint64 [M] that depend on the variant."""
        raise NotImplementedError

    def change_observation(self, observation: NDArray[Any], values: Values, keys: SeedArray) -> NDArray[Any]:
        """Shifted observations [M, N, *O]; `keys` uint64 [M, N] differ from step to step where the kind is `noisy`.

        The final observations of E episodes come as [E, 1, *O], with the values and keys of each.
        """
        return observation

    def change_action(self, actions: NDArray[Any], values: Values, space: ActionSpace) -> NDArray[Any]:
        """What the environment receives for the policy's actions [M, N, ...]."""
        return actions

    def change_reward(self, reward: FloatArray, values: Values) -> FloatArray:
        """Shifted rewards [M, N]."""
        return reward

    def physics_factors(self, values: Values) -> dict[str, FloatArray]:
        """Factors [M] by the name of the physics parameter."""
        return {}
