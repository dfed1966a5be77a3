"""The Optuna study behind an ablation: a journal file in the results folder, asked and told by the driver alone.

The journal is a record for Optuna's tools and what its adaptive sampler learns from; a report's numbers come
from the jobs. It may be deleted without loss: the same request asks for the same settings, whose jobs are done.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gtr_bench.ablation.model import Axis, Setting
from gtr_bench.ablation.sampling import SAMPLER_SEED, rounded
from gtr_bench.errors import RequestError
from gtr_bench.schedule.claims import FlockClaim
from gtr_bench.suite.identity import canonical_json

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

__all__ = ["OpenStudy"]


class OpenStudy:
    """An Optuna study that this process alone may ask and tell, until `close`."""

    def __init__(self, folder: Path, name: str, axes: Sequence[Axis], request: Mapping[str, Any]) -> None:
        """Open or create the study.

        Raises:
            RequestError: another process has it open, or it belongs to another request.
        """
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        claim = FlockClaim.take(folder / "lock", name)
        if claim is None:
            raise RequestError(f"study `{name}` is in the hands of another process", hint="wait for it to end")
        self._claim = claim
        self._axes = axes
        try:
            self._study: Study = optuna.create_study(
                study_name=name,
                storage=_storage(folder),
                sampler=optuna.samplers.TPESampler(seed=SAMPLER_SEED, constant_liar=True, multivariate=True),
                direction="maximize",
                load_if_exists=True,
            )
            self._match(name, request)
        except BaseException:
            claim.release()
            raise

    def close(self) -> None:
        """Let others open it."""
        self._claim.release()

    def pre_sampled(self, settings: Sequence[Setting]) -> list[int]:
        """The numbers of the trials with these settings, asked for now where they are new, in the order given."""
        numbers = {_key(trial.params): trial.number for trial in self._study.trials}
        for setting in settings:
            if _key(setting) not in numbers:
                self._study.enqueue_trial(dict(setting))
        while any(trial.state.name == "WAITING" for trial in self._study.trials):
            asked = self._study.ask(self._distributions())
            numbers[_key(asked.params)] = asked.number
        return [numbers[_key(setting)] for setting in settings]

    def adaptive(self, count: int, first: Sequence[Setting]) -> list[tuple[int, Setting]]:
        """The trials of an adaptive study up to `count` of them, new ones asked for where they are fewer.

        A trial that an interrupted run had asked for and not told comes again with the setting it had.
        """
        if not self._study.trials and first:
            self.pre_sampled(first)
        while len(self._study.trials) < count:
            self._study.ask(self._distributions())
        return [(trial.number, self._setting(trial)) for trial in self._study.trials[:count]]

    def tell(self, number: int, value: float | None) -> None:
        """The objective of a trial, higher is better; None when it has no value. What was told before stays."""
        from optuna.trial import TrialState

        if self._study.trials[number].state is TrialState.RUNNING:
            state = TrialState.FAIL if value is None else TrialState.COMPLETE
            self._study.tell(number, value, state=state)

    def _setting(self, trial: FrozenTrial) -> Setting:
        return {
            axis.name: rounded(trial.params[axis.name]) if axis.kind == "float" else trial.params[axis.name]
            for axis in self._axes
        }

    def _distributions(self) -> dict[str, BaseDistribution]:
        from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

        found: dict[str, BaseDistribution] = {}
        for axis in self._axes:
            if axis.kind == "choice":
                found[axis.name] = CategoricalDistribution(axis.choices)
            elif axis.kind == "int":
                found[axis.name] = IntDistribution(int(axis.low), int(axis.high), log=axis.log)
            else:
                found[axis.name] = FloatDistribution(axis.low, axis.high, log=axis.log)
        return found

    def _match(self, name: str, request: Mapping[str, Any]) -> None:
        text = canonical_json(dict(request))
        stored = self._study.user_attrs.get("request")
        if stored is None:
            self._study.set_user_attr("request", text)
        elif stored != text:
            raise RequestError(
                f"study `{name}` belongs to another request (suite, axes, seeds or sampler differ)",
                hint="name this one otherwise with `--study`",
            )


def _storage(folder: Path) -> Any:
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

    path = folder / "journal.log"
    # We hold the study's own lock: a lock file of Optuna's that lies here was left by a process that was killed.
    Path(f"{path}.lock").unlink(missing_ok=True)
    _drop_torn_end(path)
    return JournalStorage(JournalFileBackend(str(path), lock_obj=JournalFileOpenLock(str(path))))


def _drop_torn_end(path: Path) -> None:
    """Cut off a last line that a killed process did not finish: Optuna would append to it and read neither."""
    if not path.exists():
        return
    with path.open("rb+") as file:
        content = file.read()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            file.truncate(whole)
            os.fsync(file.fileno())


def _key(setting: Mapping[str, Any]) -> str:
    return canonical_json(dict(setting))
