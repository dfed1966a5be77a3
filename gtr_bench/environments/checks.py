"""What environments hand out, looked at once per stream: numpy would broadcast or coerce what is wrong, in silence.

Functions say what is wrong, as the rest of a sentence after the environment's name; None where nothing is. Numbers that
are not finite are not wrong here: a learner that meets them diverges.
"""

from __future__ import annotations

import reprlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from gtr_bench.environments.base import Transition
from gtr_bench.environments.spaces import ObservationSpace, Spaces
from gtr_bench.wording import counted

__all__ = ["wrong_batch", "wrong_observation", "wrong_outcome", "wrong_transition"]

_REAL = "fiub"  # kinds of dtype that become float32 without a loss of meaning
_OUTCOME = ("observation", "reward", "terminated", "truncated", "success")


def wrong_observation(value: Any, space: ObservationSpace) -> str | None:
    """Of what one environment shows: an array of the space's shape, real numbers, or bytes where those are declared."""
    try:
        array = np.asarray(value)
    except ValueError:
        return f"showed {_seen(value)} where an array of shape {space.shape} was expected"
    if array.shape != space.shape:
        return f"showed an array of shape {array.shape} where {space.shape} was expected"
    if array.dtype != np.uint8 if space.dtype == "uint8" else array.dtype.kind not in _REAL:
        expected = "uint8" if space.dtype == "uint8" else "real numbers"
        return f"showed an array of {array.dtype} where {expected} were expected"
    return None


def wrong_outcome(outcome: Any, spaces: Spaces) -> str | None:
    """Of one environment's step: an observation, a real number, and three flags that are true or false."""
    if not isinstance(outcome, tuple) or len(outcome) != len(_OUTCOME):
        return f"gave {_seen(outcome)} where ({', '.join(_OUTCOME)}) was expected"
    found = wrong_observation(outcome[0], spaces.observation)
    if found is not None:
        return found
    if not _is_scalar(outcome[1], _REAL):
        return f"gave the reward {_seen(outcome[1])} where a real number was expected"
    for name, flag in zip(_OUTCOME[2:], outcome[2:], strict=True):
        if not _is_scalar(flag, "b"):
            return f"gave {name} = {_seen(flag)} where true or false was expected"
    return None


def wrong_batch(value: Any, space: ObservationSpace, batch: tuple[int, ...]) -> str | None:
    """Of the observations of a batch: an array [*batch, *O] of the space's dtype."""
    return _wrong_array("observations", value, (*batch, *space.shape), [space.dtype])


def wrong_transition(step: Transition, spaces: Spaces, batch: tuple[int, int]) -> str | None:
    """Of a step of M x N environments: shapes and dtypes as `Transition` declares them."""
    flags: list[tuple[str, Any]] = [("terminated", step.terminated), ("truncated", step.truncated)]
    if spaces.has_success or step.success is not None:
        flags.append(("success", step.success))
    complaints = [
        wrong_batch(step.observation, spaces.observation, batch),
        _wrong_array("rewards", step.reward, batch, ["float64", "float32"]),
        *(_wrong_array(name, flag, batch, ["bool"]) for name, flag in flags),
    ]
    if spaces.achievements:
        complaints.append(_wrong_array("achievements", step.achievements, (*batch, len(spaces.achievements)), ["bool"]))
    found = next((each for each in complaints if each is not None), None)
    return found or _wrong_finals(step, spaces.observation)


def _wrong_finals(step: Transition, space: ObservationSpace) -> str | None:
    """Each episode that ended has its last observation, in order."""
    ended = np.flatnonzero(step.terminated | step.truncated)
    if step.finals is None:
        return f"ended {counted(len(ended), 'episode')} without last observations (`finals`)" if len(ended) else None
    rows = np.asarray(step.finals.rows)
    if not np.array_equal(rows, ended):
        return f"gave last observations of the rows {_seen(rows.tolist())} where {_seen(ended.tolist())} ended"
    return _wrong_array("last observations", step.finals.observations, (len(rows), *space.shape), [space.dtype])


def _wrong_array(name: str, value: Any, shape: tuple[int, ...], dtypes: Sequence[str]) -> str | None:
    if not isinstance(value, np.ndarray):
        return f"gave {name} = {_seen(value)} where an array of shape {shape} was expected"
    if value.shape != shape:
        return f"gave {name} of shape {value.shape} where {shape} was expected"
    if value.dtype.name not in dtypes:
        return f"gave {name} of {value.dtype} where {dtypes[0]} was expected"
    return None


def _is_scalar(value: Any, kinds: str) -> bool:
    """Whether it is one number, or array without dimensions, whose dtype is of these kinds."""
    if isinstance(value, bool | int | float):
        return isinstance(value, bool) or kinds != "b"
    return isinstance(value, np.generic | np.ndarray) and value.shape == () and value.dtype.kind in kinds


def _seen(value: Any) -> str:
    """A value in a few words: itself and its type."""
    return f"`{reprlib.repr(value)}` ({type(value).__name__})"
