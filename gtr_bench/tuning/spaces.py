"""Which parameters of each algorithm of a suite are searched, and where: declared by the algorithm, or asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gtr_bench.ablation.model import Axis
from gtr_bench.ablation.space import axis_of, parse_ranges
from gtr_bench.ablation.trials import SuiteTemplate
from gtr_bench.algorithms.registry import algorithms as registered
from gtr_bench.errors import RequestError, UnknownNameError, did_you_mean
from gtr_bench.suite.identity import canonical_json
from gtr_bench.suite.plasticity import models_of

__all__ = ["range_text", "spaces_of"]

Spaces = Mapping[str, tuple[Axis, ...]]


def spaces_of(template: SuiteTemplate, names: Sequence[str], params: Sequence[str], ranges: Sequence[str]) -> Spaces:
    """The axes of every algorithm.

    Args:
        template: the suite.
        names: ids of its algorithms.
        params: `ALGORITHM.NAME` of every `--param`; those of an algorithm replace its own choice (`Algorithm.tuned`).
        ranges: `ALGORITHM.NAME=RANGE`, or `NAME=RANGE` for all that search it.

    Raises:
        RequestError: an algorithm with a grid, with nothing to search, or with nothing but what another searches too;
            a range that cannot be read or that nobody searches.
        UnknownNameError: an algorithm or parameter that does not exist.
    """
    for name in names:
        if name not in template.suite.algorithms:
            raise RequestError(
                f"`{name}` has a `grid` or `tied` rows, which leave nothing to choose",
                hint="drop them, or make each setting an `[[algorithm]]` of its own",
            )
    searched = _searched(template, names, params)
    texts = _ranges(searched, ranges)
    found = {name: _axes(template, name, parameters, texts) for name, parameters in searched.items()}
    _refuse_twins(template, found)
    return found


def range_text(axis: Axis) -> str:
    """An axis as `--range` takes it."""
    if axis.choices:
        return ",".join(str(each).lower() if isinstance(each, bool) else str(each) for each in axis.choices)
    return f"{axis.low:g}:{axis.high:g}{':log' if axis.log else ''}"


def _searched(template: SuiteTemplate, names: Sequence[str], params: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Names of the parameters by algorithm, in the order of the suite."""
    asked: dict[str, list[str]] = {}
    for text in params:
        algorithm, parameter = _split(text, names)
        if algorithm is None:
            raise (
                UnknownNameError("algorithm", text.partition(".")[0], names)
                if "." in text
                else RequestError(f"`--param {text}` names no algorithm", hint=f"such as `--param {names[0]}.{text}`")
            )
        if parameter in asked.setdefault(algorithm, []):
            raise RequestError(f"`--param` names `{text}` twice", hint="name every parameter once")
        asked[algorithm].append(parameter)
    found = {}
    for name in names:
        own: Iterable[str] = getattr(registered.get(template.registered(name)), "tuned", ())
        found[name] = tuple(asked.get(name, own))
        if not found[name]:
            raise RequestError(
                f"`{name}` does not say which of its parameters to tune", hint=f"name some with `--param {name}.NAME`"
            )
    return found


def _split(text: str, names: Sequence[str]) -> tuple[str | None, str]:
    """`ALGORITHM.NAME`: ids and names may hold dots, so the longest id that fits is meant; None without one."""
    fitting = [name for name in names if text.startswith(f"{name}.")]
    algorithm = max(fitting, key=len, default=None)
    return algorithm, text if algorithm is None else text[len(algorithm) + 1 :]


def _ranges(searched: Mapping[str, tuple[str, ...]], texts: Sequence[str]) -> dict[tuple[str, str], str]:
    """(algorithm, parameter) -> what `--range` says of it; one that names an algorithm wins over one for all."""
    for_all: dict[tuple[str, str], str] = {}
    for_one: dict[tuple[str, str], str] = {}
    for key, text in parse_ranges(list(texts)).items():
        algorithm, parameter = _split(key, list(searched))
        meant = [(name, parameter) for name in ([algorithm] if algorithm else searched) if parameter in searched[name]]
        if not meant:
            hint = (
                f"add `--param {key}`"
                if algorithm
                else did_you_mean(key, {p for own in searched.values() for p in own})
            )
            raise RequestError(f"`--range` names `{key}`, which no algorithm searches", hint=hint)
        (for_one if algorithm else for_all).update(dict.fromkeys(meant, text))
    return for_all | for_one


def _axes(
    template: SuiteTemplate, name: str, parameters: Sequence[str], texts: Mapping[tuple[str, str], str]
) -> tuple[Axis, ...]:
    stated = template.stated(name)
    model = registered.get(template.registered(name)).Parameters
    add_ons = models_of(template.table(name).get("plasticity", ()))
    return tuple(axis_of(model, each, texts.get((name, each)), stated, add_ons, algorithm=name) for each in parameters)


def _refuse_twins(template: SuiteTemplate, spaces: Spaces) -> None:
    """Two algorithms that differ only in what is searched would be the same one after the search, trial by trial."""
    seen: dict[str, str] = {}
    for name, axes in spaces.items():
        (cell, *_) = template.suite_of([template.table(name)], name="twin").cells
        first = seen.setdefault(canonical_json([_rest(cell.definition, axes), sorted(map(repr, _bare(axes)))]), name)
        if first != name:
            raise RequestError(
                f"`{name}` differs from `{first}` only in what is tuned",
                hint=f"search another parameter with `--param {name}.NAME`, or take one of them out of the suite",
            )


def _bare(axes: Sequence[Axis]) -> list[tuple[Any, ...]]:
    return [(axis.name, axis.low, axis.high, axis.log, axis.choices) for axis in axes]


def _rest(definition: Mapping[str, Any], axes: Sequence[Axis]) -> dict[str, Any]:
    """A definition without the parameters that are searched."""
    names = {axis.name for axis in axes}
    algorithm = definition["algorithm"]
    own = {key: value for key, value in algorithm["parameters"].items() if key not in names}
    add_ons = [
        {**each, "parameters": {k: v for k, v in each["parameters"].items() if f"{each['name']}.{k}" not in names}}
        for each in definition.get("plasticity", [])
    ]
    return {**definition, "algorithm": {**algorithm, "parameters": own}, "plasticity": add_ons}
