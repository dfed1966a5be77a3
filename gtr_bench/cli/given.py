"""Which options a command line gives, and the refusal of those that mean nothing together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeVar

import typer

__all__ = ["FormatName", "one_format", "refuse_given", "seed_numbers", "was_given"]

FormatName = TypeVar("FormatName", bound=str)


def was_given(context: typer.Context, parameter: str) -> bool:
    """Whether the user gave the option of a command's parameter, be it with its default value."""
    source = context.get_parameter_source(parameter)
    return source is not None and source.name == "COMMANDLINE"


def refuse_given(context: typer.Context, options: Mapping[str, str], reason: str, remedy: str = "") -> None:
    """Raise RequestError for the first of the options the user gave.

    Args:
        context: of the command.
        options: parameter -> option as the user writes it.
        reason: what follows the option in the sentence.
        remedy: what the hint offers besides dropping the option.
    """
    from gtr_bench.errors import RequestError

    for parameter, option in options.items():
        if was_given(context, parameter):
            hint = f"{remedy} or drop `{option}`" if remedy else f"drop `{option}`"
            raise RequestError(f"`{option}` {reason}", hint=hint)


def one_format(context: typer.Context, format: FormatName, *, json: bool) -> FormatName | Literal["json"]:
    """The format that `--format` and `--json` ask for; raises RequestError when they ask for different ones."""
    from gtr_bench.errors import RequestError

    if json and format != "json" and was_given(context, "format"):
        raise RequestError(f"`--format {format}` and `--json` exclude each other", hint="drop one of them")
    return "json" if json else format


def seed_numbers(text: str) -> tuple[int, ...]:
    """The seeds that `--seeds` asks for: a count from 0 on, or a list.

    Raises:
        RequestError: no numbers, none at all, a negative one or one that is named twice.
    """
    from gtr_bench.errors import RequestError

    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        raise RequestError(f"`--seeds {text}` should be a count or a list such as `0,1,2`") from None
    if min(numbers) < 0 or len(set(numbers)) < len(numbers) or numbers == [0]:
        raise RequestError(f"`--seeds {text}` needs at least one seed, none negative and none twice")
    return tuple(range(numbers[0])) if len(numbers) == 1 else tuple(numbers)
