"""Counter-based random numbers: pure functions of integer keys, vectorised, equal on every machine.

A number's value depends on its key alone, never on how many others were drawn before it, so a random stream needs no
state and a member's stream is the same alone and among others. The mixer is the finaliser of splitmix64 (Steele, Lea,
Flood, "Fast splittable pseudorandom number generators", 2014).
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["extend", "key_of", "mix", "normal", "permutations", "uniform"]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_ELEVEN, _TWENTY_SEVEN, _THIRTY, _THIRTY_ONE = (np.uint64(bits) for bits in (11, 27, 30, 31))
_TO_UNIT = 2.0**-53


def key_of(text: str) -> int:
    """A 64-bit integer for a name, to keep streams of different purposes apart."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")


def mix(*keys: ArrayLike) -> NDArray[np.uint64]:
    """Hash integer arrays, broadcast together, into uint64 of at least one dimension; the order of the keys matters.

    Negative numbers count modulo 2^64.
    """
    result = np.zeros(1, dtype=np.uint64)
    for key in keys:
        # Arrays of one dimension at least: only those wrap silently in numpy's integer arithmetic.
        result = extend(result, np.atleast_1d(np.asarray(key)).astype(np.uint64))
    return result


def extend(prefix: NDArray[np.uint64], key: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """`mix(*keys, key)` from `prefix = mix(*keys)`; neither array may be of zero dimensions."""
    result = prefix ^ key
    result += _GOLDEN
    result ^= result >> _THIRTY
    result *= _FIRST
    result ^= result >> _TWENTY_SEVEN
    result *= _SECOND
    result ^= result >> _THIRTY_ONE
    return result


def uniform(keys: NDArray[np.uint64]) -> NDArray[np.float64]:
    """One number in [0, 1) per hashed key, with 53 random bits."""
    return (keys >> _ELEVEN).astype(np.float64) * _TO_UNIT


def normal(keys: NDArray[np.uint64]) -> NDArray[np.float64]:
    """One standard normal number per hashed key (Box-Muller; the second uniform comes from the re-hashed key)."""
    radius = np.sqrt(-2.0 * np.log1p(-uniform(keys)))
    result: NDArray[np.float64] = radius * np.cos(2.0 * np.pi * uniform(mix(keys)))
    return result


def permutations(keys: NDArray[np.uint64], size: int) -> NDArray[np.int64]:
    """One random permutation of 0..size-1 per key, never the identity: int64 [keys, size] from keys [keys].

    Raises:
        ValueError: `size` is below 2, so that there is no other permutation.
    """
    if size < 2:
        raise ValueError("only the identity permutes fewer than two things")
    order = np.arange(size)
    result = np.argsort(mix(keys[:, None], order), axis=1, kind="stable")
    attempt = 1
    while (same := (result == order).all(axis=1)).any():
        result[same] = np.argsort(mix(keys[same, None], order, attempt), axis=1, kind="stable")
        attempt += 1
    return result
