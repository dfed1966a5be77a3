"""Random streams of a cohort: one generator per member and purpose, so that a new purpose moves no other one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import torch

__all__ = ["Streams"]


class Streams:
    """Generators by name, each member's seeded by the hash of its own seed and the name."""

    def __init__(self, seeds: Sequence[int]) -> None:
        self._seeds = list(seeds)
        self._streams: dict[str, list[torch.Generator]] = {}

    def __getitem__(self, name: str) -> list[torch.Generator]:
        """The generators called `name`, one per member."""
        if name not in self._streams:
            self._streams[name] = [torch.Generator().manual_seed(_hash(seed, name)) for seed in self._seeds]
        return self._streams[name]

    def state(self) -> dict[str, Any]:
        """Where every stream stands, for a checkpoint."""
        return {name: [each.get_state() for each in stream] for name, stream in self._streams.items()}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from a checkpoint."""
        for name, saved in state.items():
            for generator, where in zip(self[name], saved, strict=True):
                generator.set_state(where)


def _hash(seed: int, name: str) -> int:
    digest = hashlib.sha256(f"gtr-bench:stream:{name}:{seed}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
