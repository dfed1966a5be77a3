"""Find environment families by the prefix of an environment's name, and say which are usable here."""

from __future__ import annotations

from typing import NamedTuple, cast

from gtr_bench.environments.base import Family
from gtr_bench.errors import RequestError
from gtr_bench.registry import Registry

__all__ = ["Availability", "availability", "families", "family_of"]

families = Registry(
    "environment family",
    "gtr_bench.environments",
    {
        "atari": "gtr_bench.environments.atari_family:AtariFamily",
        "craftax": "gtr_bench.environments.craftax_family:CraftaxFamily",
        "crafter": "gtr_bench.environments.crafter_family:CrafterFamily",
        "dm_control": "gtr_bench.environments.dmc_family:DmControlFamily",
        "gym": "gtr_bench.environments.gymnasium_family:GymnasiumFamily",
        "metaworld": "gtr_bench.environments.metaworld_family:MetaWorldFamily",
        "minatar": "gtr_bench.environments.minatar_family:MinAtarFamily",
        "minigrid": "gtr_bench.environments.minigrid_family:MiniGridFamily",
        "procgen": "gtr_bench.environments.procgen_family:ProcgenFamily",
    },
)


class Availability(NamedTuple):
    """Whether a group of environments works here; `hint` is the one command that makes it so, None when it does."""

    name: str
    usable: bool
    hint: str | None


def family_of(environment: str) -> tuple[Family, str]:
    """Split `gym:CartPole-v1` into its family's instance and the task's name.

    Raises:
        RequestError: the name has no prefix or no task.
        UnknownNameError: no family has this prefix.
    """
    prefix, colon, task = environment.partition(":")
    if not colon or not prefix or not task:
        raise RequestError(
            f"the environment `{environment}` has no family",
            hint="write `family:task`, such as `gym:CartPole-v1`; families: "
            + ", ".join(f"`{name}`" for name in families.names()),
        )
    return cast(Family, families.get(prefix)()), task


def availability() -> list[Availability]:
    """What can be used here, one row per family or, where a family needs several extras, per part of it.

    A family may offer `availability() -> list[Availability]`; one that does not is usable when it can be loaded.
    """
    rows: list[Availability] = []
    for name in families.names():
        family = families.get(name)()
        report = getattr(family, "availability", None)
        rows.extend(report() if report is not None else [Availability(name, True, None)])
    return rows
