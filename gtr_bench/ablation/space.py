"""From a parameter's own field, or a `--range`, to an axis of a study."""

from __future__ import annotations

import math
import types
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from gtr_bench.ablation.model import Axis, Value
from gtr_bench.algorithms.owners import owners_hint
from gtr_bench.errors import RequestError, UnknownNameError

__all__ = ["axis_of", "parse_ranges"]

_FORM = "write `NAME=LOW:HIGH`, `NAME=LOW:HIGH:log` or `NAME=VALUE,VALUE,...`"


def parse_ranges(texts: list[str]) -> dict[str, str]:
    """`NAME=REST` of every `--range`; raises RequestError for another form or a name given twice."""
    found: dict[str, str] = {}
    for text in texts:
        name, sign, rest = text.partition("=")
        if not sign or not name or not rest:
            raise RequestError(f"`--range {text}` cannot be read", hint=_FORM)
        if name in found:
            raise RequestError(f"`--range` names `{name}` twice", hint="give every parameter one range")
        found[name] = rest
    return found


def axis_of(
    model: type[BaseModel],
    name: str,
    given: str | None,
    stated: Mapping[str, Any],
    add_ons: Mapping[str, type[BaseModel]] = MappingProxyType({}),
    *,
    algorithm: str = "the algorithm",
) -> Axis:
    """The axis of one parameter.

    Args:
        model: the algorithm's parameters.
        name: one of its fields, or `name.field` of an add-on.
        given: what `--range` says about it; None takes the field's own range or choices.
        stated: the suite's own values.
        add_ons: the parameters of the algorithm's add-ons, by name.
        algorithm: its label, for sentences.

    Raises:
        UnknownNameError: nobody has such a parameter.
        RequestError: only other algorithms have it, a range that cannot be read, or one that the field does not allow.
    """
    owner, _, own = name.rpartition(".")
    owners = {"": model, **add_ons}
    if owner not in owners or own not in owners[owner].model_fields:
        of_add_ons = [f"{each}.{field}" for each, found in add_ons.items() for field in found.model_fields]
        raise _unknown(name, [*model.model_fields, *of_add_ons], algorithm)
    field = owners[owner].model_fields[own]
    axis = _from_text(name, given, field, stated.get(name)) if given else _from_field(name, field, stated.get(name))
    for value in axis.choices or (axis.low, axis.high):
        _check(owners[owner], name, value if axis.kind != "int" else int(value))
    return axis


def _from_field(name: str, field: FieldInfo, stated: Value | None) -> Axis:
    choices = _choices(field.annotation)
    if choices:
        return Axis(name, "choice", stated, choices=choices)
    extra = field.json_schema_extra
    if not isinstance(extra, dict) or "low" not in extra:
        raise RequestError(
            f"`{name}` has no range of its own to search", hint=f"give one with `--range {name}=LOW:HIGH`"
        )
    low, high = float(str(extra["low"])), float(str(extra["high"]))
    return Axis(name, "int" if _is_int(field) else "float", stated, low, high, extra.get("scale") == "log")


def _unknown(name: str, known: Sequence[str], algorithm: str) -> RequestError:
    """Of a parameter that the algorithm has not; which algorithms have it, where some do."""
    hint = owners_hint(name, known)
    if hint is None:
        return UnknownNameError("parameter", name, known)
    return RequestError(f"`{algorithm}` has no parameter `{name}`", hint=hint)


def _from_text(name: str, text: str, field: FieldInfo, stated: Value | None) -> Axis:
    if ":" not in text:
        choices = tuple(_value(name, part, field) for part in text.split(","))
        if len(set(map(repr, choices))) < max(2, len(choices)):
            raise RequestError(f"`--range {name}={text}` needs at least two different values")
        return Axis(name, "choice", stated, choices=choices)
    parts = text.split(":")
    if len(parts) > 3 or (len(parts) == 3 and parts[2] not in ("log", "linear")):
        raise RequestError(f"`--range {name}={text}` cannot be read", hint=_FORM)
    try:
        low, high = float(parts[0]), float(parts[1])
    except ValueError:
        raise RequestError(f"`--range {name}={text}` cannot be read", hint=_FORM) from None
    log = parts[2:] == ["log"]
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise RequestError(f"`--range {name}={text}`: the first number should be below the second")
    if log and low <= 0:
        raise RequestError(f"`--range {name}={text}`: a logarithmic range starts above 0")
    if _choices(field.annotation):
        raise RequestError(f"`{name}` has no range: its values are {_listed(field)}")
    return Axis(name, "int" if _is_int(field) else "float", stated, low, high, log)


def _value(name: str, text: str, field: FieldInfo) -> Value:
    known = _choices(field.annotation)
    if known:
        for choice in known:
            if text == (str(choice).lower() if isinstance(choice, bool) else choice):
                return choice
        raise UnknownNameError(f"value of `{name}`", text, [str(choice) for choice in known])
    try:
        return int(text) if _is_int(field) else float(text)
    except ValueError:
        raise RequestError(f"`--range {name}=`: `{text}` is not a number", hint=_FORM) from None


def _check(model: type[BaseModel], name: str, value: Value) -> None:
    """Ask the field itself, so that a study never starts with a value that the suite would refuse."""
    from pydantic import ValidationError

    own = name.rpartition(".")[2]
    try:
        model.model_validate({own: value})
    except ValidationError as error:
        for problem in error.errors():
            if problem["loc"][:1] == (own,):
                message = problem["msg"][:1].lower() + problem["msg"][1:]
                raise RequestError(f"`{name}` cannot be `{value}`: {message}") from None


def _choices(annotation: Any) -> tuple[Value, ...]:
    if annotation is bool:
        return (False, True)
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    if get_origin(annotation) in (Union, types.UnionType):
        return next((found for part in get_args(annotation) if (found := _choices(part))), ())
    return ()


def _is_int(field: FieldInfo) -> bool:
    return field.annotation is int


def _listed(field: FieldInfo) -> str:
    return ", ".join(f"`{choice}`" for choice in _choices(field.annotation))
