"""What families with options ask of those that are given, in the same sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

from gtr_bench.errors import RequestError

__all__ = ["require_flags", "require_integers", "settings_from"]

S = TypeVar("S", bound=NamedTuple)


def settings_from(kind: type[S], environment: str, options: Mapping[str, Any]) -> S:
    """The settings of an environment (`family:task`) with these options and defaults for the others, values unchecked.

    Raises:
        RequestError: an option that is no field of `kind`.
    """
    unknown = sorted(set(options) - set(kind._fields))
    if unknown:
        known = ", ".join(f"`{name}`" for name in kind._fields)
        raise RequestError(f"`{environment}` has no option `{unknown[0]}`", hint=f"known: {known}")
    make: Callable[..., S] = kind  # a type checker takes the bound for the function that makes such classes
    return make(**options)


def require_flags(environment: str, settings: NamedTuple, names: Iterable[str]) -> None:
    """Refuse settings where one of these is not a truth value.

    Raises:
        RequestError: naming the first.
    """
    for name in names:
        if not isinstance(getattr(settings, name), bool):
            raise RequestError(f"`{name}` of `{environment}` should be true or false")


def require_integers(environment: str, settings: NamedTuple, least: Mapping[str, int]) -> None:
    """Refuse settings where one of these is not an integer, or is below its least value.

    Raises:
        RequestError: naming the first.
    """
    for name, bound in least.items():
        value = getattr(settings, name)
        if type(value) is not int or value < bound:
            raise RequestError(f"`{name}` of `{environment}` should be an integer of at least {bound}")
