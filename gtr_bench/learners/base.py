"""What a learner kind is: everything suites, plans, workers and reports ask about a way of learning.

A kind's module imports no torch at the top: only `start` may, which runs in the worker.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gtr_bench.environments.spaces import Spaces
    from gtr_bench.suite.problems import Problems

__all__ = ["Clock", "Columns", "Definition", "Iteration", "LearnerKind", "NoSettings", "Objection", "Pulse", "Run"]

Definition = Mapping[str, Any]
"""a job definition (docs/design.md); one without its seed where a method says so"""

Columns = Mapping[str, Sequence[Any]]
"""name -> values, all of one length; None is a null"""


class NoSettings(BaseModel):
    """Of a kind whose algorithms share no settings."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Objection(NamedTuple):
    """What is wrong with numbers taken together; `parameter` is the one to blame, where there is one."""

    sentence: str
    hint: str | None = None
    parameter: str | None = None


class Iteration(NamedTuple):
    """The longest iteration of a job, between two states of its policy.

    Attributes:
        steps: environment steps.
        name: what the kind calls it ("rollout").
        shorter: how a suite makes it shorter, for a hint ("lower `num_steps`").
    """

    steps: int
    name: str
    shorter: str


class Clock(Protocol):
    """Where a worker's time goes; `gtr_bench.learn.clock.Clock` is one."""

    @property
    def seconds(self) -> Mapping[str, float]:
        """Seconds by activity."""

    def measure(self, activity: str) -> Any:
        """A context manager that counts its block as `activity`; the worker measures `storing`."""


class Run(Protocol):
    """A cohort in training, as the worker drives it.

    A run may offer `keep(member, folder, labels)`: write what a finished member has learned into its job's folder.

    Attributes:
        members: M.
        step, steps: environment steps each member has taken, and will have.
        phase, phases: the running phase, from 0, and how many there are.
        training_return: the newest mean return over members, None before the first; for display.
        diverged: `[M]`, the step at which a member was given up, -1 while it learns; messages: why.
        finished: nothing is left to learn.
    """

    members: int
    step: int
    steps: int
    phase: int
    phases: int
    training_return: float | None
    diverged: NDArray[np.int64]
    messages: list[str]

    @property
    def finished(self) -> bool: ...

    @property
    def clock(self) -> Clock: ...

    def run(self, after_iteration: Callable[[], bool]) -> None:
        """Train until the end, or until `after_iteration` (called after every iteration) returns False."""

    def rows_of(self, member: int) -> tuple[Columns, Columns]:
        """Evaluations and iterations of one member so far; a diverged member's end where it was given up.

        Evaluations have the columns of `gtr_bench.store.schema.EVALUATIONS`, iterations `iteration`, `step`, `phase`,
        perhaps `episodes`, and the declared ones (`gtr_bench.learners.columns`); both without `job`.
        """

    def save(self, folder: Path) -> None:
        """Write all that is needed to continue exactly into an empty folder."""

    def load(self, folder: Path) -> None:
        """Continue from what `save` wrote, before anything was trained.

        Raises:
            ResultsError: the content is damaged, or of another program; the worker then starts anew. Where memory or
                the disk is to blame, that error is its cause, and the worker fails.
        """

    def close(self) -> None:
        """Free what it holds."""


Pulse = Callable[[Run, str], None]
"""called all the time with a run and `running` or `evaluating`: a sign of life"""


class LearnerKind(ABC):
    """A way of learning. A class without arguments, registered by name; an algorithm's `learner` names it.

    Attributes:
        version: part of a job's identity, absent at 1: raise it when the kind's numbers change for every algorithm.
        Shared: what `[training]` may say: the settings all its algorithms have.
        columns: the float columns of iterations that each of its jobs has, name -> meaning.
        takes_add_ons: whether an algorithm's `plasticity` means something to it.
    """

    version: ClassVar[int] = 1
    Shared: ClassVar[type[BaseModel]] = NoSettings
    columns: ClassVar[Mapping[str, str]] = {}
    takes_add_ons: ClassVar[bool] = False

    def network(self, table: Mapping[str, Any], problems: Problems) -> dict[str, Any]:
        """The `network` of a job definition from the suite's table `[network]`; what is wrong is noted in `problems`.

        By default there is no network and the table is somebody else's.
        """
        return {}

    def columns_of(self, definition: Definition) -> Iterator[tuple[str, Mapping[str, str]]]:
        """Who else declares columns of iterations for such a job, the algorithm aside: (who, name -> meaning)."""
        yield from ()

    def contradictions(self, parameters: Mapping[str, Any]) -> Iterator[Objection]:
        """What is wrong with an algorithm's parameters taken together."""
        yield from ()

    def refusals(self, parameters: Mapping[str, Any], network: Mapping[str, Any], steps: int) -> Iterator[Objection]:
        """Why this cannot be learnt by this network, or not in phases of so many steps (without a `parameter`)."""
        yield from ()

    def refuse_spaces(
        self, network: Mapping[str, Any], parameters: Mapping[str, Any], spaces: Spaces
    ) -> Iterator[Objection]:
        """Why a job cannot learn in environments with such spaces; sentences follow "sequence `x` shows".

        Args:
            network: the `network` of its definition, empty where something is wrong with it.
            parameters: its algorithm's.
            spaces: what it would see and act in.
        """
        yield from ()

    @abstractmethod
    def iteration(self, parameters: Mapping[str, Any], steps: int) -> Iteration:
        """The longest iteration in phases of so many steps: evaluation points cannot lie closer."""

    @abstractmethod
    def iterations(self, definition: Definition) -> int:
        """How many iterations a job has, about: what a plan estimates disk space by."""

    @abstractmethod
    def marks(self, definition: Definition) -> list[list[int]]:
        """The evaluation grid: per phase the steps from its start, without the phase's end."""

    def shape(self, definition: Definition) -> Any:
        """What else than algorithm, environments and network speed and memory depend on, as JSON."""
        return None

    def stack_key(self, definition: Definition) -> str | None:
        """What jobs must share to train in lock-step, of a definition without its seed; None: each trains alone."""
        return None

    @abstractmethod
    def start(self, definitions: Sequence[Definition], *, device: str, threads: int, pulse: Pulse) -> Run:
        """Build a cohort, which `stack_key` lets be one, in this process.

        Args:
            definitions: one per member.
            device: where tensors live, in torch's words.
            threads: how many this process may use.
            pulse: to be called about every step.
        """
