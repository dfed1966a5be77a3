"""Parameters of several jobs as one namespace: floats where members agree, tensors `[M, 1]` where they differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import torch
from pydantic import BaseModel

from gtr_bench.algorithms.parameters import stackable_fields

__all__ = ["column", "stack_parameters"]


def stack_parameters(
    model: type[BaseModel], rows: Sequence[Mapping[str, Any]], device: torch.device
) -> SimpleNamespace:
    """Validate each job's parameters and stack the scalar ones.

    Raises:
        ValueError: a structural parameter differs between the members.
    """
    members = [model(**row) for row in rows]
    stackable = stackable_fields(model)
    values: dict[str, Any] = {}
    for name in model.model_fields:
        found = [getattr(member, name) for member in members]
        if all(value == found[0] for value in found):
            values[name] = found[0]
        elif name in stackable:
            values[name] = torch.tensor(found, dtype=torch.float32, device=device).unsqueeze(1)
        else:
            raise ValueError(f"`{name}` is structural and differs between the members of a cohort: {found}")
    return SimpleNamespace(**values)


def column(value: float | torch.Tensor, members: int) -> torch.Tensor:
    """A float or `[M, 1]` as a CPU tensor `[M, 1]`."""
    return torch.as_tensor(value, dtype=torch.float32).cpu().expand(members, 1)
