"""Trained policies, to play and to evaluate again: `gtr_bench.load_policy`, and behind `gtr-bench play`."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gtr_bench.errors import RequestError

if TYPE_CHECKING:
    from gtr_bench.environments.sequence import SequenceEnvironment
    from gtr_bench.environments.spaces import Spaces
    from gtr_bench.learn.evaluate import Evaluation

__all__ = ["Policy", "load_policy"]


class Policy:
    """One job's trained policy.

    Attributes:
        definition: of the job.
        description: what the file says of it: `definition`, the job's labels, and `point`, which of the job's rows of
            evaluations is the last on its own phase.
    """

    def __init__(self, path: Path) -> None:
        """Read a policy file.

        Raises:
            FileNotFoundError: there is none.
            ResultsError: it is no policy of this program.
        """
        import torch

        # Before a simulator is imported: without a display this is what draws.
        os.environ.setdefault("MUJOCO_GL", "egl")
        os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
        from gtr_bench.learn.learner import Learner
        from gtr_bench.learn.policy_file import fill_learner, read_description
        from gtr_bench.suite.seeds import derive_seeds

        self.description = read_description(path)
        self.definition: dict[str, Any] = self.description["definition"]
        self._seeds = derive_seeds(self.definition)
        self._world: tuple[int, SequenceEnvironment] | None = None
        spaces = self._worlds(1).spaces
        self._learner = Learner([self.definition], [self._seeds.learner], spaces, torch.device("cpu"))
        fill_learner(self._learner, path)
        self._carry: Any = None

    @property
    def spaces(self) -> Spaces:
        """What it sees and acts in."""
        return self._learner.spaces

    @property
    def phases(self) -> int:
        """How many phases its job had."""
        return len(self.definition["sequence"]["phases"])

    @property
    def episodes(self) -> int:
        """How many an evaluation of its job has; 1 where it was not evaluated."""
        return int(self.definition["evaluation"]["episodes"]) or 1

    def _worlds(self, episodes: int) -> SequenceEnvironment:
        from gtr_bench.environments.sequence import SequenceEnvironment

        if self._world is None or self._world[0] != episodes:
            self.close()
            self._world = episodes, SequenceEnvironment(
                self.definition["sequence"], members=1, envs=episodes, environment_seeds=[self._seeds.environment],
                shift_seeds=[self._seeds.shift], purpose="evaluation",
            )  # fmt: skip
        return self._world[1]

    def evaluate(
        self,
        phase: int | None = None,
        episodes: int | None = None,
        *,
        stream: int | None = None,
        deterministic: bool | None = None,
        watch: Callable[[SequenceEnvironment, NDArray[Any]], None] | None = None,
    ) -> Evaluation:
        """Play whole episodes; as called without arguments, the job's last evaluation again, to the bit.

        Args:
            phase: whose world; the last one by default.
            episodes: how many; the job's own number by default.
            stream: which random numbers; those of the job's last evaluation point by default.
            deterministic: the mode instead of a sample; as the job says by default.
            watch: called before every step with the world and what it shows, `[1, episodes, *O]`.

        Raises:
            RequestError: there is no such phase.
        """
        from gtr_bench.learn.evaluate import evaluate

        phase = self.phases - 1 if phase is None else phase
        if not 0 <= phase < self.phases:
            raise RequestError(f"there is no phase {phase}", hint=f"phases are counted from 0 to {self.phases - 1}")
        settings = self.definition["evaluation"]
        world = self._worlds(episodes or self.episodes)
        return evaluate(
            self._learner,
            world,
            phase,
            self.description["point"] if stream is None else stream,
            deterministic=settings["deterministic"] if deterministic is None else deterministic,
            progress=1.0 if phase == self.phases - 1 else None,
            pulse=lambda: None,
            watch=None if watch is None else partial(watch, world),
        )

    def reset(self) -> None:
        """Forget what a network with memory carries: an episode begins."""
        self._carry = None

    def act(self, observation: NDArray[Any]) -> NDArray[Any]:
        """The mode of the policy at one observation `[*O]`, as its world shows it; the action `[*A]`.

        A network with memory remembers the calls since `reset`.
        """
        import torch

        from gtr_bench.networks.torso import Memory

        seen = np.asarray(observation, self.spaces.observation.dtype)[None, None]
        if self._learner.observation_normaliser is not None:
            seen = self._learner.observation_normaliser(seen)
        first = self._carry is None
        carry = self._learner.model.first_carry(1) if first else self._carry
        memory = None if carry is None else Memory(carry, torch.full((1, 1, 1), first))
        with torch.inference_mode():
            action, self._carry = self._learner.model.act(torch.from_numpy(seen), memory, None)
        return np.array(action[0, 0].numpy())

    def close(self) -> None:
        """Free its world."""
        if self._world is not None:
            self._world[1].close()
            self._world = None


def load_policy(job: str | os.PathLike[str], results: str | os.PathLike[str] = "results") -> Policy:
    """The policy of a finished job.

    Args:
        job: the job's id or its beginning, its folder, or a policy file.
        results: the results folder, where `job` is an id.

    Raises:
        RequestError: no such job, several of them, or one without a policy.
        ResultsError: the file is no policy of this program.
    """
    from gtr_bench.learn.policy_file import POLICY_FILE
    from gtr_bench.schedule.folders import ResultsFolder
    from gtr_bench.schedule.logs import find_job

    path = Path(job)
    if path.is_file():
        return Policy(path)
    folder = path
    if not path.is_dir():
        known = ResultsFolder(Path(results))
        known.require()
        folder = known.job(find_job(known, str(job)))
    try:
        return Policy(folder / POLICY_FILE)
    except FileNotFoundError:
        raise RequestError(
            f"job `{folder.name}` has no policy", hint="it has not finished, has diverged, or ran with `--no-policies`"
        ) from None
