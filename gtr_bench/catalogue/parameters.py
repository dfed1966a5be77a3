"""The fields of a pydantic model as rows: what a value may be, its default, where a study searches, what it means."""

from __future__ import annotations

import json
import re
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, JsonValue
from pydantic.fields import FieldInfo

from gtr_bench.catalogue.references import CITATION

__all__ = ["Parameter", "parameters_of"]

_SEARCH = ("low", "high", "scale")
_NUMBERS = {int: "integer", float: "number"}
_TYPES = {bool: "boolean", str: "text", dict: "table", **_NUMBERS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One key a suite may set.

    Attributes:
        name: as in the suite.
        type: `number`, `integer`, `boolean`, `choice`, `text`, `table` or `list of ...`.
        values: what is accepted, in words: `number above 0 to 1`.
        required: it has no default.
        default: None: nothing stands in for it.
        search: `{"low", "high", "scale"}`, where a sensitivity study looks by default; None where it must be told.
        meaning, source: the description and the citation it ends in.
        stackable: jobs that differ in it alone may train in one cohort.
        shared: a setting of the training loop, taken over with its default.
    """

    name: str
    type: str
    values: str
    required: bool
    default: JsonValue
    search: Mapping[str, JsonValue] | None
    meaning: str
    source: str
    stackable: bool
    shared: bool = False

    @property
    def default_text(self) -> str:
        """As TOML would have it; `required`, or `none`."""
        if self.required:
            return "required"
        return "none" if self.default is None else json.dumps(self.default)

    @property
    def search_text(self) -> str:
        """`0.05 to 2, log`; `-` where there is no range."""
        if self.search is None:
            return "-"
        low, high = (_number(self.search[end]) for end in ("low", "high"))
        return f"{low} to {high}" + (", log" if self.search.get("scale") == "log" else "")


def parameters_of(model: type[BaseModel], shared: type[BaseModel] | None = None) -> tuple[Parameter, ...]:
    """The fields of a model in its order; those of `shared` that it takes over as they are come marked so."""
    common = {} if shared is None else {each.name: each for each in parameters_of(shared)}
    found = []
    for name, field in model.model_fields.items():
        settled = common.get(name)
        own = _parameter(name, field, shared=False)
        same = settled is not None and (settled.default, settled.values) == (own.default, own.values)
        found.append(_parameter(name, field, shared=True) if same else own)
    return tuple(found)


def _parameter(name: str, field: FieldInfo, *, shared: bool) -> Parameter:
    kind, values = _accepted(field.annotation, field.metadata)
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    search: dict[str, JsonValue] = {key: extra[key] for key in _SEARCH if key in extra}
    meaning, source = _without_source(field.description or "")
    default = None if field.is_required() else field.get_default(call_default_factory=True, validated_data={})
    return Parameter(
        name=name,
        type=kind,
        values=values,
        required=field.is_required(),
        default=_plain(default),
        search=search or None,
        meaning=meaning,
        source=source,
        stackable=bool(extra.get("stackable")),
        shared=shared,
    )


def _plain(value: Any) -> JsonValue:
    """A default as JSON has it."""
    if isinstance(value, BaseModel):
        return _plain(value.model_dump(exclude_defaults=True))
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, tuple | list | set | frozenset):
        return [_plain(each) for each in value]
    plain: JsonValue = value
    return plain


def _without_source(description: str) -> tuple[str, str]:
    """A description that ends in a citation in brackets, and the citation by itself."""
    found = re.fullmatch(rf"(.*?) \(((?:{CITATION.pattern}).*)\)", description, flags=re.DOTALL)
    return (found[1], found[2]) if found else (description, "")


def _accepted(annotation: Any, limits: Iterable[Any]) -> tuple[str, str]:
    """(type, what is accepted) of an annotation with its limits, those written inside of it included."""
    limits = list(limits)
    while True:
        if get_origin(annotation) is Annotated:
            annotation, *inside = get_args(annotation)
            limits += [limit for each in inside for limit in getattr(each, "metadata", [each])]
        elif get_origin(annotation) in (Union, types.UnionType):
            several = [each for each in get_args(annotation) if each is not types.NoneType]
            if len(several) > 1:
                kinds = [_accepted(each, limits) for each in several]
                return " or ".join(kind for kind, _ in kinds), " or ".join(values for _, values in kinds)
            annotation = several[0]
        else:
            break
    if get_origin(annotation) is Literal:
        return "choice", ", ".join(json.dumps(word) for word in get_args(annotation))
    if annotation is bool:
        return "boolean", "true, false"
    if annotation in _NUMBERS:
        return _NUMBERS[annotation], _NUMBERS[annotation] + _bounds(limits)
    if get_origin(annotation) in (tuple, list):
        inner, _ = _accepted(get_args(annotation)[0], [])
        plural = inner if inner == "text" else f"{inner}s"
        return f"list of {plural}", f"list of {plural}"
    name = _TYPES.get(get_origin(annotation) or annotation, getattr(annotation, "__name__", str(annotation)))
    return name, name


def _bounds(limits: Iterable[Any]) -> str:
    """` from 1 to 4096`, ` above 0 below 1`; empty without limits."""
    words = {"ge": "from", "gt": "above", "le": "to", "lt": "below"}
    found = {key: getattr(limit, key) for limit in limits for key in words if getattr(limit, key, None) is not None}
    return "".join(f" {words[key]} {_number(found[key])}" for key in words if key in found)


def _number(value: Any) -> str:
    """`4096`, `0.05`, `1e6`."""
    return (
        str(value)
        if isinstance(value, int)
        else re.sub(r"e([+-])0*(\d)", lambda m: f"e{m[1].strip('+')}{m[2]}", f"{value:g}")
    )
