"""The on-policy learner: rollouts in many environments, and updates of a policy from them (`gtr_bench.learn`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel

from gtr_bench.algorithms.parameters import OnPolicyParameters, stackable_fields
from gtr_bench.algorithms.registry import algorithms
from gtr_bench.errors import UnknownNameError
from gtr_bench.learn.columns import COLUMNS
from gtr_bench.learn.timeline import evaluation_marks
from gtr_bench.learn.version import LEARN_VERSION
from gtr_bench.learners.base import Definition, Iteration, LearnerKind, Objection, Pulse, Run
from gtr_bench.networks.registry import networks
from gtr_bench.plasticity.registry import add_ons
from gtr_bench.suite.identity import canonical_json, defining

if TYPE_CHECKING:
    from gtr_bench.suite.problems import Problems

__all__ = ["PolicyLearner"]


class PolicyLearner(LearnerKind):
    """Proximal policy optimization and its relatives, in cohorts."""

    version: ClassVar[int] = LEARN_VERSION
    Shared: ClassVar[type[BaseModel]] = OnPolicyParameters
    columns: ClassVar[Mapping[str, str]] = COLUMNS

    def network(self, table: Mapping[str, Any], problems: Problems) -> dict[str, Any]:
        """Torso, version and the torso's parameters; empty when something is wrong."""
        name = table.get("torso", "mlp")
        try:
            network = networks.get(name) if isinstance(name, str) else None
        except UnknownNameError as error:
            problems.add_error(("network", "torso"), error)
            return {}
        if network is None:
            problems.add(("network", "torso"), "`torso` should be the name of a network")
            return {}
        rest = {key: value for key, value in table.items() if key != "torso"}
        parameters = problems.validate(network.Parameters, rest, ("network",))
        return {} if parameters is None else {"torso": name, "version": network.version, **defining(parameters)}

    def columns_of(self, definition: Definition) -> Iterator[tuple[str, Mapping[str, str]]]:
        """Those of the torso and of the add-ons."""
        torso = definition["network"]["torso"]
        yield f"the network `{torso}`", getattr(networks.get(torso), "columns", {})
        for add_on in definition.get("plasticity", []):
            yield f"the add-on `{add_on['name']}`", add_ons.get(add_on["name"]).columns

    def contradictions(self, parameters: Mapping[str, Any]) -> Iterator[Objection]:
        """A minibatch has at least one sample."""
        samples = _rollout(parameters)
        if parameters["num_minibatches"] > samples:
            sentence = f"{parameters['num_minibatches']} minibatches of a rollout of {samples} samples"
            yield Objection(sentence, parameter="num_minibatches")

    def refuse_budget(self, parameters: Mapping[str, Any], steps: int) -> Objection | None:
        """A phase must be a whole number of steps of all environments together."""
        envs = parameters["num_envs"]
        if steps % envs == 0:
            return None
        below, above = steps - steps % envs, steps - steps % envs + envs
        return Objection(
            f"`steps_per_phase` {steps} is not a multiple of `num_envs` {envs}",
            f"the nearest multiples are {f'{below} and ' if below else ''}{above}",
        )

    def iteration(self, parameters: Mapping[str, Any], steps: int) -> Iteration:
        """A rollout, or the whole phase."""
        return Iteration(min(_rollout(parameters), steps), "rollout", "lower `num_steps`")

    def iterations(self, definition: Definition) -> int:
        """Rollouts, if all had their full length."""
        rollout = _rollout(definition["algorithm"]["parameters"])
        return sum(-(-int(phase["steps"]) // rollout) for phase in definition["sequence"]["phases"])

    def marks(self, definition: Definition) -> list[list[int]]:
        """Multiples of `evaluation.every`, in whole steps of all environments."""
        envs, every = definition["algorithm"]["parameters"]["num_envs"], definition["evaluation"]["every"]
        phases = [int(phase["steps"]) for phase in definition["sequence"]["phases"]]
        return [evaluation_marks(steps, int(envs), int(every or steps)) for steps in phases]

    def shape(self, definition: Definition) -> Any:
        """What an iteration computes."""
        parameters = definition["algorithm"]["parameters"]
        return [parameters.get(name) for name in ("num_envs", "num_steps", "epochs", "num_minibatches")]

    def stack_key(self, definition: Definition) -> str:
        """All but stackable numbers, which keep their type only: `none` switches a part of the method off.

        One that a definition leaves out because it is neutral stands there with its default.
        """
        algorithm = definition["algorithm"]
        defaults = _stackable(algorithm["name"])
        parameters = {
            name: "number" if name in defaults and type(value) in (int, float) else value
            for name, value in {**defaults, **algorithm["parameters"]}.items()
        }
        return canonical_json({**definition, "algorithm": {**algorithm, "parameters": parameters}})

    def start(self, definitions: Sequence[Definition], *, device: str, threads: int, pulse: Pulse) -> Run:
        """Members in lock-step through one sequence."""
        import torch

        from gtr_bench.learn.training import Training

        torch.set_num_threads(threads)
        return Training(definitions, torch.device(device), pulse)


def _rollout(parameters: Mapping[str, Any]) -> int:
    """Samples of a whole rollout: T x N."""
    return int(parameters["num_envs"] * parameters["num_steps"])


@cache
def _stackable(algorithm: str) -> dict[str, Any]:
    """Defaults of the stackable fields."""
    model = algorithms.get(algorithm).Parameters
    return {name: model.model_fields[name].default for name in stackable_fields(model)}
