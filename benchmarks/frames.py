"""What storing frames once saves of a rollout of Atari, and what it costs: `python benchmarks/frames.py`.

8 environments x 128 steps of Breakout, stacks of 4 x 84 x 84 bytes, 4 minibatches, 4 epochs, one Nature network for
actor and critic. Two trainings of the same job, one that stores stacks whole and one that stores frames once, take
turns in one process, one iteration each; the figure is the median of the ratios of their CPU time, for collecting alone
too. Their parameters are compared at the end: to the bit.
"""

from __future__ import annotations

import argparse
import time
from statistics import median
from typing import Any
from unittest.mock import patch

import torch

from gtr_bench.algorithms.registry import algorithms
from gtr_bench.learn import rollout
from gtr_bench.learn.frames import Stacks, WholeStore
from gtr_bench.learn.training import Training

ENVS, STEPS, MINIBATCHES, EPOCHS = 8, 128, 4, 4


def definition(iterations: int) -> dict[str, Any]:
    """The job."""
    kind, steps = algorithms.get("ppo"), iterations * ENVS * STEPS
    parameters = kind.Parameters(
        num_envs=ENVS, num_steps=STEPS, num_minibatches=MINIBATCHES, epochs=EPOCHS, learning_rate=2.5e-4
    ).model_dump()
    return {
        "algorithm": {"name": "ppo", "version": kind.version, "parameters": parameters},
        "sequence": {
            "phases": [{"environment": "atari:Breakout", "options": {}, "steps": steps, "variant": 0}],
            "shifts": [],
            "max_episode_steps": None,
        },
        "network": {"torso": "nature_cnn", "version": 1, "shared": True},
        "evaluation": {"every": steps, "episodes": 0, "deterministic": False, "all_phases": False},
        "seed": 0,
    }


def size(stored: Any) -> int:
    """Bytes of a rollout's observations."""
    return int(stored.frames.nbytes + stored.places.nbytes if isinstance(stored, Stacks) else stored.nbytes)


class Contender:
    """A training that is run one iteration at a time."""

    def __init__(self, iterations: int, store: Any) -> None:
        self.training = Training([definition(iterations)], torch.device("cpu"))
        self._store = store
        self.sizes: list[int] = []
        collect, learn = self.training.collector.collect, self.training.learner.learn

        def watched(trajectory: Any, *arguments: Any) -> Any:
            self.sizes.append(size(trajectory.observations))
            return learn(trajectory, *arguments)

        def timed(*arguments: Any) -> Any:
            start = time.process_time()
            found = collect(*arguments)
            self.collecting = time.process_time() - start
            return found

        self.training.learner.learn = watched  # type: ignore[method-assign]
        self.training.collector.collect = timed  # type: ignore[method-assign]

    def iterate(self) -> tuple[float, float]:
        """CPU seconds of one iteration, and of its collecting."""
        with patch.object(rollout, "store_of", self._store):
            start = time.process_time()
            self.training.run(lambda: False)
            return time.process_time() - start, self.collecting


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--iterations", type=int, default=8)
    iterations = parser.parse_args().iterations
    torch.set_num_threads(1)
    whole, once = Contender(iterations, WholeStore), Contender(iterations, rollout.store_of)
    ratios, collecting = [], []
    for turn in range(iterations):
        if turn % 2:  # whoever goes first may find the caches colder
            after, before = once.iterate(), whole.iterate()
        else:
            before, after = whole.iterate(), once.iterate()
        ratios.append(after[0] / before[0])
        collecting.append(after[1] / before[1])
    same = torch.equal(whole.training.learner.model.data, once.training.learner.model.data)
    print(f"whole: {median(whole.sizes) / 2**20:.2f} MiB a rollout; once: {median(once.sizes) / 2**20:.2f} MiB")
    print(f"CPU time, once / whole: an iteration {median(ratios):.3f}, collecting {median(collecting):.3f}")
    print(f"parameters are {'the same to the bit' if same else 'DIFFERENT'}")


if __name__ == "__main__":
    main()
