"""The add-ons of a cohort, in the order in which they act."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from gtr_bench.learn.stacking import stack_parameters
from gtr_bench.plasticity.base import AddOn
from gtr_bench.plasticity.registry import add_ons

__all__ = ["build_add_ons"]


def build_add_ons(definitions: Sequence[Mapping[str, Any]], device: torch.device) -> list[AddOn]:
    """The add-ons that job definitions name under `plasticity`, sorted there by stage and name.

    Args:
        definitions: of the members; they name the same add-ons.
        device: where stacked parameters `[M, 1]` live.
    """
    found = []
    for place, entry in enumerate(definitions[0].get("plasticity", [])):
        kind = add_ons.get(entry["name"])
        rows = [definition["plasticity"][place]["parameters"] for definition in definitions]
        found.append(kind(stack_parameters(kind.Parameters, rows, device), len(definitions)))
    return found
