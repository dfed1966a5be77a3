"""The tasks of dm_control's suite and their options, without the package (dm_control 1.0.28; protocols 6)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from gtr_bench.environments.options import require_flags, require_integers, settings_from
from gtr_bench.environments.tables import rows_of
from gtr_bench.errors import RequestError

__all__ = ["UNBOUNDED", "Settings", "Task", "limit_of", "tasks"]

UNBOUNDED = 1e10
"""What MuJoCo declares as the bound of an actuator without one (mjMAXVAL)."""


class Task(NamedTuple):
    """What the package says of a task.

    Attributes:
        domain: the body, first half of the name.
        task: what it has to do, second half.
        observations: numbers of one observation, all parts in one row.
        actions: actuators.
        bounds: what the actuators declare: `unit` -1 and 1, `other` other numbers, `none` none.
        steps: control steps after which an episode is cut; None: never.
        needs_gl: whether the task draws upon OpenGL even where nothing is rendered.
    """

    domain: str
    task: str
    observations: int
    actions: int
    bounds: str
    steps: int | None
    needs_gl: bool


@cache
def tasks() -> dict[str, Task]:
    """Every task of the suite by its name here, `walker-walk`."""
    return {
        f"{row['domain']}-{row['task']}": Task(
            row["domain"],
            row["task"],
            int(row["observations"]),
            int(row["actions"]),
            row["bounds"],
            int(row["steps"]) if row["steps"] else None,
            row["needs_gl"] == "1",
        )
        for row in rows_of("dmc_tasks.csv")
    }


class Settings(NamedTuple):
    """The options of a task, each with its default.

    Attributes:
        action_repeat: control steps per step; their rewards are added up.
        pixels: show rendered images instead of the simulator's numbers.
        height: of an image, in pixels.
        width: of an image, in pixels.
        camera_id: number of the model's camera; -1 is the free one.
        frames: images per observation, the newest last.
    """

    action_repeat: int = 1
    pixels: bool = False
    height: int = 84
    width: int = 84
    camera_id: int = 0
    frames: int = 3

    @classmethod
    def of(cls, task: str, options: Mapping[str, Any]) -> Settings:
        """The options of a task, checked.

        Raises:
            RequestError: an unknown option, a value that makes no sense, or one about images without `pixels`.
        """
        name = f"dm_control:{task}"
        found = settings_from(cls, name, options)
        require_flags(name, found, ("pixels",))
        require_integers(name, found, {"action_repeat": 1, "height": 1, "width": 1, "camera_id": -1, "frames": 1})
        idle = sorted(set(options) & {"height", "width", "camera_id", "frames"})
        if idle and not found.pixels:
            raise RequestError(
                f"`{idle[0]}` of `{name}` says what images look like, and there are none",
                hint="add `pixels = true`",
            )
        return found


def limit_of(task: Task, settings: Settings) -> int | None:
    """Steps, of `action_repeat` control steps each, after which an episode is cut; the last one may be shorter."""
    return None if task.steps is None else -(-task.steps // settings.action_repeat)
