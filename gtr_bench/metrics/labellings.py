"""Joint sign flips of paired differences, block by block, while seeds keep coming in.

A block is one seed in one environment, or in all of them (`EVERYWHERE`) where they share its randomness. A labelling
gives every block a sign, and all statements' differences of a block are flipped together: under the joint null, in
which they are symmetric about their bars, every labelling is as likely as the observed one (protocols 13.2; Westfall
and Young, Resampling-Based Multiple Testing, chapter 2).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from gtr_bench.metrics.relabelled import EXACT_LIMIT, SAMPLES

__all__ = ["DRAWS", "EVERYWHERE", "Block", "Labellings"]

Block: TypeAlias = tuple[str, int]
"""environment, seed"""
EVERYWHERE = ""
"""In a block's place of an environment: all of them."""

DRAWS = SAMPLES
"""Labellings drawn where there are more than `EXACT_LIMIT`, besides the observed one and its negation.

Drawn once per environment and seed, they are the same for every suite on these, so their error does not average out
over repetitions: with 20,000 the level of 0.05 is met to about 0.002.
"""


class Labellings:
    """All labellings of few blocks, drawn ones of many; the first is the observed one, and with each its negation.

    A block's drawn signs follow from its environment and seed alone, so they depend on no order and stay the same when
    further blocks come in.
    """

    def __init__(self) -> None:
        self._rows: dict[Block, int] = {}
        self._signs: NDArray[np.int8] = np.ones((0, 1), dtype=np.int8)
        self._drawn = False

    def __len__(self) -> int:
        return int(self._signs.shape[1])

    def extend(self, blocks: Iterable[Block]) -> NDArray[np.int64]:
        """Add blocks. Returns, for every labelling there is now, which of those before it agrees with."""
        fresh = sorted(set(blocks) - self._rows.keys())
        before, known = len(self), list(self._rows)
        self._rows |= {block: len(known) + number for number, block in enumerate(fresh)}
        size = len(self._rows)
        if self._drawn:
            self._signs = np.vstack([self._signs, *(_drawn(block)[None] for block in fresh)])
            return np.arange(before)
        if 2**size <= EXACT_LIMIT:
            labels = np.arange(2**size)
            self._signs = (1 - 2 * ((labels >> np.arange(size)[:, None]) & 1)).astype(np.int8)
            return labels % before
        self._drawn = True
        self._signs = np.array([_drawn(block) for block in self._rows])
        places = 2 ** np.arange(len(known), dtype=np.int64)
        return np.asarray(places @ (self._signs[: len(known)] < 0), dtype=np.int64)

    def signs(self, blocks: Iterable[Block]) -> NDArray[np.int8]:
        """The signs of known blocks under every labelling, the observed one first: [blocks, labellings]."""
        rows = [self._rows[block] for block in blocks]
        return self._signs[np.array(rows, dtype=np.intp)]


def _drawn(block: Block) -> NDArray[np.int8]:
    """The block's sign in every labelling: first the observed one, then the draws, then the negation of all these."""
    environment, seed = block
    digest = hashlib.sha256(f"gtr-bench:sequential:{environment}:{seed}".encode()).digest()
    half = DRAWS // 2
    packed = np.frombuffer(np.random.default_rng(int.from_bytes(digest, "big")).bytes(-(-half // 8)), dtype=np.uint8)
    signs = np.concatenate([[1], 1 - 2 * np.unpackbits(packed, count=half).astype(np.int8)]).astype(np.int8)
    return np.concatenate([signs, -signs])
