"""The on-policy learner: rollouts in many environments, and updates of a policy from them (`gtr_bench.learn`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ValidationError

from gtr_bench.algorithms.parameters import OnPolicyParameters, stackable_fields
from gtr_bench.algorithms.registry import algorithms
from gtr_bench.errors import UnknownNameError
from gtr_bench.learn.columns import COLUMNS
from gtr_bench.learn.timeline import evaluation_marks
from gtr_bench.learn.version import LEARN_VERSION
from gtr_bench.learners.base import Definition, Iteration, LearnerKind, Objection, Pulse, Run
from gtr_bench.networks.registry import networks
from gtr_bench.plasticity.registry import add_ons
from gtr_bench.registry import Registry
from gtr_bench.suite.identity import canonical_json, defining

if TYPE_CHECKING:
    from gtr_bench.environments.spaces import ObservationSpace, Spaces
    from gtr_bench.suite.problems import Problems

__all__ = ["PolicyLearner"]


class PolicyLearner(LearnerKind):
    """Proximal policy optimization and its relatives, in cohorts."""

    version: ClassVar[int] = LEARN_VERSION
    Shared: ClassVar[type[BaseModel]] = OnPolicyParameters
    takes_add_ons: ClassVar[bool] = True
    columns: ClassVar[Mapping[str, str]] = COLUMNS

    def network(self, table: Mapping[str, Any], problems: Problems) -> dict[str, Any]:
        """Torso, version, `shared` where it is true, and the torso's parameters; empty when something is wrong."""
        name = table.get("torso", "mlp")
        try:
            network = networks.get(name) if isinstance(name, str) else None
        except UnknownNameError as error:
            problems.add_error(("network", "torso"), error)
            return {}
        if network is None:
            problems.add(("network", "torso"), "`torso` should be the name of a network")
            return {}
        rest = {key: value for key, value in table.items() if key not in ("torso", "shared")}
        parameters = problems.validate(network.Parameters, rest, ("network",))
        shared = table.get("shared", False)
        if not isinstance(shared, bool):
            problems.add(("network", "shared"), "`shared` should be true or false")
            return {}
        if parameters is None:
            return {}
        own = {"torso": name, "version": network.version, **defining(parameters)}
        return own | {"shared": True} if shared else own

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

    def refusals(self, parameters: Mapping[str, Any], network: Mapping[str, Any], steps: int) -> Iterator[Objection]:
        """A phase must be a whole number of units of all environments together, and a rollout hold at least one."""
        envs, length = parameters["num_envs"], _length(network)
        if parameters["num_steps"] < length:
            sentence = f"`num_steps` {parameters['num_steps']} is less than the network's `sequence_length` {length}"
            yield Objection(sentence, "raise `num_steps`, or lower `sequence_length`", "num_steps")
        unit = envs * length
        if steps % unit:
            below, above = steps - steps % unit, steps - steps % unit + unit
            times = f" times `sequence_length` {length}" if length > 1 else ""
            yield Objection(
                f"`steps_per_phase` {steps} is not a multiple of `num_envs` {envs}{times}",
                f"the nearest multiples are {f'{below} and ' if below else ''}{above}",
            )

    def refuse_spaces(
        self, network: Mapping[str, Any], parameters: Mapping[str, Any], spaces: Spaces
    ) -> Iterator[Objection]:
        """The network must read the observations; running means and variances are of numbers, not of bytes."""
        space = spaces.observation
        if network:
            own = ("torso", "version", "shared")
            kind = networks.get(network["torso"])
            settings = kind.Parameters(**{key: value for key, value in network.items() if key not in own})
            reason = kind.fits(settings, space)
            if reason is not None:
                others = [f'`torso = "{name}"`' for name in networks.names() if _reads(name, space)]
                hint = f"write {' or '.join(others)} in `[network]`" if others else "no network reads that"
                yield Objection(f"{space.describe()}, but the network `{network['torso']}` {reason}", hint)
        name = "observation_normalisation"
        if parameters[name] and space.dtype != "float32":
            hint = "leave it out: a network for images scales them itself"
            yield Objection(f"{space.describe()}, but `{name}` is for numbers", hint, name)

    def iteration(self, parameters: Mapping[str, Any], steps: int) -> Iteration:
        """A rollout, or the whole phase."""
        return Iteration(min(_rollout(parameters), steps), "rollout", "lower `num_steps`")

    def iterations(self, definition: Definition) -> int:
        """Rollouts, if all had their full length."""
        rollout = _rollout(definition["algorithm"]["parameters"])
        return sum(-(-int(phase["steps"]) // rollout) for phase in definition["sequence"]["phases"])

    def marks(self, definition: Definition) -> list[list[int]]:
        """Multiples of `evaluation.every`, in whole units of all environments."""
        envs, every = definition["algorithm"]["parameters"]["num_envs"], definition["evaluation"]["every"]
        unit = int(envs) * _length(definition["network"])
        phases = [int(phase["steps"]) for phase in definition["sequence"]["phases"]]
        return [evaluation_marks(steps, unit, int(every or steps)) for steps in phases]

    def shape(self, definition: Definition) -> Any:
        """What an iteration computes."""
        parameters = definition["algorithm"]["parameters"]
        sizes = [parameters.get(name) for name in ("num_envs", "num_steps", "epochs", "num_minibatches")]
        return [*sizes, *(add_on["name"] for add_on in definition.get("plasticity", []))]

    def stack_key(self, definition: Definition) -> str:
        """All but stackable numbers, which keep their type only: `none` switches a part of the method off.

        One that a definition leaves out because it is neutral stands there with its default.
        """
        parts: dict[str, Any] = {"algorithm": _without_numbers(algorithms, definition["algorithm"])}
        if "plasticity" in definition:
            parts["plasticity"] = [_without_numbers(add_ons, each) for each in definition["plasticity"]]
        return canonical_json({**definition, **parts})

    def start(self, definitions: Sequence[Definition], *, device: str, threads: int, pulse: Pulse) -> Run:
        """Members in lock-step through one sequence."""
        import numpy as np
        import torch

        from gtr_bench.learn.training import Training

        torch.set_num_threads(threads)
        # units saturated late in a long life fill gradients and moments with denormal numbers, which are slow
        for kind in (np.float16, np.float32, np.float64, np.longdouble):
            np.finfo(kind)  # kept by numpy, which would warn when it meets the smallest denormal number as 0
        torch.set_flush_denormal(True)
        return Training(definitions, torch.device(device), pulse)


def _reads(network: str, space: ObservationSpace) -> bool:
    """Whether a network can read such observations with its default settings."""
    kind = networks.get(network)
    try:
        return kind.fits(kind.Parameters(), space) is None
    except ValidationError:  # it has no defaults
        return False


def _rollout(parameters: Mapping[str, Any]) -> int:
    """Samples of a whole rollout: T x N."""
    return int(parameters["num_envs"] * parameters["num_steps"])


def _without_numbers(registry: Registry, part: Mapping[str, Any]) -> dict[str, Any]:
    """An algorithm's or add-on's part of a definition, its stackable numbers left open."""
    defaults = _stackable(registry.get(part["name"]).Parameters)
    parameters = {
        name: "number" if name in defaults and type(value) in (int, float) else value
        for name, value in {**defaults, **part["parameters"]}.items()
    }
    return {**part, "parameters": parameters}


def _length(network: Mapping[str, Any]) -> int:
    """L: steps per unit of learning of a network with memory, 1 without."""
    return int(network.get("sequence_length", 1))


@cache
def _stackable(model: type[BaseModel]) -> dict[str, Any]:
    """Defaults of the stackable fields."""
    return {name: model.model_fields[name].default for name in stackable_fields(model)}
