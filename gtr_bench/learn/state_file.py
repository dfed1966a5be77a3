"""Everything a training needs to continue exactly, in a file that carries no code.

The state is a tree of dicts, lists, numbers, strings, numpy arrays and tensors. Arrays are stored as tensors under a
marker, so that `torch.load(weights_only=True)` reads it back: nothing in the file can run.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gtr_bench.errors import ResultsError

__all__ = ["load_state", "save_state"]

_FORMAT = 1
_ARRAY = "__array__"
_ON_CPU = ("generators", "steps")  # random states, and the optimizer's step counts


def _encode(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return {_ARRAY: torch.from_numpy(np.ascontiguousarray(value)).reshape(value.shape)}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, dict):
        return {key: _encode(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_encode(item) for item in value]
    return value


def _decode(value: Any) -> Any:
    if isinstance(value, dict):
        if value.keys() == {_ARRAY}:
            return value[_ARRAY].numpy().copy()
        return {key: _decode(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_decode(item) for item in value]
    return value


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Write `path`; OSError where the disk refuses."""
    # torch's own file writing turns a full disk into an unreadable RuntimeError
    buffer = io.BytesIO()
    torch.save({"format": _FORMAT, "state": _encode(state)}, buffer)
    path.write_bytes(buffer.getbuffer())


def load_state(path: Path, device: torch.device) -> dict[str, Any]:
    """The state that was saved, its tensors on `device`.

    Raises:
        ResultsError: the file is missing, damaged or of another format; caused by a MemoryError or OSError where those
            kept it from being read.
    """
    if not path.exists():
        raise ResultsError(f"`{path}` is missing", hint="delete its folder to start the cohort anew")
    try:
        stored = torch.load(path, weights_only=True, map_location="cpu")
    except Exception as error:
        raise ResultsError(
            f"`{path}` is not a readable checkpoint", hint="delete its folder to start the cohort anew"
        ) from error
    if not isinstance(stored, dict) or stored.get("format") != _FORMAT:
        raise ResultsError(f"`{path}` has another checkpoint format", hint="delete its folder to start the cohort anew")
    state: dict[str, Any] = _decode(_to_device(stored["state"], device))
    return state


def _to_device(value: Any, device: torch.device) -> Any:
    """Tensors of the learner go to its device; random states and arrays stay where they are read."""
    if device.type == "cpu":
        return value
    if isinstance(value, dict):
        if value.keys() == {_ARRAY}:
            return value
        return {key: item if key in _ON_CPU else _to_device(item, device) for key, item in value.items()}
    if isinstance(value, list):
        return [_to_device(item, device) for item in value]
    return value.to(device) if isinstance(value, torch.Tensor) else value
