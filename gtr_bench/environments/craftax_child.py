"""The process in which Craftax runs: JAX lives here, torch does not. Started by `craftax_process.py`, as a script.

It imports nothing of gtr-bench. A request is (method of `Worlds`, arguments), the answer what the method returns.
An exception ends the process, and its traceback is what the parent finds on standard error.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Worlds", "main"]

FOREVER = 2**31 - 1
"""The package's own limit of an episode: the parent counts, so that a limit is told apart from an end."""


class Worlds:
    """B worlds stepped by one compiled function, and one that makes a new world.

    A world's numbers depend on its own keys and actions alone, to the bit, whatever B is.

    Args:
        task: `Symbolic` or `Classic-Symbolic`.
        size: B.
    """

    def __init__(self, task: str, size: int) -> None:
        import jax
        from craftax.craftax_env import make_craftax_env_from_name

        environment = make_craftax_env_from_name(f"Craftax-{task}-v1", auto_reset=False)
        parameters = environment.default_params.replace(max_timesteps=FOREVER)

        def strong(tree: Any) -> Any:
            # Types that are only guessed would make the second step compile anew.
            return jax.tree.map(lambda leaf: jax.numpy.asarray(leaf, jax.numpy.asarray(leaf).dtype), tree)

        def begin(key: Any) -> Any:
            observation, state = environment.reset_env(key, parameters)
            return observation, strong(state)

        def step(key: Any, state: Any, action: Any) -> Any:
            observation, state, reward, done, _ = environment.step_env(key, state, action, parameters)
            return observation, strong(state), reward, done, state.achievements

        def place(state: Any, row: Any, fresh: Any) -> Any:
            return jax.tree.map(lambda whole, one: whole.at[row].set(one), state, fresh)

        self._jax = jax
        # One world at a time: a step seldom ends two, and without vmap the branches not taken cost nothing.
        self._begin = jax.jit(begin)
        self._step = jax.jit(jax.vmap(step), donate_argnums=1)
        self._place = jax.jit(place, donate_argnums=0)
        _, one = jax.eval_shape(begin, jax.ShapeDtypeStruct((2,), np.uint32))
        leaves, self._structure = jax.tree.flatten(one)
        self._state: Any = self._of([np.zeros((size, *leaf.shape), leaf.dtype) for leaf in leaves])

    def _of(self, leaves: list[NDArray[Any]]) -> Any:
        # Copies: JAX may keep an array of numpy's as it is, and then give its memory away.
        return self._jax.tree.unflatten(self._structure, [self._jax.numpy.array(leaf, copy=True) for leaf in leaves])

    def renew(self, rows: list[int], keys: NDArray[np.uint32]) -> NDArray[np.float32]:
        """New worlds in R rows from keys [R, 2]; returns their first observations [R, D]."""
        found = []
        for row, key in zip(rows, keys, strict=True):
            observation, fresh = self._begin(key)
            self._state = self._place(self._state, row, fresh)
            found.append(np.asarray(observation))
        return np.stack(found)

    def step(self, keys: NDArray[np.uint32], actions: NDArray[np.int32]) -> tuple[NDArray[Any], ...]:
        """One step of all from keys [B, 2] and actions [B]; returns observations [B, D], rewards [B], ends [B] and
        achievements [B, K]."""
        observation, self._state, *others = self._step(keys, self._state, actions)
        return np.asarray(observation), *map(np.asarray, others)

    def save(self) -> list[NDArray[Any]]:
        """All worlds: the leaves of their state, [B, ...] each."""
        return [np.array(leaf) for leaf in self._jax.tree.leaves(self._state)]

    def load(self, leaves: list[NDArray[Any]]) -> None:
        """Put back what `save` gave."""
        self._state = self._of(leaves)


def _end_with_the_parent() -> None:
    """The parent holds the other end of standard input: it closes when the parent is gone, however it went."""
    while os.read(0, 1):
        pass
    os._exit(0)


def main(make: Callable[[str, int], Any] = Worlds) -> None:
    """Make worlds and serve the parent at the other end of a socket until it closes.

    Args:
        make: of the task and B, what is served.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a key pressed in the terminal is the parent's affair
    # Compiling takes a minute, in which nobody listens to the socket.
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    connection = Connection(int(sys.argv[1]))
    try:
        worlds = make(*connection.recv())
        connection.send(None)
        while True:
            method, arguments = connection.recv()
            connection.send(getattr(worlds, method)(*arguments))
    except (EOFError, ConnectionError):
        return


if __name__ == "__main__":
    main()
